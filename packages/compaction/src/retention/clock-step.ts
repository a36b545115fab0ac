import type { DurableStore } from '@saltcod/store-core'

/** The largest difference between the clock and the store's newest change that is taken for granted. */
export const MAX_CLOCK_STEP_MS: number = 86_400_000

/** A clock that is far from the time of the store's newest change. */
export interface ClockStep {
  readonly nowMs: number
  readonly lastChangeAtMs: number
}

/**
 * Compares the clock with the newest change of a store. Returns how they differ where it is more than a day, in
 * either direction; `null` otherwise, and for a store that was never changed.
 */
export async function findClockStep(
  store: Pick<DurableStore, 'info'>,
  nowMs: number,
): Promise<ClockStep | null> {
  const { lastChangeAtMs } = await store.info()
  if (lastChangeAtMs === 0 || Math.abs(nowMs - lastChangeAtMs) <= MAX_CLOCK_STEP_MS) return null
  return { nowMs, lastChangeAtMs }
}
