import { StoreError } from '../errors.ts'
import type { KvRow } from '../kv/contract.ts'
import { decodeIdTuple, endOfTuple, idTuple } from '../kv/tuple.ts'
import type { NewEvaluation } from '../model/evaluation.ts'
import { checkId, newId } from '../model/id.ts'
import { checkPriority, checkTime, cutMessage } from '../store/limits.ts'
import type { Mutation } from '../store/mutation.ts'
import {
  type EvaluationRow,
  endedKey,
  evaluationOfJobKey,
  findEvaluation,
  findUndamaged,
  headKey,
  type LoadedEvaluation,
  leasedKey,
  parkedKey,
  parkedPrefix,
  readyKey,
  waitingKey,
  writeEvaluation,
} from './evaluation-row.ts'
import type { JobRow } from './job-row.ts'

/**
 * The queue of evaluations. Each job has at most one at its head, which is ready, waiting or leased; its
 * further ones are parked. That a job is worked on by one worker at a time follows from there being one head.
 */

const PARKED_LOOKED_AT = 100

/** Adds an evaluation of a job and returns its id, or that of one that will do instead. */
export function enqueueEvaluation(
  mutation: Mutation,
  job: { readonly id: string; readonly row: JobRow },
  request: NewEvaluation,
): string {
  const id = request.id ?? newId('v')
  checkTime('due time', request.dueAtMs)
  checkPriority(request.priority ?? 0)
  const key = idTuple('v', id)
  const row: EvaluationRow = {
    j: job.id,
    ns: job.row.ns,
    t: job.row.t,
    p: request.priority ?? job.row.p,
    tr: request.trigger,
    st: 'pending',
    ...(request.comment === undefined || request.comment === '' ? {} : { cm: cutMessage(request.comment) }),
    due: request.dueAtMs ?? mutation.nowMs,
    a: 0,
    q: mutation.nextSequence(),
    c: mutation.nowMs,
    md: mutation.nowMs,
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
  insert(mutation, made)
  return id
}

/** Takes the head of a job off the queue, ended as its row says, and brings the next one forward. */
export function endHead(mutation: Mutation, before: LoadedEvaluation, row: EvaluationRow): void {
  const after = writeEvaluation(mutation, before, { ...before, row })
  mutation.putIndex(endedKey(after))
  mutation.removeIndex(headKey(row.j))
  bringForward(mutation, row.j)
}

/** Puts the head of a job back into the queue, with the due time that its row says. */
export function returnHead(mutation: Mutation, before: LoadedEvaluation, row: EvaluationRow): void {
  const after = writeEvaluation(mutation, before, { ...before, row })
  mutation.removeIndex(headKey(row.j))
  park(mutation, after)
  bringForward(mutation, row.j)
}

/** Takes an evaluation that nobody holds off the queue. */
export function withdraw(mutation: Mutation, evaluation: LoadedEvaluation): void {
  const { id, row } = evaluation
  if (headOf(mutation, row.j) === id) {
    unplace(mutation, row)
    mutation.removeIndex(headKey(row.j))
    bringForward(mutation, row.j)
  } else {
    mutation.removeIndex(parkedKey(row))
  }
}

/**
 * Takes the whole queue of a deleted job out of what can be claimed. Its parked rows stay, for it may have more of them than a
 * transaction takes; reclaiming removes them.
 */
export function withdrawAll(mutation: Mutation, jobId: string): void {
  const headId = headOf(mutation, jobId)
  if (headId === undefined) return
  mutation.removeIndex(headKey(jobId))
  const head = findUndamaged(mutation, headId)
  if (head === undefined) return
  if (head.row.l === undefined) unplace(mutation, head.row)
  else mutation.removeIndex(leasedKey(head, head.row.l.x))
}

/** Makes evaluations ready that waited until now, at most `limit`. */
export function promoteDue(mutation: Mutation, rows: readonly KvRow[]): void {
  for (const { key, value } of rows) {
    mutation.removeIndex(key)
    const evaluation = findUndamaged(mutation, decodeIdTuple('v', value))
    if (evaluation !== undefined) mutation.putIndex(readyKey(evaluation.row), value)
  }
}

/** Returns the id of a job's head; `undefined` where it has none. */
function headOf(mutation: Mutation, jobId: string): string | undefined {
  const id = mutation.rows.get('index', headKey(jobId))
  return id && decodeIdTuple('v', id)
}

function insert(mutation: Mutation, made: LoadedEvaluation): void {
  const headId = headOf(mutation, made.row.j)
  const head = headId === undefined ? undefined : findUndamaged(mutation, headId)
  // Behind a damaged head the job would wait for ever.
  if (head === undefined) {
    lead(mutation, made)
    return
  }
  if (head.row.l !== undefined || !precedes(made.row, head.row, mutation.nowMs)) {
    park(mutation, made)
    return
  }
  unplace(mutation, head.row)
  park(mutation, head)
  lead(mutation, made)
}

function lead(mutation: Mutation, { key: value, row }: LoadedEvaluation): void {
  mutation.putIndex(headKey(row.j), value)
  mutation.putIndex(row.due <= mutation.nowMs ? readyKey(row) : waitingKey(row), value)
}

function park(mutation: Mutation, { key, row }: LoadedEvaluation): void {
  mutation.putIndex(parkedKey(row), key)
}

function unplace(mutation: Mutation, row: EvaluationRow): void {
  if (!mutation.removeIndex(readyKey(row))) mutation.removeIndex(waitingKey(row))
}

/** Brings the best parked evaluation of a job to the head of its queue. */
export function bringForward(mutation: Mutation, jobId: string): void {
  const prefix = parkedPrefix(jobId)
  const parked = mutation.rows.range('index', {
    gte: prefix,
    lt: endOfTuple(prefix),
    limit: PARKED_LOOKED_AT,
  })
  let best: LoadedEvaluation | undefined
  for (const { value } of parked) {
    const candidate = findUndamaged(mutation, decodeIdTuple('v', value))
    if (candidate === undefined) continue
    if (best === undefined || precedes(candidate.row, best.row, mutation.nowMs)) best = candidate
  }
  if (best === undefined) return
  mutation.removeIndex(parkedKey(best.row))
  lead(mutation, best)
}

/** Whether one evaluation of a job goes before another: due before not due, then priority, due time, age. */
function precedes(a: EvaluationRow, b: EvaluationRow, nowMs: number): boolean {
  const dueA = a.due <= nowMs
  const dueB = b.due <= nowMs
  if (dueA !== dueB) return dueA
  if (dueA && a.p !== b.p) return a.p > b.p
  return a.due !== b.due ? a.due < b.due : a.q < b.q
}

/** Finds an evaluation of the job that is due, not claimed and of at least this priority. */
function findSubstitute(mutation: Mutation, row: EvaluationRow): string | null {
  const serves = (other: LoadedEvaluation | undefined) =>
    other !== undefined && other.row.l === undefined && other.row.due <= row.due && other.row.p >= row.p
  const headId = headOf(mutation, row.j)
  if (headId === undefined) return null
  if (serves(findUndamaged(mutation, headId))) return headId
  const prefix = parkedPrefix(row.j)
  const parked = mutation.rows.range('index', {
    gte: prefix,
    lt: endOfTuple(prefix),
    limit: PARKED_LOOKED_AT,
  })
  for (const { value } of parked) {
    const id = decodeIdTuple('v', value)
    if (serves(findUndamaged(mutation, id))) return id
  }
  return null
}
