import { performance } from 'node:perf_hooks'
// Imported and not taken from the global object, so that a test's fake timers do not stop the store.
import { setImmediate, setTimeout } from 'node:timers/promises'

/** What one stretch of work may take while others wait for the same thread, and while nobody does. */
const BUSY_SLICE_MS = 2
const IDLE_SLICE_MS = 10

/** A rest takes so many times what the work before it took, which leaves it a quarter of the time. */
const REST_FACTOR = 3

/** Grows or shrinks the stretches at most so fast. */
const MAX_CHANGE = 2

/** Divides work into short stretches, with rests between them while writers are busy. */
export class WorkPace {
  readonly #turns: () => number
  readonly #maxUnits: number
  #units: number
  #seenTurns: number
  /** Whether rests are left out, because the work would never come to an end. */
  hurried = false

  /** `turns` counts what writers did; `firstUnits` and `maxUnits` limit one stretch. */
  constructor(turns: () => number, firstUnits: number, maxUnits: number) {
    this.#turns = turns
    this.#units = firstUnits
    this.#maxUnits = maxUnits
    this.#seenTurns = turns()
  }

  /** How many units the next stretch may have. */
  get units(): number {
    return Math.floor(this.#units)
  }

  /** Does one stretch, then lets others have their turn. */
  async run<T>(work: () => T): Promise<T> {
    const startedAt = performance.now()
    const result = work()
    const tookMs = Math.max(performance.now() - startedAt, 0.01)
    const busy = this.#turns() !== this.#seenTurns
    this.#seenTurns = this.#turns()
    const wanted = (busy ? BUSY_SLICE_MS : IDLE_SLICE_MS) / tookMs
    const change = Math.min(Math.max(wanted, 1 / MAX_CHANGE), MAX_CHANGE)
    this.#units = Math.min(Math.max(this.#units * change, 1), this.#maxUnits)
    const restsAt = performance.now()
    await setImmediate()
    const leftMs = tookMs * REST_FACTOR - (performance.now() - restsAt)
    if (busy && !this.hurried && leftMs > 0) await setTimeout(leftMs)
    return result
  }
}
