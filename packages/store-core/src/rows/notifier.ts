/** A wait that has begun. */
export interface Wait {
  readonly over: Promise<void>
  /** Ends the wait and leaves nothing behind. */
  readonly end: () => void
}

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

  /** Begins to wait: for the next change, for `pollMs`, or for the signal to abort, whichever comes first. */
  wait(pollMs: number | null, signal: AbortSignal | undefined): Wait {
    let timer: NodeJS.Timeout | undefined
    let end: () => void = () => undefined
    const over = new Promise<void>((resolve) => {
      end = () => {
        this.#waiting.delete(end)
        if (timer !== undefined) clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        resolve()
      }
    })
    this.#waiting.add(end)
    signal?.addEventListener('abort', end, { once: true })
    if (pollMs !== null) timer = setTimeout(end, pollMs)
    return { over, end }
  }
}
