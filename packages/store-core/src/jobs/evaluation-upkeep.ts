import { checkDuration } from '../arguments/limits.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeIdTuple, decodeTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import { JOB_TYPES } from '../model/job.ts'
import type { Mutation } from '../rows/mutation.ts'
import { damagedRow, orUndamaged } from '../rows/quarantine.ts'
import { isStaged } from '../rows/reclaim.ts'
import { rowsOf } from '../rows/scan.ts'
import { aheadOf, type Moment, shiftTime } from '../rows/steady-clock.ts'
import { INDEX } from '../rows/tables.ts'
import {
  endedKey,
  evaluationOfJobKey,
  findEvaluation,
  type LoadedEvaluation,
  readyPrefix,
  sideKeys,
} from './evaluation-row.ts'
import { isReclaimed } from './execution-row.ts'
import { jobKey } from './job-row.ts'
import { blockedUntilMs } from './suspect.ts'

/** Keys that a trimmed evaluation takes: its row and two index rows. */
const MAX_TRIMMED = 500
/** The first of these whose key is not damaged. */
const TIMES_LOOKED_AT = 3

/**
 * Removes evaluations that ended so long ago, at most 500, and returns how many. Throws `TypeError` or
 * `INVALID_ARGUMENT`.
 */
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
      if (evaluation !== undefined && isStaged(mutation.rows, jobKey(evaluation.row.jobId))) continue
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
  mutation.count('evaluation', row.namespace, row.status, -1, -bytes)
  mutation.announce({
    kind: 'evaluation',
    id,
    jobId: row.jobId,
    namespace: row.namespace,
    operation: 'remove',
    previousState: row.status,
    state: null,
    revision: 0,
  })
}

/** Returns when work is due next; `null` where none waits. */
export function nextEvaluationMs(snapshot: KvSnapshot, moment: Moment): number | null {
  const nextMs = blockedUntilMs(snapshot, moment.steadyMs) ?? firstOf(snapshot, moment)
  return nextMs === null ? null : shiftTime(nextMs, -aheadOf(moment))
}

/** When the first evaluation that is ready, leased or waits is due, by steady time; `null` where there is none. */
function firstOf(snapshot: KvSnapshot, { steadyMs }: Moment): number | null {
  const times = [
    // What was found due stays so where the clock goes back a little.
    ...JOB_TYPES.flatMap((type) => firstTime(snapshot, readyPrefix(type), 3)).map((dueMs) =>
      Math.min(dueMs, steadyMs),
    ),
    ...firstTime(snapshot, tuple(INDEX.evaluationLeased), 1),
    ...firstWaiting(snapshot),
  ]
  return times.length === 0 ? null : Math.min(...times)
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
