import { setTimeout as delay } from 'node:timers/promises'

/** A longer timer overflows and fires at once. */
export const LONGEST_TIMER_MS = 2_147_483_647

/** Waits; resolves early when the signal aborts. Never rejects. With `ref: false` it keeps no process alive. */
export async function pause(
  ms: number,
  signal: AbortSignal | undefined,
  { ref = true }: { readonly ref?: boolean } = {},
): Promise<void> {
  try {
    await delay(Math.min(ms, LONGEST_TIMER_MS), undefined, signal === undefined ? { ref } : { signal, ref })
  } catch {
    // Whoever waits looks at the signal.
  }
}
