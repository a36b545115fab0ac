import { type Clock, wholeMs } from './clock.ts'

/**
 * A clock that is off by more than this from what has passed was set; by less it was slewed, or asked between two
 * ticks.
 */
export const CLOCK_STEP_MS = 1_000

/**
 * A moment by two clocks: the one that can be set, and one that only goes on. What somebody waits for is stored by the
 * second, so that it comes when it should however the first is set.
 */
export interface Moment {
  readonly nowMs: number
  readonly steadyMs: number
}

/**
 * Notices at each look when its clock was set since the last one. Against `passed`, which tells the time that passes
 * from any beginning, every step shows; without that only those back do.
 */
export class SteadyClock {
  readonly #clock: Clock
  readonly #passed: Clock | undefined
  #lastMs: number
  #lastPassedMs: number
  #aheadMs: number

  /** `aheadMs` is by how much steady time is ahead at the beginning. */
  constructor(clock: Clock, passed: Clock | undefined, aheadMs: number) {
    this.#clock = wholeMs(clock)
    this.#passed = passed
    this.#lastMs = this.#clock()
    this.#lastPassedMs = passed?.() ?? 0
    this.#aheadMs = aheadMs
  }

  /** Tells the time. Throws `TypeError` where the clock gives none. */
  read(): Moment {
    const nowMs = this.#clock()
    const wentMs = nowMs - this.#lastMs
    const passedMs = this.#passed?.() ?? this.#lastPassedMs + Math.max(0, wentMs)
    const stepMs = Math.round(wentMs - (passedMs - this.#lastPassedMs))
    if (Math.abs(stepMs) > CLOCK_STEP_MS) this.#aheadMs -= stepMs
    this.#lastMs = nowMs
    this.#lastPassedMs = passedMs
    return { nowMs, steadyMs: nowMs + this.#aheadMs }
  }
}

/** Returns by how much steady time is ahead of the clock at a moment. */
export function aheadOf({ nowMs, steadyMs }: Moment): number {
  return steadyMs - nowMs
}

/**
 * Returns the steady time of what the clock tells, or with a negative number of milliseconds the other way; a time at
 * the end of all stays there.
 */
export function shiftTime(atMs: number, aheadMs: number): number {
  return Math.min(atMs + aheadMs, Number.MAX_SAFE_INTEGER)
}
