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
export class Bucket {
  readonly #limits: Limits
  readonly #nowMs: number
  #records: number
  #bytes: number

  constructor(limits: Limits, totals: { readonly records: number; readonly bytes: number }, nowMs: number) {
    this.#limits = limits
    this.#nowMs = nowMs
    this.#records = totals.records
    this.#bytes = totals.bytes
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
