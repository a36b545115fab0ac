import { formatDuration } from '@saltcod/units'
import { exitRecord, keepRecord, type OutcomeReason } from '../../compute/keeper/exit-record.ts'
import { type EngineOutcome, outcomeOf } from '../../compute/keeper/outcome.ts'
import { requestedCapacity } from '../../spec/requested-capacity.ts'
import { LONGEST_TIMER_MS, pause } from '../../waiting/pause.ts'
import type { EngineRun, PrepareOptions, RunLimits } from '../engine.ts'
import { containerName } from './container-name.ts'
import { bootMs, isContainerId, noteContainer, notedContainer } from './container-note.ts'
import {
  type ContainerInspect,
  findContainer,
  type Phase,
  phaseOf,
  removeContainer,
  startedAtMs,
  untilAnswered,
} from './container-state.ts'
import type { DiskWatch } from './disk-watch.ts'
import { LogCopy } from './log-copy.ts'
import { copyNews } from './log-news.ts'
import { ProgramWatch } from './program-watch.ts'
import { hasStatus, isUnanswered, oneLine, type SocketApi } from './socket-api.ts'
import { startError } from './start-error.ts'

/** A container that is over sooner has its log read once, and not followed. */
const FOLLOW_AFTER_MS = 500
const LOOK_AGAIN_MS = 500
/** A server may never hear of an end, as where somebody killed what it has look after the container. */
const WAIT_MS = 60_000
/** What a program ends with that SIGKILL ended. */
const KILLED = 137
/** How long a server that does not answer is asked to end a container that nobody wants; its sweep does it later. */
const END_WITHIN_MS = 30_000

/** Why a container is to end before it does by itself. */
interface EndCause {
  readonly reason: OutcomeReason
  readonly message: string
}

const CANCELLED: EndCause = { reason: 'cancelled', message: 'it was cancelled' }
const REMOVED: EndCause = { reason: 'killed', message: 'its container was removed by somebody else' }
const FORSAKEN: EndCause = {
  reason: 'killed',
  message: 'its program is gone, and nobody saw how it ended: what its server has look after it was killed',
}
const NEVER_STARTED: EndCause = {
  reason: 'start-failed',
  message: 'docker: its server said that it was started, and did not start it',
}

/** How a container came to its end, or that it was left to go on without this process. */
type Ending =
  | { readonly kind: 'over'; readonly found: ContainerInspect; readonly cause: EndCause | undefined }
  | { readonly kind: 'failed'; readonly cause: EndCause }
  | { readonly kind: 'left' }

/** Options of {@link ContainerRun}. */
export interface ContainerRunOptions {
  readonly api: SocketApi
  readonly run: EngineRun
  readonly prepare: PrepareOptions
  readonly graceMs: number
  readonly diskWatch: DiskWatch
}

/** A container that was made for a run, from its start to its removal, or from wherever it is found. */
export class ContainerRun {
  readonly #api: SocketApi
  readonly #run: EngineRun
  readonly #options: PrepareOptions
  readonly #graceMs: number
  readonly #diskWatch: DiskWatch
  /** Its name, or its id where somebody has given it another name. */
  #container: string
  /** When it was started, in the time of {@link bootMs}. */
  #startedMs: number | undefined
  readonly #program: ProgramWatch

  constructor({ api, run, prepare, graceMs, diskWatch }: ContainerRunOptions) {
    this.#api = api
    this.#run = run
    this.#options = prepare
    this.#graceMs = graceMs
    this.#diskWatch = diskWatch
    this.#container = containerName(run)
    const noted = notedContainer(run.work.workDir, run)
    this.#startedMs = noted?.startedMs
    this.#program = new ProgramWatch(api, noted?.pid)
  }

  /** The name, or the id, by which its server knows it. */
  get container(): string {
    return this.#container
  }

