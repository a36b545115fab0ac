import { setTimeout as delay } from 'node:timers/promises'

/** Waits; resolves early when the signal aborts. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch {
    // Whoever waits looks at the signal.
  }
}
