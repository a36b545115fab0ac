import type { Logger } from 'pino'
import type { Link } from '../link/link.ts'
import { isLinkError, type LinkError } from '../link/link-error.ts'

/** What keeps a node from its requester, or waits until it is clear which of two nodes it is. */
const NOT_REACHED = [
  'LINK_CLOSED',
  'LINK_SILENT',
  'LINK_GARBLED',
  'LINK_INVALID',
  'LINK_REFUSED',
  'LINK_UNJOINED',
  'LINK_UNTRUSTED',
  'LINK_VERSION',
  'LINK_TAKEN',
] as const

/** What may be there for as long as nobody looks at it. */
const MISTAKES = ['LINK_GARBLED', 'LINK_INVALID', 'LINK_UNTRUSTED', 'LINK_VERSION'] as const

/** How a node stands to its requester. */
export interface LinkStanding {
  /**
   * `waiting` until the first answer, `lost` while none comes after that, `refused` where one side refuses the other.
   */
  readonly state: 'waiting' | 'connected' | 'lost' | 'refused'
  /** Since when, in milliseconds since 1970. */
  readonly sinceMs: number
  /** When it answered last, in milliseconds since 1970; `null` for never. */
  readonly heardAtMs: number | null
  /** Why it is not connected; `null` where it is, or nothing was tried yet. */
  readonly reason: string | null
  /** How often the requester was lost and found again. */
  readonly reconnects: number
}

/** Tells once that a requester is lost, and once that it is back, and how a node stands to it. */
export class LinkWatch {
  readonly #log: Logger
  readonly #clock: () => number
  #standing: Omit<LinkStanding, 'heardAtMs'>
  #heardAtMs: number | null = null
  /** The code of the newest failure that was logged. */
  #told: string | null = null

  constructor(log: Logger, clock: () => number) {
    this.#log = log
    this.#clock = clock
    this.#standing = { state: 'waiting', sinceMs: clock(), reason: null, reconnects: 0 }
  }

  get standing(): LinkStanding {
    return { ...this.#standing, heardAtMs: this.#heardAtMs }
  }

  /** Returns a link that is watched. */
  over(link: Link): Link {
    const watched = async <T>(answer: Promise<T>, signal?: AbortSignal): Promise<T> => {
      try {
        const answered = await answer
        if (signal?.aborted !== true) this.#reached()
        return answered
      } catch (error) {
        if (signal?.aborted !== true) this.#failed(error)
        throw error
      }
    }
    return {
      // Whether it is taken is known when the answer was looked at.
      handshake: (request) => watched(link.handshake(request)),
      poll: (request, signal) => watched(link.poll(request, signal), signal),
      acknowledge: (request) => watched(link.acknowledge(request)),
      report: (request) => watched(link.report(request)),
      heartbeat: (request) => watched(link.heartbeat(request)),
      demands: (request, signal) => watched(link.demands(request, signal), signal),
      // One that breaks off says nothing: its reader may have gone.
      supply: (request, open, signal) => link.supply(request, open, signal),
    }
  }

  /** Notes why one side refuses the other. */
  refused(reason: string): void {
    if (this.#standing.state !== 'refused' || this.#standing.reason !== reason)
      this.#log.error({ reason }, 'this node and its requester do not work together; trying again')
    this.#enter('refused', reason)
  }

  /** Notes that a handshake was taken by both sides. */
  agreed(): void {
    this.#enter('connected', null)
  }

  #reached(): void {
    this.#heardAtMs = this.#clock()
    const { state, sinceMs } = this.#standing
    if (state !== 'lost') return
    this.#log.info({ awayMs: this.#clock() - sinceMs }, 'the requester is reached again')
    this.#enter('connected', null, 1)
  }

  #failed(error: unknown): void {
    const { state, reason } = this.#standing
    if (!isLinkError(error, ...NOT_REACHED)) return
    if (state === 'refused') return
    const isFirst = state === 'connected' || reason === null
    if (!isFirst && !this.#isMistake(error)) return
    this.#told = error.code
    const told = { code: error.code, reason: error.message }
    if (state === 'waiting') this.#log.warn(told, 'the requester does not answer yet; no work begins before')
    else this.#log.warn(told, 'the requester is not reached; what runs goes on, and it is tried again')
    this.#enter(state === 'waiting' ? 'waiting' : 'lost', error.message)
  }

  /** What is wrong with what answers in its place is told once more behind that nobody answered. */
  #isMistake(error: LinkError): boolean {
    return isLinkError(error, ...MISTAKES) && error.code !== this.#told
  }

  #enter(state: LinkStanding['state'], reason: string | null, reconnects = 0): void {
    const standing = this.#standing
    if (standing.state === state && standing.reason === reason) return
    const sinceMs = standing.state === state ? standing.sinceMs : this.#clock()
    this.#standing = { state, sinceMs, reason, reconnects: standing.reconnects + reconnects }
  }
}