  /** Starts it where it never was, and resolves when it is over, or left to go on. */
  async go(): Promise<EngineOutcome> {
    const { workDir } = this.#run.work
    const log = await LogCopy.open(workDir, this.#run.limits.logBytes)
    try {
      const ending = await this.#carryOut(log)
      if (ending.kind === 'failed' && ending.cause === REMOVED) await log.lose()
      const isLeft = ending.kind === 'left' || (ending.kind === 'over' && !(await this.#copyRest(log)))
      if (isLeft) return silent('cancelled', 'its container is left to the next start of this node')
      await log.close()
      const record = exitRecord(this.#run, { ...noteOf(ending, this.#run), ...log.capped })
      keepRecord(workDir, record)
      return outcomeOf(workDir, record)
    } finally {
      await log.close()
    }
  }

  /** Removes it, whatever it does. */
  async remove(): Promise<void> {
    await removeContainer(this.#api, this.#container)
  }

  async #carryOut(log: LogCopy): Promise<Ending> {
    const { signal } = this.#options
    try {
      const found = await this.#started()
      if ('reason' in found) return { kind: 'failed', cause: found }
      if (phaseOf(found) === 'over') return { kind: 'over', found, cause: undefined }
      return await this.#watch(found, log)
    } catch (error) {
      if (!signal.aborted) throw error
      return await this.#stopped(CANCELLED)
    }
  }

  /** Looks first: what was started once must not be started again. */
  async #started(): Promise<ContainerInspect | EndCause> {
    const { signal } = this.#options
    const giveUpMs = performance.now() + END_WITHIN_MS
    for (;;) {
      signal.throwIfAborted()
      const found = await untilAnswered(() => this.#look(signal), signal)
      if (found === undefined) return REMOVED
      if (phaseOf(found) !== 'made') return found
      this.#noteStart(found)
      try {
        await this.#api.ask({ method: 'POST', path: `/containers/${this.#container}/start` })
      } catch (error) {
        // Whether it was started is seen by looking.
        if (!isUnanswered(error)) {
          const now = await untilAnswered(() => this.#look(signal), signal)
          if (now !== undefined && phaseOf(now) === 'runs') return now
          return { reason: 'start-failed', message: startError(oneLine(error), this.#run.limits.memoryBytes) }
        }
        await pause(LOOK_AGAIN_MS, signal)
        continue
      }
      const now = await untilAnswered(() => this.#look(signal), signal)
      if (now === undefined) return REMOVED
      if (phaseOf(now) !== 'made') return now
      if (performance.now() > giveUpMs) return NEVER_STARTED
      await pause(LOOK_AGAIN_MS, signal)
    }
  }

  /** Looks at it, by whatever name it has by now. */
  async #look(signal?: AbortSignal): Promise<ContainerInspect | undefined> {
    const there = await findContainer(this.#api, this.#run, this.#run.work.workDir, signal)
    if (there !== undefined) this.#container = there.container
    return there?.found
  }

  #noteStart({ Id }: ContainerInspect): void {
    this.#startedMs = bootMs()
    const { workDir } = this.#run.work
    if (isContainerId(Id)) noteContainer(workDir, this.#run, { id: Id, startedMs: this.#startedMs })
  }

  async #watch(found: ContainerInspect, log: LogCopy): Promise<Ending> {
    const over = new AbortController()
    const watching = AbortSignal.any([over.signal, this.#options.signal])
    const late = this.#untilLate(found, watching)
    const copying = this.#follow(log, watching)
    const ended = this.#untilOver(found, watching)
    const limitBytes = diskLimit(this.#run)
    const full = this.#diskWatch.untilFull(this.#api, this.#container, { limitBytes, signal: watching })
    try {
      const first = await Promise.race([ended, late, full, aborted(this.#options.signal)])
      if (first === 'aborted') return await this.#stopped(CANCELLED)
      if (first === 'late') return await this.#stopped(this.#tooLong())
      if (first === 'full') {
        const message = `it wrote more than its limit of ${limitBytes} bytes`
        return await this.#stopped({ reason: 'killed', message })
      }
      if (first === undefined) {
        if (this.#options.signal.aborted) return await this.#stopped(CANCELLED)
        return { kind: 'failed', cause: REMOVED }
      }
      return { kind: 'over', found: first, cause: phaseOf(first) === 'over' ? undefined : FORSAKEN }
    } finally {
      over.abort()
      await copying
    }
  }

  /** Resolves with a container that is over, or whose program is; undefined where it is gone. */
  async #untilOver(first: ContainerInspect, signal: AbortSignal): Promise<ContainerInspect | undefined> {
    this.#isProgramGone(first)
    while (!signal.aborted) {
      const within = AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)])
      try {
        const path = `/containers/${this.#container}/wait`
        await this.#api.ask({ method: 'POST', path, signal: within, waits: true })
      } catch (error) {
        if (signal.aborted) return undefined
        // A look tells more; a server that is not there is not asked in a hurry.
        await pause(LOOK_AGAIN_MS, signal)
        if (signal.aborted) return undefined
        if (!isUnanswered(error) && !hasStatus(error, 404)) await pause(LOOK_AGAIN_MS, signal)
      }
      try {
        const found = await untilAnswered(() => this.#look(signal), signal)
        if (found === undefined || phaseOf(found) === 'over' || this.#isProgramGone(found)) return found
      } catch {
        // It is looked at again.
      }
      // Whoever says that it is over while it is not is not asked in a hurry either.
      await pause(LOOK_AGAIN_MS, signal)
    }
    return undefined
  }

  /**
   * Tells whether its program has been gone for long, and notes one that is seen, for the next process of this node.
   */
  #isProgramGone(found: ContainerInspect): boolean {
    const before = this.#program.seen
    const isGone = this.#program.isGone(found)
    const pid = this.#program.seen
    if (pid !== before && this.#startedMs !== undefined && isContainerId(found.Id))
      noteContainer(this.#run.work.workDir, this.#run, { id: found.Id, startedMs: this.#startedMs, pid })
    return isGone
  }

  /** Resolves when it has run for as long as it may, counted from its start, whoever saw that. */
  async #untilLate(found: ContainerInspect, signal: AbortSignal): Promise<'late'> {
    const { timeMs } = this.#run.limits
    if (timeMs === null) return await new Promise<never>(() => undefined)
    const ranMs = Math.max(Date.now() - (startedAtMs(found) ?? Date.now()), 0)
    const endMs = (this.#startedMs ?? bootMs() - ranMs) + timeMs
    for (;;) {
      const leftMs = endMs - bootMs()
      if (leftMs <= 0) return 'late'
      await pause(Math.min(leftMs, LONGEST_TIMER_MS), signal)
      if (signal.aborted) return await new Promise<never>(() => undefined)
    }
  }

  async #follow(log: LogCopy, signal: AbortSignal): Promise<void> {
    await pause(FOLLOW_AFTER_MS, signal)
    while (!signal.aborted && !log.isFull) {
      try {
        await copyNews(this.#api, this.#container, log, signal)
      } catch {
        // Where its server is gone, it is asked again; what is not had now comes with the end.
      }
      await pause(LOOK_AGAIN_MS, signal)
    }
  }

  /**
   * Reads what is left of the log of a container that is over. A server that does not answer is waited for, as long as
   * the run is wanted; answers with false where it is left to the next start, which reads it then.
   */
  async #copyRest(log: LogCopy): Promise<boolean> {
    const late = this.#untilGivenUp()
    const giveUpMs = performance.now() + END_WITHIN_MS
    for (;;) {
      try {
        await log.copy(this.#api, this.#container, late)
        return true
      } catch (error) {
        if (late.aborted && this.#options.isLeft?.() === true) return false
        const isRefused = !isUnanswered(error) && performance.now() > giveUpMs
        if (late.aborted || hasStatus(error, 404) || isRefused) {
          await log.lose()
          return true
        }
      }
      await pause(LOOK_AGAIN_MS, late)
    }
  }

  /** Aborts at once where the run is left to the next start, and some time after it was cancelled. */
  #untilGivenUp(): AbortSignal {
    const { signal, isLeft } = this.#options
    const late = new AbortController()
    void aborted(signal).then(() => {
      if (isLeft?.() === true) late.abort()
      else setTimeout(() => late.abort(), END_WITHIN_MS).unref()
    })
    return late.signal
  }

  /** Ends it, first politely; one that is left to go on is left. */
  async #stopped(cause: EndCause): Promise<Ending> {
    if (cause === CANCELLED && this.#options.isLeft?.() === true) return { kind: 'left' }
    const query = { t: String(Math.ceil(this.#graceMs / 1000)) }
    const within = AbortSignal.timeout(END_WITHIN_MS + this.#graceMs)
    let phase: Phase | undefined
    for (;;) {
      try {
        const found = await untilAnswered(() => this.#look(), within)
        if (found === undefined) return { kind: 'failed', cause }
        phase = phaseOf(found)
        if (phase === 'over') return { kind: 'over', found, cause }
        if (phase === 'made') return { kind: 'failed', cause }
        await this.#api.ask({
          method: 'POST',
          path: `/containers/${this.#container}/stop`,
          query,
          signal: within,
          waits: true,
        })
      } catch {
        // What it wrote up to now is taken, and then it is removed.
      }
      if (within.aborted) return { kind: 'failed', cause }
      const isOver = await this.#look().then(
        (now) => now !== undefined && phaseOf(now) === 'over',
        () => false,
      )
      if (!isOver) await pause(LOOK_AGAIN_MS, within)
    }
  }

  #tooLong(): EndCause {
    const limit = formatDuration(this.#run.limits.timeMs ?? 0)
    return { reason: 'timeout', message: `it ran longer than its limit of ${limit}` }
  }
}

async function aborted(signal: AbortSignal): Promise<'aborted'> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
  return 'aborted'
}

function noteOf(ending: Exclude<Ending, { kind: 'left' }>, { limits }: EngineRun) {
  if (ending.kind === 'failed') {
    const { reason, message } = ending.cause
    return { reason, exitCode: null, signal: null, errorMessage: message, startedAtMs: null }
  }
  const { found, cause } = ending
  const began = { signal: null, startedAtMs: startedAtMs(found) }
  if (cause !== undefined) {
    return { ...began, reason: cause.reason, exitCode: null, errorMessage: cause.message }
  }
  const { OOMKilled, ExitCode, Error: fault } = found.State
  if (OOMKilled) {
    const limit = limits.memoryBytes === null ? 'there was' : `its limit of ${limits.memoryBytes} bytes`
    const message = `it used more memory than ${limit}`
    return { ...began, reason: 'memory' as const, exitCode: null, errorMessage: message }
  }
  const errorMessage =
    fault === '' || ExitCode === 0 ? killedText(found, limits) : startError(fault, limits.memoryBytes)
  return { ...began, reason: 'exited' as const, exitCode: ExitCode, errorMessage }
}

/** What it may write in all: the disk that it asked for, else as much as it may leave. */
function diskLimit({ task, limits }: EngineRun): number {
  return requestedCapacity(task.Resources).diskBytes || limits.outputBytes
}

/** Not every server hears from its kernel what it killed a program for. */
function killedText({ State }: ContainerInspect, { memoryBytes }: RunLimits): string | null {
  if (State.ExitCode !== KILLED || memoryBytes === null) return null
  return `it ended with ${KILLED}, as a program does that is killed, perhaps for using more memory than its limit of ${memoryBytes} bytes`
}

function silent(reason: OutcomeReason, errorMessage: string): EngineOutcome {
  const nothing = { stdout: '', stdoutTruncated: false, stderr: '', stderrTruncated: false }
  return { exitCode: null, signal: null, ...nothing, errorMessage, reason }
}
