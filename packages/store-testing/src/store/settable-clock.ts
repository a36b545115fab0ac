/** When the clock of a test begins, in milliseconds since 1970. */
export const START_MS: number = 1_700_000_000_000

/**
 * A clock that stands still until a test moves it. Its {@link SettableClock.read} and {@link SettableClock.passed} are
 * handed to the store.
 */
export class SettableClock {
  #nowMs = START_MS
  #passedMs = 0

  /** Tells the time. */
  readonly read = (): number => this.#nowMs

  /** Tells how much time has passed, however the clock was set. */
  readonly passed = (): number => this.#passedMs

  /** Lets time pass, or moves the clock back, and returns the new time. */
  step(byMs: number): number {
    this.#nowMs += byMs
    this.#passedMs += Math.max(0, byMs)
    return this.#nowMs
  }

  /** Sets the clock forward or back while no time passes, and returns the new time. */
  jump(byMs: number): number {
    this.#nowMs += byMs
    return this.#nowMs
  }

  /** Sets the clock. */
  set(nowMs: number): void {
    this.#nowMs = nowMs
  }
}
