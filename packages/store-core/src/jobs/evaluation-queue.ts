import { requireObject, requireOptionalFlag } from '../arguments/argument-types.ts'
import {
  checkChoice,
  checkOptionalInteger,
  checkPriority,
  checkTime,
  cutMessage,
  invalid,
} from '../arguments/limits.ts'
import { StoreError } from '../errors.ts'
import type { KvRange, KvRow } from '../kv/contract.ts'
import { decodeIdTuple, idTuple, tuple } from '../kv/tuple.ts'
import { EVALUATION_TRIGGERS, type NewEvaluation } from '../model/evaluation.ts'
import { checkId, newId } from '../model/id.ts'
import type { Mutation } from '../rows/mutation.ts'
import { orUndamaged } from '../rows/quarantine.ts'
import { isDeleted } from '../rows/reclaim.ts'
import { rowsOf } from '../rows/scan.ts'
import {
  type EvaluationRow,
  endedKey,
  evaluationOfJobKey,
  findByValue,
  findEvaluation,
  findUndamaged,
  headKey,
  isWaiting,
  type LoadedEvaluation,
  leasedKey,
  parkedDueKey,
  parkedDuePrefix,
  parkedLaterKey,
  parkedLaterPrefix,
  readyKey,
  waitingKey,
  writeEvaluation,
} from './evaluation-row.ts'
import { type JobRow, jobKey } from './job-row.ts'

/**
 * The queue of evaluations. Of those of a job that are due, the first stands at its head, ready or leased, and the
 * others are parked behind it; those that are due later wait for their time beside them. That a job is worked on by
 * one worker at a time follows from there being one head.
 */

const CANDIDATES_LOOKED_AT = 100

/** The longest delay of an evaluation. */
export const MAX_DELAY_MS: number = 365 * 24 * 60 * 60 * 1_000

/**
 * Adds an evaluation of a job and returns its id, or that of one that will do instead. Throws `TypeError`,
 * `INVALID_ARGUMENT`, `EVALUATION_ALREADY_EXISTS`.
 */
export function enqueueEvaluation(
  mutation: Mutation,
  job: { readonly id: string; readonly row: JobRow },
  request: NewEvaluation,
): string {
  requireObject('evaluation', request)
  const { comment = '', delayMs, dueAtMs, priority = job.row.priority } = request
  checkChoice('trigger of an evaluation', request.trigger, EVALUATION_TRIGGERS)
  checkOptionalInteger('delay in milliseconds (delayMs)', delayMs, 0, MAX_DELAY_MS)
  if (delayMs !== undefined && dueAtMs !== undefined) {
    throw invalid('an evaluation has both a due time and a delay', 'give one of them')
  }
  checkTime('due time', dueAtMs)
  checkPriority(priority)
  requireOptionalFlag('coalesce', request.coalesce)
  const message = cutMessage(comment, 'comment')
  const id = request.id ?? newId('v')
  const key = idTuple('v', id)
  const row: EvaluationRow = {
    jobId: job.id,
    namespace: job.row.namespace,
    jobType: job.row.type,
    priority,
    trigger: request.trigger,
    status: 'pending',
    ...(message === '' ? {} : { comment: message }),
    dueSteadyMs: dueAtMs === undefined ? mutation.steadyMs + (delayMs ?? 0) : mutation.steady(dueAtMs),
    attempt: 0,
    sequence: mutation.nextSequence(),
    createdAtMs: mutation.nowMs,
    modifiedAtMs: mutation.nowMs,
  }
  if (request.coalesce === true) {
    const other = findSubstitute(mutation, row)
    if (other !== null) return other
  }
  if (request.id !== undefined) {
    checkId('evaluation', id)
    if (findEvaluation(mutation.rows, id) !== undefined) {
      throw new StoreError('EVALUATION_ALREADY_EXISTS', `evaluation ${id} exists already`, { id })
    }
  }
  const made = writeEvaluation(mutation, null, { id, key, row })
  mutation.putIndex(evaluationOfJobKey(made))
  if (row.dueSteadyMs <= mutation.steadyMs) insert(mutation, made)
  else wait(mutation, made)
  return id
}

/** Takes the head of a job off the queue, ended as its row says, and brings the next one forward. */
export function endHead(mutation: Mutation, before: LoadedEvaluation, row: EvaluationRow): void {
  const after = writeEvaluation(mutation, before, { ...before, row })
  mutation.putIndex(endedKey(after))
  mutation.removeIndex(headKey(row.jobId))
  bringForward(mutation, row.jobId)
}

/** Puts the head of a job back into the queue, with the due time that its row says. */
export function returnHead(mutation: Mutation, before: LoadedEvaluation, row: EvaluationRow): void {
  const after = writeEvaluation(mutation, before, { ...before, row })
  mutation.removeIndex(headKey(row.jobId))
  if (row.dueSteadyMs <= mutation.steadyMs) park(mutation, after)
  else wait(mutation, after)
  bringForward(mutation, row.jobId)
}

/**
 * Takes the queue of a deleted job out of what can be claimed. Those behind its head stay where they are, for there
 * may be more of them than a transaction takes; reclaiming removes them.
 */
