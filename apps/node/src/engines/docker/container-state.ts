import { pause } from '../../waiting/pause.ts'
import type { RunIdentity } from '../engine.ts'
import { containerName } from './container-name.ts'
import { notedContainer } from './container-note.ts'
import { objectOf, textOf, textsOf } from './said.ts'
import { hasStatus, isUnanswered, oneLine, type SocketApi, SocketError } from './socket-api.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 3_000
const LARGEST_EXIT_CODE = 0xffff_ffff

/** What a server says of a container, as far as anybody here looks at it. */
export interface ContainerInspect {
  readonly Id: string
  readonly Config: { readonly Labels: Readonly<Record<string, string>> }
  readonly State: {
    readonly Status: string
    readonly Running: boolean
    readonly OOMKilled: boolean
    readonly ExitCode: number
    readonly Error: string
    readonly StartedAt: string
    /** Of its first process, where its server sees it; 0 where there is none. */
    readonly Pid: number
  }
}

/** Where a container stands: made and never started, at work, or over. */
export type Phase = 'made' | 'runs' | 'over'

const MADE: ReadonlySet<string> = new Set(['created', 'configured', 'initialized'])

/** Tells where a container stands. */
export function phaseOf({ State }: ContainerInspect): Phase {
  const status = State.Status.toLowerCase()
  if (MADE.has(status)) return 'made'
  return State.Running || status === 'paused' || status === 'restarting' || status === 'stopping'
    ? 'runs'
    : 'over'
}

/** When it was started, in milliseconds since 1970; null where it never was. */
export function startedAtMs({ State }: ContainerInspect): number | null {
  const time = Date.parse(State.StartedAt)
  return Number.isNaN(time) || time <= 0 ? null : time
}

/**
 * Looks at a container; undefined where its server says that there is none of that name. Whatever else is no answer
 * about it, such as that of a server that ends or has no room left, is as if nobody had answered: the container may
 * well run.
 */
export async function inspect(
  api: SocketApi,
  container: string,
  signal?: AbortSignal,
): Promise<ContainerInspect | undefined> {
  let said: unknown
  try {
    said = await api.ask<unknown>({
      path: `/containers/${container}/json`,
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    if (hasStatus(error, 404)) return undefined
    if (signal?.aborted === true || isUnanswered(error)) throw error
    throw new SocketError(0, `${api.socketPath} does not tell of a container: ${oneLine(error)}`, {
      cause: error,
    })
  }
  const found = readInspect(said)
  if (found !== undefined) return found
  throw new SocketError(0, `${api.socketPath} tells of a container what says nothing of it`)
}

/** A container that was found, and the name or the id by which it is asked for. */
export interface FoundContainer {
  readonly container: string
  readonly found: ContainerInspect
}

/** Looks for the container of a run by its name, and by its id where somebody has given it another name. */
export async function findContainer(
  api: SocketApi,
  run: RunIdentity,
  workDir: string,
  signal?: AbortSignal,
): Promise<FoundContainer | undefined> {
  const id = notedContainer(workDir, run)?.id
  for (const container of [containerName(run), ...(id === undefined ? [] : [id])]) {
    const found = await inspect(api, container, signal)
    if (found !== undefined) return { container, found }
  }
  return undefined
}

/** What a server says is taken where it can be true; undefined where it says nothing of a container. */
function readInspect(said: unknown): ContainerInspect | undefined {
  const { Id, Config, State } = objectOf(said)
  const { Status, Running, OOMKilled, ExitCode, Error: fault, StartedAt, Pid } = objectOf(State)
  if (typeof Status !== 'string' || typeof Config !== 'object' || Config === null) return undefined
  const found: ContainerInspect = {
    Id: textOf(Id),
    Config: { Labels: textsOf(objectOf(Config)['Labels']) },
    State: {
      Status,
      Running: Running === true,
      OOMKilled: OOMKilled === true,
      ExitCode: isExitCode(ExitCode) ? ExitCode : 0,
      Error: textOf(fault),
      StartedAt: textOf(StartedAt),
      Pid: Number.isSafeInteger(Pid) ? (Pid as number) : 0,
    },
  }
  return phaseOf(found) !== 'over' || isExitCode(ExitCode) ? found : undefined
}

/** Also those of Windows, and the negative ones with which servers say that they do not know. */
function isExitCode(code: unknown): code is number {
  return Number.isInteger(code) && Math.abs(code as number) <= LARGEST_EXIT_CODE
}

/** Asks again and again until the socket's server answers. Rejects with its answer, or when the signal aborts. */
export async function untilAnswered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return await ask()
    } catch (error) {
      if (!isUnanswered(error) || signal.aborted) throw error
    }
    await pause(waitMs, signal)
  }
}

/** Removes a container, whatever it does, with the volumes that it alone has; nothing happens where there is none. */
export async function removeContainer(api: SocketApi, container: string): Promise<void> {
  try {
    await api.ask({ method: 'DELETE', path: `/containers/${container}`, query: { force: '1', v: '1' } })
  } catch (error) {
    // Somebody else is removing it.
    if (!hasStatus(error, 404, 409)) throw error
  }
}
