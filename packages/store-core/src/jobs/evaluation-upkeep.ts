import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeIdTuple, decodeTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import { JOB_TYPES } from '../model/job.ts'
import { checkDuration } from '../store/limits.ts'
import type { Mutation } from '../store/mutation.ts'
import { damagedRow, orUndamaged } from '../store/quarantine.ts'
import { isStaged } from '../store/reclaim.ts'
import { rowsOf } from '../store/scan.ts'
import type { Moment } from '../store/steady-clock.ts'
import { INDEX } from '../store/tables.ts'
import { delaysFromTheFuture } from './delay.ts'
import { withdraw } from './evaluation-queue.ts'
import {
  endedKey,
  evaluationOfJobKey,
  findEvaluation,
  type LoadedEvaluation,
  loadEvaluation,
  readyPrefix,
  sideKeys,
} from './evaluation-row.ts'
import { isReclaimed } from './execution-row.ts'
import { jobKey } from './job-row.ts'
import { blockedUntilMs } from './suspect.ts'

/** Keys that a trimmed evaluation takes: its row and two index rows. */
const MAX_TRIMMED = 500
const DELAYS_LOOKED_AT = 100
/** The first of these whose key is not damaged. */
const TIMES_LOOKED_AT = 3

/** Removes an evaluation that nobody holds. Throws `EVALUATION_NOT_FOUND`, `LEASE_LOST`. */
export function deleteEvaluation(mutation: Mutation, id: string): void {
  const evaluation = loadEvaluation(mutation.rows, id)
  if (evaluation.row.l !== undefined) {
    throw new StoreError('LEASE_LOST', `evaluation ${id} is being worked on by ${evaluation.row.l.h}`, {
      id,
      actual: evaluation.row.l.h,
      hint: 'wait until it is done',
    })
  }
  if (evaluation.row.st === 'pending') withdraw(mutation, evaluation)
  removeEvaluation(mutation, evaluation)
}

/** Removes evaluations that ended so long ago, at most 500, and returns how many. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function trimEvaluations(mutation: Mutation, olderThanMs: number): number {
  checkDuration('olderThanMs', olderThanMs)
  const before = Math.max(0, Math.floor(mutation.nowMs - olderThanMs))
  const keys = mutation.rows.keys('index', {
    gte: tuple(INDEX.evaluationEnded),
    lt: tuple(INDEX.evaluationEnded, before),
    limit: MAX_TRIMMED,
  })
  let removed = 0
  for (const key of keys) {
    try {
      const evaluation = findEvaluation(mutation.rows, decodeId('v', decodeTuple(key)[2]))
      // What belongs to a deleted job stands in no count any more; reclaiming removes it.
      if (evaluation !== undefined && isStaged(mutation.rows, jobKey(evaluation.row.j))) continue
      if (evaluation === undefined || isReclaimed(mutation.rows, evaluation.row)) mutation.removeIndex(key)
      else {
        removeEvaluation(mutation, evaluation)
        removed += 1
      }
    } catch (error) {
      if (damagedRow(error) === null) throw error
    }
  }
  return removed
}

function removeEvaluation(mutation: Mutation, evaluation: LoadedEvaluation): void {
  const { id, key, row, bytes } = evaluation
  mutation.removeIndex(evaluationOfJobKey(evaluation))
  mutation.removeIndex(endedKey(evaluation))
  for (const index of sideKeys(evaluation)) mutation.removeIndex(index)
  mutation.rows.remove('evaluations', key)
  mutation.count('evaluation', row.ns, row.st, -1, -bytes)
  mutation.announce({
    kind: 'evaluation',
    id,
    jobId: row.j,
    namespace: row.ns,
    operation: 'remove',
    previousState: row.st,
    state: null,
    revision: 0,
  })
}

/** Returns when work is due next; `null` where none waits. */
export function nextEvaluationMs(snapshot: KvSnapshot, { nowMs, steadyMs }: Moment): number | null {
  // The next claim gives them other times.
  if (delaysFromTheFuture(snapshot, nowMs, DELAYS_LOOKED_AT).some((key) => isOfLivingJob(snapshot, key)))
    return nowMs
  const aheadMs = steadyMs - nowMs
  const blockedMs = blockedUntilMs(snapshot, steadyMs)
  if (blockedMs !== null) return blockedMs - aheadMs
  const times = [
    // What was found due stays so where the clock is set back.
    ...JOB_TYPES.flatMap((type) => firstTime(snapshot, readyPrefix(type), 3)).map((dueMs) =>
      Math.min(dueMs, nowMs),
    ),
    ...firstTime(snapshot, tuple(INDEX.evaluationLeased), 1).map((expiresAtMs) => expiresAtMs - aheadMs),
    ...firstWaiting(snapshot),
  ]
  return times.length === 0 ? null : Math.min(...times)
}

/** Whether the index row of a delay is one of a job that was not deleted. */
function isOfLivingJob(snapshot: KvSnapshot, delayedKey: Uint8Array): boolean {
  return !isOfDeletedJob(snapshot, () => decodeId('v', decodeTuple(delayedKey)[2]))
}

function firstTime(snapshot: KvSnapshot, prefix: Uint8Array, part: number): number[] {
  return snapshot
    .keys('index', { gte: prefix, lt: endOfTuple(prefix), limit: TIMES_LOOKED_AT })
    .flatMap((key) => timeIn(key, part))
    .slice(0, 1)
}

/** Passes over what waits for a job that was deleted. */
function firstWaiting(snapshot: KvSnapshot): number[] {
  for (const { key, value } of rowsOf(snapshot, 'index', tuple(INDEX.evaluationWaiting))) {
    if (isOfDeletedJob(snapshot, () => decodeIdTuple('v', value))) continue
    const [dueMs] = timeIn(key, 1)
    if (dueMs !== undefined) return [dueMs]
  }
  return []
}

/** A damaged key has no time. */
function timeIn(key: Uint8Array, part: number): number[] {
  const time = orUndamaged(() => decodeTuple(key)[part])
  return typeof time === 'number' ? [time] : []
}

/** A damaged evaluation counts as one that waits: whoever looks at its time finds and notes the damage. */
function isOfDeletedJob(snapshot: KvSnapshot, idOf: () => string): boolean {
  const evaluation = orUndamaged(() => findEvaluation(snapshot, idOf()))
  return evaluation !== undefined && isReclaimed(snapshot, evaluation.row)
}
