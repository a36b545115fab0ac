import type { DurableStore } from '@saltcod/store-core'
import type { SettableClock } from './settable-clock.ts'

/**
 * Sets the clock, and has the store look at it with a change: a reader in another process knows what the owner has
 * written down.
 */
export async function jump(store: DurableStore, clock: SettableClock, byMs: number): Promise<void> {
  clock.jump(byMs)
  await store.reclaim()
}
