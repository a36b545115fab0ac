import type { NewEvaluation } from '@saltcod/store-core'

/**
 * Returns the follow-ups that are still wanted where other evaluations of the job are pending, the first at a time:
 * one that comes in time decides anew. Without this each look would leave a chain of its own.
 */
export function uncoveredFollowUps(
  followUps: readonly NewEvaluation[],
  pendingDueMs: number | null,
  nowMs: number,
): readonly NewEvaluation[] {
  if (pendingDueMs === null) return followUps
  return followUps.filter(({ delayMs }) => delayMs === undefined || nowMs + delayMs < pendingDueMs)
}
