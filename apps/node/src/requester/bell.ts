/** Wakes everybody who waits for news. Who remembers the count of rings misses none between looking and waiting. */
export class Bell {
  #rings = 0
  readonly #waiting = new Set<() => void>()

  /** How often it has rung. */
  get rings(): number {
    return this.#rings
  }

  /** Wakes everybody who waits. */
  ring(): void {
    this.#rings++
    for (const wake of this.#waiting) wake()
  }

  /** Resolves as soon as it has rung more often than `seen`, after `maxMs`, or when the signal aborts. Never rejects. */
  async wait(seen: number, maxMs: number, signal: AbortSignal): Promise<void> {
    if (this.#rings > seen || signal.aborted || maxMs <= 0) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, Math.min(maxMs, LONGEST_TIMER_MS))
      signal.addEventListener('abort', wake, { once: true })
      this.#waiting.add(wake)
    })
  }
}

// A longer timer overflows and fires at once.
const LONGEST_TIMER_MS = 2_147_483_647
