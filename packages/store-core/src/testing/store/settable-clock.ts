/** When the clock of a test begins, in milliseconds since 1970. */
export const START_MS: number = 1_700_000_000_000

/** A clock that stands still until a test moves it. Its {@link SettableClock.read} is handed to the store. */
export class SettableClock {
  #nowMs = START_MS

  /** Tells the time. */
  readonly read = (): number => this.#nowMs

  /** Moves the clock, also backwards, and returns the new time. */
  step(byMs: number): number {
    this.#nowMs += byMs
    return this.#nowMs
  }

  /** Sets the clock. */
  set(nowMs: number): void {
    this.#nowMs = nowMs
  }
}
