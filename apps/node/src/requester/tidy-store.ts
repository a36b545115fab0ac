import { pause } from '../waiting/pause.ts'
import type { RequesterContext } from './context.ts'

const EVERY_MS = 60_000
/** Evaluations that are done are of interest only while somebody looks for a mistake. */
const EVALUATIONS_MS = 3_600_000
/** Whoever follows the feed may be away for so long, or fall behind by so much. */
const FEED_MS = 7 * 24 * 3_600_000
const FEED_BYTES = 256 * 1024 * 1024
/** What one step removes at most; one that removes less has come to the end. */
const FULL_STEP = 500

/**
 * Keeps what only grows within bounds: done evaluations, the change feed, rows of deleted jobs, messages to nodes that
 * are gone. Ends when the requester stops.
 */
export async function tidyStore({ store, membership, stopping }: RequesterContext): Promise<void> {
  while (!stopping.aborted) {
    await repeat(stopping, async () => (await store.reclaim()).more)
    await repeat(
      stopping,
      async () => (await store.trimEvaluations({ olderThanMs: EVALUATIONS_MS })) >= FULL_STEP,
    )
    await repeat(
      stopping,
      async () => (await store.trimFeed({ olderThanMs: FEED_MS, maxBytes: FEED_BYTES })) >= FULL_STEP,
    )
    await membership.dropStrayMessages()
    await pause(EVERY_MS, stopping)
  }
}

/** The store itself sees to it that such steps take no more than their part of the writing time. */
async function repeat(stopping: AbortSignal, step: () => Promise<boolean>): Promise<void> {
  while (!stopping.aborted && (await step()));
}
