import { requireObject } from '../arguments/argument-types.ts'
import { cutMessage } from '../arguments/limits.ts'
import type { ExhaustedJob } from '../contract/evaluations.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple, endOfTuple } from '../kv/tuple.ts'
import { executionsOfJob } from '../rows/execution-rows.ts'
import type { Mutation } from '../rows/mutation.ts'
import { damagedRow, orUndamaged } from '../rows/quarantine.ts'
import { EXECUTION_MACHINE } from '../states/execution-state.ts'
import { JOB_MACHINE } from '../states/job-state.ts'
import { edgesOf } from '../states/transitions.ts'
import { moveJob } from './change-job.ts'
import { enqueueEvaluation } from './evaluation-queue.ts'
import {
  type EvaluationRow,
  evaluationsOfJob,
  findEvaluation,
  headKey,
  parkedPrefix,
} from './evaluation-row.ts'
import { findExecutionRow } from './execution-row.ts'
import { findUndamagedJob } from './job-row.ts'

const PAGE_KEYS = 100

/** Ends the job of an evaluation that has failed, where nothing else would move it any more. */
export function endStranded(mutation: Mutation, jobId: string, reason: string): void {
  const job = findUndamagedJob(mutation, jobId)
  // One in a state of a newer release would have to be left by an edge that this one does not know.
  if (job === undefined || edgesOf(JOB_MACHINE, job.row.state).length === 0) return
  if (hasPendingEvaluation(mutation.rows, jobId) || hasLiveExecution(mutation.rows, jobId)) return
  const message = cutMessage(`given up: ${reason === '' ? 'its last attempt failed' : reason}`, 'message')
  moveJob(mutation, job, { to: 'Failed', message, event: { topic: 'Evaluation', message } })
}

/**
 * Ends the job of an execution that has ended without an evaluation of that, where its last evaluation had failed and
 * left it to the execution.
 */
export function endLeftBehind(mutation: Mutation, jobId: string): void {
  const newest = newestEvaluation(mutation.rows, jobId)
  if (newest?.status === 'failed') endStranded(mutation, jobId, newest.comment ?? '')
}

/**
 * Does with the job of an evaluation that has failed what its worker asked for; one that has ended meanwhile stays as
 * it is.
 */
export function moveExhausted(mutation: Mutation, jobId: string, exhausted: ExhaustedJob): void {
  requireObject('exhausted', exhausted)
  const { evaluation, ...move } = exhausted
  const job = findUndamagedJob(mutation, jobId)
  if (job === undefined || JOB_MACHINE.terminal.has(job.row.state)) return
  const moved = moveJob(mutation, job, move)
  if (evaluation !== undefined) enqueueEvaluation(mutation, moved, evaluation)
}

/**
 * Returns the row of the evaluation of a job that was created last; `undefined` where there is none, or a damaged one.
 */
export function newestEvaluation(snapshot: KvSnapshot, jobId: string): EvaluationRow | undefined {
  const prefix = evaluationsOfJob(jobId)
  const [key] = snapshot.keys('index', { gte: prefix, lt: endOfTuple(prefix), reverse: true, limit: 1 })
  if (key === undefined) return undefined
  return orUndamaged(() => findEvaluation(snapshot, decodeId('v', decodeTuple(key).at(-1))))?.row
}

/**
 * Tells whether nothing will ever move a job: the last of its evaluations has failed, none is pending, and no
 * execution lives.
 */
export function isStranded(snapshot: KvSnapshot, jobId: string): boolean {
  return (
    newestEvaluation(snapshot, jobId)?.status === 'failed' &&
    !hasPendingEvaluation(snapshot, jobId) &&
    !hasLiveExecution(snapshot, jobId)
  )
}

/** Whether an evaluation of a job waits, is due or is worked on. */
function hasPendingEvaluation(snapshot: KvSnapshot, jobId: string): boolean {
  if (snapshot.get('index', headKey(jobId)) !== undefined) return true
  const prefix = parkedPrefix(jobId)
  return snapshot.keys('index', { gte: prefix, lt: endOfTuple(prefix), limit: 1 }).length > 0
}

/** Whether an execution of a job has not ended; a damaged one counts as one that has not. */
function hasLiveExecution(snapshot: KvSnapshot, jobId: string): boolean {
  const prefix = executionsOfJob(jobId)
  let lt = endOfTuple(prefix)
  for (;;) {
    // The newest first: of many it is the last ones that live.
    const keys = snapshot.keys('index', { gte: prefix, lt, reverse: true, limit: PAGE_KEYS })
    if (keys.some((key) => isLive(snapshot, key))) return true
    const last = keys.at(-1)
    if (last === undefined || keys.length < PAGE_KEYS) return false
    lt = last
  }
}

function isLive(snapshot: KvSnapshot, indexKey: Uint8Array): boolean {
  try {
    const execution = findExecutionRow(snapshot, decodeId('e', decodeTuple(indexKey).at(-1)))
    return execution !== undefined && !EXECUTION_MACHINE.terminal.has(execution.row.state)
  } catch (error) {
    if (damagedRow(error) === null) throw error
    return true
  }
}
