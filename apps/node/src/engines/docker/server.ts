import { isUnanswered, oneLine, SocketApi } from './socket-api.ts'
import { type SocketPlaces, socketPlaces } from './socket-place.ts'

/** A server that was there is waited for so long, since it may only be restarted. */
export const SERVER_PATIENCE_MS = 60_000
const DEFAULT_PROBE_MS = 10_000
/** An answer is good for so long; many jobs ask at once. */
const FRESH_MS = 1_000
const REMEDY = 'start Docker or Podman there, or name another socket by Engines.Docker.Socket'

/** A server that answers, and what it says of itself. */
export interface Server {
  readonly api: SocketApi
  /** Such as `Podman 4.3.1`. */
  readonly name: string
}

/** Tells whether a server is Docker itself, and not another that speaks its API. */
export function isDocker({ name }: Server): boolean {
  return name.startsWith('Docker')
}

interface VersionAnswer {
  readonly Version?: string
  readonly Components?: readonly { readonly Name?: string }[]
}

/** Finds the server of containers of this machine, and finds it again where it was restarted. */
export class ServerFinder {
  readonly #places: SocketPlaces
  readonly #probeMs: number
  readonly #apis = new Map<string, SocketApi>()
  readonly #known = new Map<SocketApi, Server>()
  #found: { atMs: number; readonly answer: Promise<Server | string> } | undefined
  #answeredMs = Number.NEGATIVE_INFINITY
  #lastName = ''

  /** One that does not answer for `probeMs` is none. */
  constructor(places: SocketPlaces, probeMs: number = DEFAULT_PROBE_MS) {
    this.#places = places
    this.#probeMs = probeMs
  }

  /** Answers with the server, or why there is none. */
  async find(): Promise<Server | string> {
    const nowMs = performance.now()
    if (this.#found === undefined || nowMs - this.#found.atMs > FRESH_MS) {
      const found = { atMs: Number.POSITIVE_INFINITY, answer: this.#look() }
      found.answer = found.answer.finally(() => {
        found.atMs = performance.now()
      })
      this.#found = found
    }
    return await this.#found.answer
  }

  /** Says why there is none; `null` where there is one, or was a moment ago, so that it is worth waiting for. */
  async missing(): Promise<string | null> {
    const found = await this.find()
    const isAway = typeof found === 'string' && performance.now() - this.#answeredMs > SERVER_PATIENCE_MS
    return isAway ? found : null
  }

  /** What the server that answered last said of itself; empty where none has. */
  get lastName(): string {
    return this.#lastName
  }

  /** Closes its connections. */
  close(): void {
    for (const api of this.#apis.values()) api.close()
  }

  async #look(): Promise<Server | string> {
    const places = socketPlaces(this.#places)
    if (typeof places === 'string') return places
    const [first] = places
    if (first === undefined) {
      return 'no socket of Docker or Podman was found; start one (systemctl start docker, or podman system service), or name it by Engines.Docker.Socket'
    }
    let problem = ''
    for (const place of places) {
      const api = this.#apis.get(place) ?? new SocketApi(place)
      this.#apis.set(place, api)
      const found = await this.#probe(api)
      if (typeof found !== 'string') {
        this.#answeredMs = performance.now()
        this.#lastName = found.name
        return found
      }
      problem ||= found
    }
    return problem
  }

  async #probe(api: SocketApi): Promise<Server | string> {
    const found = await probe(api, { known: this.#known.get(api), probeMs: this.#probeMs })
    if (typeof found === 'string') this.#known.delete(api)
    else this.#known.set(api, found)
    return found
  }
}

interface Probing {
  /** What has answered there before. */
  readonly known: Server | undefined
  readonly probeMs: number
}

/** Answers with the server at a socket, or what is wrong there and what can be done. */
async function probe(api: SocketApi, { known, probeMs }: Probing): Promise<Server | string> {
  const signal = AbortSignal.timeout(probeMs)
  try {
    const answer = await api.open({ path: '/_ping', signal })
    answer.on('error', () => undefined).resume()
    if (known !== undefined) return known
    const name = nameInHeader(String(answer.headers['server']))
    if (name !== undefined) return { api, name }
    // Podman starts programs to tell its version, which takes long on a machine with much to do.
    const version = await api.ask<VersionAnswer | undefined>({ path: '/version', signal })
    if (typeof version?.Version === 'string') return { api, name: nameOf(version) }
    return problemOf(undefined, api)
  } catch (error) {
    return signal.aborted ? slowText(api, probeMs) : problemOf(error, api)
  }
}

/** Reads `Docker/24.0.5 (linux)` or `Libpod/4.3.1 (linux)`; undefined where it is neither. */
function nameInHeader(header: string): string | undefined {
  const [, program, version] = /^(Docker|Libpod)\/(\S+)/.exec(header) ?? []
  return program === undefined ? undefined : `${program === 'Docker' ? program : 'Podman'} ${version}`
}

function slowText({ socketPath }: SocketApi, probeMs: number): string {
  return `${socketPath} does not answer within ${probeMs / 1000} seconds; ${REMEDY}`
}

/** Says what is wrong at a socket, and what can be done. */
function problemOf(error: unknown, { socketPath }: SocketApi): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined
  const { code } = (cause ?? {}) as { readonly code?: unknown }
  if (code === 'EACCES' || code === 'EPERM') {
    return `the user of the node may not use ${socketPath}; put it into the group of that socket, or name another one by Engines.Docker.Socket`
  }
  if (isUnanswered(error)) return `${oneLine(error)}; ${REMEDY}`
  return `what answers at ${socketPath} is no Docker and no Podman; ${REMEDY}`
}

function nameOf({ Version = '', Components }: VersionAnswer): string {
  const isPodman =
    Array.isArray(Components) && Components.some(({ Name }) => Name?.startsWith('Podman') === true)
  return `${isPodman ? 'Podman' : 'Docker'} ${Version}`.trim()
}
