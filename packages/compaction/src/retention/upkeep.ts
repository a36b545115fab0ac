import type { DurableStore, JobStore } from '@saltcod/store-core'
import type { Pace } from './pace.ts'

/** How much of the change feed is kept; at least one limit is set. */
export interface FeedRule {
  /** Older changes, and request ids of their age, go. In milliseconds. */
  readonly olderThanMs?: number
  /** The oldest changes above so many bytes go. */
  readonly maxBytes?: number
}

/** What is kept of the change feed unless asked for otherwise: a week of it, at most 256 MiB. */
export const DEFAULT_FEED_RULE: FeedRule = { olderThanMs: 7 * 86_400_000, maxBytes: 256 * 1024 * 1024 }

/** How long evaluations that ended are kept unless asked for otherwise, in milliseconds: a day. */
export const DEFAULT_EVALUATION_AGE_MS: number = 86_400_000

/** The most that one step of the store removes. */
const STEP = 500

/** Removes the rows of what was deleted, also of what an earlier process left. */
export async function reclaimAll(store: Pick<DurableStore, 'reclaim'>, pace: Pace): Promise<void> {
  for (;;) {
    if (pace.aborted) return
    const { more } = await store.reclaim()
    if (!more) return
    await pace.rest(0)
  }
}

/** Trims the change feed and resolves with how many entries and request ids went. */
export async function trimFeed(
  store: Pick<DurableStore, 'trimFeed'>,
  rule: FeedRule,
  pace: Pace,
): Promise<number> {
  return await inSteps(pace, () => store.trimFeed(rule))
}

/** Removes consumed evaluations and resolves with how many went. */
export async function trimEvaluations(
  store: Pick<JobStore, 'trimEvaluations'>,
  olderThanMs: number,
  pace: Pace,
): Promise<number> {
  return await inSteps(pace, () => store.trimEvaluations({ olderThanMs }))
}

async function inSteps(pace: Pace, step: () => Promise<number>): Promise<number> {
  let sum = 0
  while (!pace.aborted) {
    const removed = await step()
    sum += removed
    if (removed < STEP) break
    await pace.rest(0)
  }
  return sum
}
