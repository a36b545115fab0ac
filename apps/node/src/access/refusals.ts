import type { Logger } from 'pino'

/** Why somebody was refused. */
export type RefusalReason =
  | 'no-token'
  | 'wrong-token'
  | 'expired'
  | 'revoked'
  | 'role'
  | 'not-a-member'
  | 'limit'

const LOGGED_EVERY_MS = 60_000
/** Of more peers at a time only the number is kept. */
const MOST_PEERS = 1_000

interface Silence {
  readonly sinceMs: number
  /** Those that were not logged. */
  more: number
}

/** Counts what is refused, and logs it once for each peer and minute, so that nobody fills a disk by asking. */
export class Refusals {
  readonly #log: Logger
  readonly #passed: () => number
  readonly #counts = new Map<RefusalReason, number>()
  readonly #silences = new Map<string, Silence>()

  /** `passed` tells the time that passes, in milliseconds. */
  constructor(log: Logger, passed: () => number = () => performance.now()) {
    this.#log = log
    this.#passed = passed
  }

  /** How much was refused, by why. */
  counts(): Iterable<readonly [RefusalReason, number]> {
    return this.#counts
  }

  /** Notes that somebody was refused; `what` is for people and holds no secret. */
  note(peer: string, reason: RefusalReason, what: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
    this.#forgetOld()
    const known = this.#silences.has(peer) || this.#silences.size < MOST_PEERS
    const key = known ? peer : 'others'
    const silence = this.#silences.get(key)
    if (silence !== undefined && this.#passed() - silence.sinceMs < LOGGED_EVERY_MS) {
      silence.more += 1
      return
    }
    this.#silences.delete(key)
    this.#silences.set(key, { sinceMs: this.#passed(), more: 0 })
    const unlogged = silence?.more ?? 0
    this.#log.warn(
      { peer: key, reason, ...(unlogged === 0 ? {} : { moreInTheMinuteBefore: unlogged }) },
      `refused: ${what}; what else this peer is refused within a minute is counted alone`,
    )
  }

  /** The oldest come first. One with more to tell tells it where it is refused again, or with what others are. */
  #forgetOld(): void {
    const untilMs = this.#passed() - 2 * LOGGED_EVERY_MS
    for (const [peer, { sinceMs }] of this.#silences) {
      if (sinceMs > untilMs) return
      this.#silences.delete(peer)
    }
  }
}