export function withdrawAll(mutation: Mutation, jobId: string): void {
  const headId = headOf(mutation, jobId)
  if (headId === undefined) return
  mutation.removeIndex(headKey(jobId))
  const head = findUndamaged(mutation, headId)
  if (head === undefined) return
  if (head.row.lease === undefined) mutation.removeIndex(readyKey(head.row))
  else mutation.removeIndex(leasedKey(head, head.row.lease.expiresSteadyMs))
}

/** Brings those into their jobs' queues that waited until now. */
export function promoteDue(mutation: Mutation, rows: readonly KvRow[]): void {
  for (const { key, value } of rows) {
    mutation.removeIndex(key)
    const evaluation = findByValue(mutation, value)
    if (evaluation === undefined || isDeleted(mutation.rows, jobKey(evaluation.row.jobId))) continue
    if (!isWaiting(evaluation.row)) continue
    stopWaiting(mutation, evaluation.row)
    // It is due later where its key is damaged.
    if (evaluation.row.dueSteadyMs > mutation.steadyMs) wait(mutation, evaluation)
    else insert(mutation, evaluation)
  }
}

/** Returns the id of a job's head; `undefined` where it has none, or a damaged one. */
function headOf(mutation: Mutation, jobId: string): string | undefined {
  const id = mutation.rows.get('index', headKey(jobId))
  return id && orUndamaged(() => decodeIdTuple('v', id))
}

function insert(mutation: Mutation, made: LoadedEvaluation): void {
  const headId = headOf(mutation, made.row.jobId)
  const head = headId === undefined ? undefined : findUndamaged(mutation, headId)
  // Behind a damaged head the job would wait for ever.
  if (head === undefined) {
    lead(mutation, made)
    return
  }
  if (head.row.lease !== undefined || !precedes(made.row, head.row)) {
    park(mutation, made)
    return
  }
  mutation.removeIndex(readyKey(head.row))
  park(mutation, head)
  lead(mutation, made)
}

/** Puts an evaluation back to the head of its job's queue; returns false where another one is there. */
export function leadAgain(mutation: Mutation, evaluation: LoadedEvaluation): boolean {
  const headId = headOf(mutation, evaluation.row.jobId)
  if (headId !== undefined && headId !== evaluation.id) return false
  lead(mutation, evaluation)
  return true
}

function lead(mutation: Mutation, { key: value, row }: LoadedEvaluation): void {
  mutation.putIndex(headKey(row.jobId), value)
  mutation.putIndex(readyKey(row), value)
}

function park(mutation: Mutation, { key, row }: LoadedEvaluation): void {
  mutation.putIndex(parkedDueKey(row), key)
}

function wait(mutation: Mutation, { key, row }: LoadedEvaluation): void {
  mutation.putIndex(parkedLaterKey(row), key)
  mutation.putIndex(waitingKey(row), key)
}

function stopWaiting(mutation: Mutation, row: EvaluationRow): void {
  mutation.removeIndex(parkedLaterKey(row))
  mutation.removeIndex(waitingKey(row))
}

/** Brings the first parked evaluation of a job to the head of its queue. */
export function bringForward(mutation: Mutation, jobId: string): void {
  for (const { key, value } of rowsOf(mutation.rows, 'index', parkedDuePrefix(jobId))) {
    const first = findByValue(mutation, value)
    if (first === undefined) continue
    mutation.removeIndex(key)
    if (!isWaiting(first.row)) continue
    mutation.removeIndex(parkedDueKey(first.row))
    lead(mutation, first)
    return
  }
}

/** Whether one due evaluation goes before another: by priority, due time, age. */
export function precedes(a: EvaluationRow, b: EvaluationRow): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority
  return a.dueSteadyMs !== b.dueSteadyMs ? a.dueSteadyMs < b.dueSteadyMs : a.sequence < b.sequence
}

/**
 * Finds an evaluation of the job that stands behind its next one, is due by then and of at least this priority. The
 * next one itself may be in the hands of somebody who has looked at the job already, claimed or not.
 */
function findSubstitute(mutation: Mutation, row: EvaluationRow): string | null {
  const [duePrefix, laterPrefix] = [parkedDuePrefix(row.jobId), parkedLaterPrefix(row.jobId)]
  const limit = CANDIDATES_LOOKED_AT
  const candidates = [
    ...valuesOf(mutation, { gte: duePrefix, lt: tuple(duePrefix, 1 - row.priority), limit }),
    ...valuesOf(mutation, { gte: laterPrefix, lt: tuple(laterPrefix, row.dueSteadyMs + 1), limit }),
  ]
  for (const value of candidates) {
    const other = findByValue(mutation, value)
    if (other === undefined || other.row.lease !== undefined) continue
    if (other.row.dueSteadyMs <= row.dueSteadyMs && other.row.priority >= row.priority) return other.id
  }
  return null
}

function valuesOf(mutation: Mutation, range: KvRange): Uint8Array[] {
  return mutation.rows.range('index', range).map(({ value }) => value)
}
