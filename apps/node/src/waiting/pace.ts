import { pause } from './pause.ts'

/** Who waited for so long was asked to, and has answered that there is nothing. */
const WAITED_MS = 1_000
const FIRST_REST_MS = 50
const LONGEST_REST_MS = 2_000

/**
 * How often somebody is asked who is meant to wait until there is something: one who says at once that there is
 * nothing would be asked without a pause. Each such answer in a row is followed by a longer rest.
 */
export class Pace {
  readonly #passed: () => number
  #askedMs: number
  #restMs = 0

  /** `passed` tells the time that passes, in milliseconds. */
  constructor(passed: () => number = () => performance.now()) {
    this.#passed = passed
    this.#askedMs = passed()
  }

  /** Notes that it is asked now. */
  begin(): void {
    this.#askedMs = this.#passed()
  }

  /** Resolves when it may be asked again, or the signal aborts; `isNews` tells whether something was answered. */
  async rest(isNews: boolean, signal: AbortSignal): Promise<void> {
    if (isNews || this.#passed() - this.#askedMs >= WAITED_MS) {
      this.#restMs = 0
      return
    }
    this.#restMs = this.#restMs === 0 ? FIRST_REST_MS : Math.min(this.#restMs * 2, LONGEST_REST_MS)
    await pause(this.#restMs, signal)
  }
}
