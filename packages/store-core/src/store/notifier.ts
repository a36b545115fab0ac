/** Wakes those who wait for the next change in this process. */
export class Notifier {
  #waiting = new Set<() => void>()

  /** Wakes everyone who waits now. */
  notify(): void {
    const waiting = this.#waiting
    if (waiting.size === 0) return
    this.#waiting = new Set()
    for (const wake of waiting) wake()
  }

  /** Resolves at the next change, after `pollMs`, or when the signal aborts, whichever comes first. */
  wait(pollMs: number | null, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined
      const wake = () => {
        this.#waiting.delete(wake)
        if (timer !== undefined) clearTimeout(timer)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal?.addEventListener('abort', wake, { once: true })
      if (pollMs !== null) timer = setTimeout(wake, pollMs)
    })
  }
}
