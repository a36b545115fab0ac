import type { KvSnapshot } from '../kv/contract.ts'
import { tuple } from '../kv/tuple.ts'
import type { Mutation } from '../store/mutation.ts'
import { isDeleted } from '../store/reclaim.ts'
import { CLOCK_STEP_MS } from '../store/steady-clock.ts'
import { INDEX } from '../store/tables.ts'
import { waitFrom } from './evaluation-queue.ts'
import { findByKey } from './evaluation-row.ts'
import { jobKey } from './job-row.ts'

/** Returns the index rows of delays that count from a time to come: the clock was set back since. */
export function delaysFromTheFuture(snapshot: KvSnapshot, nowMs: number, limit: number): Uint8Array[] {
  const gte = tuple(INDEX.evaluationDelayed, nowMs + CLOCK_STEP_MS + 1)
  return snapshot.keys('index', { gte, lt: tuple(INDEX.evaluationDelayed + 1), limit })
}

/**
 * Lets delays that were given while the clock was ahead count from now, at most so many, or they would take for as much longer as it was
 * ahead. Returns how many there were.
 */
export function shortenDelays(mutation: Mutation, limit: number): number {
  const keys = delaysFromTheFuture(mutation.rows, mutation.nowMs, limit)
  for (const key of keys) {
    const evaluation = findByKey(mutation, key)
    // Of what is damaged or deleted nothing comes any more.
    if (evaluation?.row.w === undefined || isDeleted(mutation.rows, jobKey(evaluation.row.j))) {
      mutation.removeIndex(key)
    } else waitFrom(mutation, evaluation, evaluation.row.w)
  }
  return keys.length
}
