import type { StateCount } from '@saltcod/store-core'
import type { Limits } from './rule.ts'

/** A record that ended, as far as limits look at it. */
export interface Finished {
  readonly finishedAtMs: number
  readonly bytes: number
}

/**
 * The records of one namespace and state, looked at oldest first. What is to go is always the oldest part, so
 * the totals that the store counts are enough: nothing that stays is ever read.
 */
export class Budget {
  readonly #limits: Limits
  readonly #nowMs: number
  #records: number
  #bytes: number

  constructor(limits: Limits, totals: Pick<StateCount, 'records' | 'bytes' | 'damaged'>, nowMs: number) {
    this.#limits = limits
    this.#nowMs = nowMs
    // Compared with what is not known, nothing is too many, and nothing is over: age alone decides.
    this.#records = totals.damaged === true ? Number.NaN : totals.records
    this.#bytes = totals.damaged === true ? Number.NaN : totals.bytes
  }

  /**
   * Looks at the next record. Returns for how long it should have been gone, at most, in milliseconds; `null`
   * where it stays. Since when a record is too many is not known, so its whole age counts then.
   */
  judge({ finishedAtMs, bytes }: Finished): number | null {
    const ageMs = this.#nowMs - finishedAtMs
    const { maxAgeMs } = this.#limits
    const tooMany = this.#hasTooMany()
    this.#records -= 1
    this.#bytes -= bytes
    if (ageMs >= maxAgeMs) return Math.max(0, ageMs - maxAgeMs)
    return tooMany ? Math.max(0, ageMs) : null
  }

  /** Tells whether no record that ended at a time or later is to go. */
  isClosed(finishedAtMs: number): boolean {
    if (this.#records <= 0) return true
    return !this.#hasTooMany() && this.#nowMs - finishedAtMs < this.#limits.maxAgeMs
  }

  #hasTooMany(): boolean {
    return this.#records > this.#limits.maxCount || this.#bytes > this.#limits.maxBytes
  }
}
