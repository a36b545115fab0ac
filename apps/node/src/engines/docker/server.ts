import { isUnanswered, oneLine, SocketApi } from './socket-api.ts'
import { type SocketPlaces, socketPlaces } from './socket-place.ts'

/** A server that was there is waited for so long, since it may only be restarted. */
export const SERVER_PATIENCE_MS = 60_000
const PROBE_MS = 10_000
/** An answer is good for so long; many jobs ask at once. */
const FRESH_MS = 1_000
const REMEDY = 'start Docker or Podman there, or name another socket by Engines.Docker.Socket'

/** A server that answers, and what it says of itself. */
export interface Server {
  readonly api: SocketApi
  /** Such as `Podman 4.3.1`. */
  readonly name: string
}

interface VersionAnswer {
  readonly Version?: string
  readonly Components?: readonly { readonly Name?: string }[]
}

/** Finds the server of containers of this machine, and finds it again where it was restarted. */
export class ServerFinder {
  readonly #places: SocketPlaces
  readonly #apis = new Map<string, SocketApi>()
  #found: { readonly atMs: number; readonly answer: Promise<Server | string> } | undefined
  #answeredMs = Number.NEGATIVE_INFINITY
  #lastName = ''

  constructor(places: SocketPlaces) {
    this.#places = places
  }

  /** Answers with the server, or why there is none. */
  async find(): Promise<Server | string> {
    const nowMs = performance.now()
    if (this.#found === undefined || nowMs - this.#found.atMs > FRESH_MS) {
      this.#found = { atMs: nowMs, answer: this.#look() }
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
      const found = await probe(api)
      if (typeof found !== 'string') {
        this.#answeredMs = performance.now()
        this.#lastName = found.name
        return found
      }
      problem ||= found
    }
    return problem
  }
}

/** Answers with the server at a socket, or what is wrong there and what can be done. */
async function probe(api: SocketApi): Promise<Server | string> {
  const { socketPath } = api
  const signal = AbortSignal.timeout(PROBE_MS)
  try {
    const version = await api.ask<VersionAnswer | undefined>({ path: '/version', signal })
    if (typeof version?.Version === 'string') return { api, name: nameOf(version) }
  } catch (error) {
    if (signal.aborted) return `${socketPath} does not answer within ${PROBE_MS / 1000} seconds; ${REMEDY}`
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined
    const { code } = (cause ?? {}) as { readonly code?: unknown }
    if (code === 'EACCES' || code === 'EPERM') {
      return `the user of the node may not use ${socketPath}; put it into the group of that socket, or name another one by Engines.Docker.Socket`
    }
    if (isUnanswered(error)) return `${oneLine(error)}; ${REMEDY}`
  }
  return `what answers at ${socketPath} is no Docker and no Podman; ${REMEDY}`
}

function nameOf({ Version = '', Components }: VersionAnswer): string {
  const isPodman =
    Array.isArray(Components) && Components.some(({ Name }) => Name?.startsWith('Podman') === true)
  return `${isPodman ? 'Podman' : 'Docker'} ${Version}`.trim()
}
