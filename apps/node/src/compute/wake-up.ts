/** Lets one loop sleep until somebody has work for it; a call while nobody sleeps is not lost. */
export class WakeUp {
  #called = false
  #resolve: (() => void) | undefined

  /** Ends the present sleep, or the next one at once. */
  call(): void {
    this.#called = true
    this.#resolve?.()
  }

  /** Resolves at the next call, after `maxMs`, or when the signal aborts. Never rejects. */
  async sleep(maxMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#called && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(maxMs, LONGEST_TIMER_MS))
        this.#resolve = (): void => {
          clearTimeout(timer)
          resolve()
        }
        signal.addEventListener('abort', this.#resolve, { once: true })
      })
      if (this.#resolve !== undefined) signal.removeEventListener('abort', this.#resolve)
      this.#resolve = undefined
    }
    this.#called = false
  }
}

// A longer timer overflows and fires at once.
const LONGEST_TIMER_MS = 2_147_483_647
