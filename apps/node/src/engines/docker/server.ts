import { listOf, objectOf, textOf } from './said.ts'
import { isUnanswered, oneLine, SocketApi } from './socket-api.ts'
import { hiddenPlaces, isOtherNamed, type SocketPlaces, socketPlaces } from './socket-place.ts'

/** A server that was there is waited for so long, since it may only be restarted. */
export const SERVER_PATIENCE_MS = 60_000
const DEFAULT_PROBE_MS = 10_000
/** An answer is good for so long; many jobs ask at once. */
const FRESH_MS = 1_000
const LONGEST_VERSION = 64
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

/**
 * Finds the server of containers of this machine, and finds it again where it was restarted: another one, as Podman
 * beside Docker, knows nothing of its containers and images, and does not take its place meanwhile.
 */
export class ServerFinder {
  readonly #places: SocketPlaces
  readonly #probeMs: number
  readonly #apis = new Map<string, SocketApi>()
  readonly #known = new Map<SocketApi, Server>()
  #found: { atMs: number; readonly answer: Promise<Server | string> } | undefined
  #answeredMs = Number.NEGATIVE_INFINITY
  /** The server that answered last, in the order of time. */
  #last: Server | undefined

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

  /**
   * Answers with the server of one socket, whatever others answer. Where the operator has named another socket since,
   * and nobody answers there, that one is as good as any.
   */
  async findAt(socketPath: string): Promise<Server | string> {
    const found = await this.#probe(this.#apiAt(socketPath))
    if (typeof found !== 'string' || !isOtherNamed(this.#places, socketPath)) return found
    return await this.find()
  }

  /** Says why there is none; `null` where there is one, or was a moment ago, so that it is worth waiting for. */
  async missing(): Promise<string | null> {
    const found = await this.find()
    const isAway = typeof found === 'string' && performance.now() - this.#answeredMs > SERVER_PATIENCE_MS
    return isAway ? found : null
  }

  /** What the server that answered last said of itself; empty where none has. */
  get lastName(): string {
    return this.#last?.name ?? ''
  }

  /** Closes its connections. */
  close(): void {
    for (const api of this.#apis.values()) api.close()
  }

  async #look(): Promise<Server | string> {
    const last = this.#last
    if (last !== undefined) {
      const found = await this.#take(last.api)
      if (typeof found !== 'string' || performance.now() - this.#answeredMs <= SERVER_PATIENCE_MS)
        return found
    }
    const places = socketPlaces(this.#places)
    if (typeof places === 'string') return places
    if (places.length === 0) return noneFound(hiddenPlaces(this.#places))
    let problem = ''
    for (const place of places) {
      const found = await this.#take(this.#apiAt(place))
      if (typeof found !== 'string') return found
      problem ||= found
    }
    return problem
  }

  #apiAt(socketPath: string): SocketApi {
    const api = this.#apis.get(socketPath) ?? new SocketApi(socketPath)
    this.#apis.set(socketPath, api)
    return api
  }

  async #take(api: SocketApi): Promise<Server | string> {
    const found = await this.#probe(api)
    if (typeof found === 'string') return found
    this.#answeredMs = performance.now()
    this.#last = found
    return found
  }

  async #probe(api: SocketApi): Promise<Server | string> {
    const found = await probe(api, { known: this.#known.get(api), probeMs: this.#probeMs })
    if (typeof found === 'string') this.#known.delete(api)
    else this.#known.set(api, found)
    return found
  }
}

function noneFound(hidden: readonly string[]): string {
  const remedy =
    'start one (systemctl start docker or podman.socket, or podman system service -t 0), or name it by Engines.Docker.Socket'
  if (hidden.length === 0) return `no socket of Docker or Podman was found; ${remedy}`
  return `no socket of Docker or Podman was found that the user of the node may use: it may not look at ${hidden.join(', ')}; ${remedy}`
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
    const { Version, Components } = objectOf(await api.ask<unknown>({ path: '/version', signal }))
    if (typeof Version === 'string') return { api, name: nameOf(Version, Components) }
    return problemOf(undefined, api)
  } catch (error) {
    return signal.aborted ? slowText(api, probeMs) : problemOf(error, api)
  }
}

/** Reads `Docker/24.0.5 (linux)` or `Libpod/4.3.1 (linux)`; undefined where it is neither. */
function nameInHeader(header: string): string | undefined {
  const [, program, version = ''] = /^(Docker|Libpod)\/(\S+)/.exec(header) ?? []
  return program === undefined ? undefined : shownName(program === 'Docker' ? program : 'Podman', version)
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

function nameOf(version: string, components: unknown): string {
  const isPodman = listOf(components).some((one) => textOf(objectOf(one)['Name']).startsWith('Podman'))
  return shownName(isPodman ? 'Podman' : 'Docker', version)
}

/** A version is shown to many, and may be anything. */
function shownName(program: string, version: string): string {
  return `${program} ${version.replace(/[^\w.+-]/g, '-').slice(0, LONGEST_VERSION)}`.trim()
}
