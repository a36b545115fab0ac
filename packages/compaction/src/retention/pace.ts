import { setImmediate, setTimeout } from 'node:timers/promises'

import type { Fields } from '@saltcod/store-core/backend'

/** How fast work in the background goes. */
export interface PaceOptions {
  /** Ends the work between two batches; what was done stays done. */
  readonly signal?: AbortSignal
  /** The most records a second. Default: no limit; the store gives background writes a quarter of its time anyway. */
  readonly recordsPerSecond?: number
}

/** The fields of {@link PaceOptions}. */
export const PACE_FIELDS: Fields<PaceOptions> = { signal: true, recordsPerSecond: true }

/** Lets others have their turn between batches. */
export class Pace {
  readonly #options: PaceOptions
  #sinceMs = performance.now()

  constructor(options: PaceOptions) {
    const { recordsPerSecond } = options
    if (recordsPerSecond !== undefined && !(recordsPerSecond > 0)) {
      throw new TypeError(`recordsPerSecond is ${recordsPerSecond}; give a number above 0`)
    }
    this.#options = options
  }

  get aborted(): boolean {
    return this.#options.signal?.aborted === true
  }

  /** Waits after a batch until the next one may begin; returns at once when aborted. */
  async rest(records: number): Promise<void> {
    const { signal, recordsPerSecond } = this.#options
    await setImmediate()
    if (recordsPerSecond !== undefined) {
      const restMs = (records / recordsPerSecond) * 1_000 - (performance.now() - this.#sinceMs)
      if (restMs > 0) {
        await setTimeout(restMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      }
    }
    this.#sinceMs = performance.now()
  }
}
