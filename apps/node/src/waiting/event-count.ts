import { LONGEST_TIMER_MS } from './pause.ts'

/**
 * An event count: what happens is counted, and whoever has seen the count up to some number waits for more. Taken
 * before one looks whether there is something to do, the number makes sure that nothing is missed between looking and
 * waiting.
 */
export class EventCount {
  #count = 0
  readonly #waiting = new Set<() => void>()

  /** How often it has happened. */
  get count(): number {
    return this.#count
  }

  /** Counts one more, and wakes everybody who waits. */
  advance(): void {
    this.#count++
    for (const wake of this.#waiting) wake()
  }

  /**
   * Resolves as soon as more than `seen` have been counted, after `maxMs`, or when the signal aborts. Never rejects.
   */
  async wait(
    seen: number,
    {
      maxMs = Number.POSITIVE_INFINITY,
      signal,
    }: { readonly maxMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    if (this.#count > seen || signal?.aborted === true || maxMs <= 0) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer =
        maxMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(wake, Math.min(maxMs, LONGEST_TIMER_MS))
      signal?.addEventListener('abort', wake, { once: true })
      this.#waiting.add(wake)
    })
  }
}
