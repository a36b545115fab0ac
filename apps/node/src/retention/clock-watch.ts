import { MAX_CLOCK_STEP_MS } from '@saltcod/compaction'

/** Both clocks of a moment: the one that can be set, and the one that only goes on. */
interface Moment {
  readonly wallMs: number
  readonly steadyMs: number
}

/** Notices when the wall clock was set by more than a day while the node was running. */
export class ClockWatch {
  readonly #now: () => Moment
  #last: Moment | null = null

  constructor(clock: () => number) {
    this.#now = () => ({ wallMs: clock(), steadyMs: performance.now() })
  }

  /** Whether the clock was trusted once and has not been set since; looks at it. */
  isSteady(): boolean {
    if (this.#last === null) return false
    const { wallMs, steadyMs } = this.#now()
    const stepMs = wallMs - this.#last.wallMs - (steadyMs - this.#last.steadyMs)
    if (Math.abs(stepMs) > MAX_CLOCK_STEP_MS) return false
    this.#last = { wallMs, steadyMs }
    return true
  }

  /** Takes the clock as it is now for right. */
  trust(): void {
    this.#last = this.#now()
  }
}
