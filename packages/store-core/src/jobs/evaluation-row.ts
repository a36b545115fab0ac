import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeIdTuple, decodeTuple, idTuple, tuple } from '../kv/tuple.ts'
import type { Evaluation, EvaluationStatus, EvaluationTrigger } from '../model/evaluation.ts'
import type { JobType } from '../model/job.ts'
import type { DiskNames } from '../rows/field-names.ts'
import type { Mutation } from '../rows/mutation.ts'
import { damagedRow, orUndamaged, putQuarantine } from '../rows/quarantine.ts'
import { isDeleted } from '../rows/reclaim.ts'
import { RecordTable } from '../rows/record-table.ts'
import { isKeyText, isNumber, isRow, isSet, isText, optional, type RowShape } from '../rows/row-shape.ts'
import { shiftTime } from '../rows/steady-clock.ts'
import { INDEX } from '../rows/tables.ts'
import { jobKey } from './job-row.ts'

/** An evaluation as it is kept; what is absent is `null`, empty or zero in the model. */
export interface EvaluationRow {
  readonly jobId: string
  readonly namespace: string
  readonly jobType: JobType
  readonly priority: number
  readonly trigger: EvaluationTrigger
  readonly status: EvaluationStatus
  readonly comment?: string
  /** By steady time, as the lease is. */
  readonly dueSteadyMs: number
  /** Claims so far. */
  readonly attempt: number
  readonly lease?: LeaseRow
  /** Leases that were lost with their process while no other one was out. */
  readonly lostLeases?: number
  /** At how many deaths in a row it was claimed with others, so that it may be what ended its process. */
  readonly suspectedDeaths?: number
  readonly sequence: number
  readonly createdAtMs: number
  readonly modifiedAtMs: number
}

/** Who works on an evaluation. */
export interface LeaseRow {
  readonly holder: string
  readonly expiresSteadyMs: number
  readonly incarnation: string
  /** Absent in leases of schema 1. */
  readonly givenSteadyMs?: number
  /** Set where its loss counts for nothing. */
  readonly isLossFree?: true
}

const LEASE_NAMES: DiskNames<LeaseRow> = {
  holder: 'h',
  expiresSteadyMs: 'x',
  incarnation: 'i',
  givenSteadyMs: 'at',
  isLossFree: 'n',
}

/** The names of {@link EvaluationRow} on disk. */
export const EVALUATION_NAMES: DiskNames<EvaluationRow> = {
  jobId: 'j',
  namespace: 'ns',
  jobType: 't',
  priority: 'p',
  trigger: 'tr',
  status: 'st',
  comment: 'cm',
  dueSteadyMs: 'due',
  attempt: 'a',
  lease: ['l', LEASE_NAMES],
  lostLeases: 'll',
  suspectedDeaths: 'su',
  sequence: 'q',
  createdAtMs: 'c',
  modifiedAtMs: 'md',
}

const LEASE_SHAPE: RowShape<LeaseRow> = {
  holder: isText,
  expiresSteadyMs: isNumber,
  incarnation: isText,
  givenSteadyMs: optional(isNumber),
  isLossFree: optional(isSet),
}

const EVALUATION_SHAPE: RowShape<EvaluationRow> = {
  jobId: isKeyText,
  namespace: isKeyText,
  jobType: isKeyText,
  priority: isNumber,
  trigger: isText,
  status: isKeyText,
  comment: optional(isText),
  dueSteadyMs: isNumber,
  attempt: isNumber,
  lease: optional(isRow(LEASE_SHAPE)),
  lostLeases: optional(isNumber),
  suspectedDeaths: optional(isNumber),
  sequence: isNumber,
  createdAtMs: isNumber,
  modifiedAtMs: isNumber,
}

/** The evaluations, by id. */
export const evaluationTable: RecordTable<EvaluationRow> = new RecordTable<EvaluationRow>(
  'evaluations',
  1,
  EVALUATION_NAMES,
  EVALUATION_SHAPE,
)

/** An evaluation as it was read. */
export interface LoadedEvaluation {
  readonly id: string
  readonly key: Uint8Array
  readonly row: EvaluationRow
  readonly bytes: number
}

/** Loads an evaluation; `undefined` where there is none. */
export function findEvaluation(snapshot: KvSnapshot, id: string): LoadedEvaluation | undefined {
  const key = idTuple('v', id)
  const found = evaluationTable.load(snapshot, key)
  return found && { id, key, row: found.record, bytes: found.bytes }
}

/**
 * Loads an evaluation; `undefined` where there is none, or a damaged one, which must not keep the queue from going on.
 */
export function findUndamaged(mutation: Mutation, id: string): LoadedEvaluation | undefined {
  try {
    return findEvaluation(mutation.rows, id)
  } catch (error) {
    const damaged = damagedRow(error)
    if (damaged === null) throw error
    putQuarantine(mutation.rows, damaged, mutation.nowMs)
    return undefined
  }
}

/**
 * Loads the evaluation that a row of the index names in its key; `undefined` as {@link findUndamaged}, also for a
 * damaged key.
 */
export function findByKey(mutation: Mutation, indexKey: Uint8Array): LoadedEvaluation | undefined {
  const id = orUndamaged(() => decodeId('v', decodeTuple(indexKey).at(-1)))
  return id === undefined ? undefined : findUndamaged(mutation, id)
}

/**
 * Loads the evaluation that a row of the index names in its value; `undefined` as {@link findUndamaged}, also for a
 * damaged value.
 */
export function findByValue(mutation: Mutation, value: Uint8Array): LoadedEvaluation | undefined {
  const id = orUndamaged(() => decodeIdTuple('v', value))
  return id === undefined ? undefined : findUndamaged(mutation, id)
}

/** Loads an evaluation. Throws `EVALUATION_NOT_FOUND`. */
export function loadEvaluation(snapshot: KvSnapshot, id: string): LoadedEvaluation {
  const found = findEvaluation(snapshot, id)
  if (found !== undefined && !isDeleted(snapshot, jobKey(found.row.jobId))) return found
  throw new StoreError('EVALUATION_NOT_FOUND', `evaluation not found: ${id}`, {
    id,
    hint: 'consumed evaluations are trimmed after a time',
  })
}

/** Tells whether an evaluation has not ended and nobody holds it. */
export function isWaiting(row: EvaluationRow): boolean {
  return row.status === 'pending' && row.lease === undefined
}

/** Restores an evaluation from its row; `aheadMs` is by how much steady time is ahead. */
export function toEvaluation(id: string, row: EvaluationRow, aheadMs: number): Evaluation {
  const { lease } = row
  return {
    id,
    jobId: row.jobId,
    namespace: row.namespace,
    jobType: row.jobType,
    priority: row.priority,
    trigger: row.trigger,
    status: row.status,
    comment: row.comment ?? '',
    dueAtMs: shiftTime(row.dueSteadyMs, -aheadMs),
    attempt: row.attempt,
    lostLeases: row.lostLeases ?? 0,
    lease:
      lease === undefined
        ? null
        : {
            evaluationId: id,
            attempt: row.attempt,
            expiresAtMs: lease.expiresSteadyMs - aheadMs,
            incarnation: lease.incarnation,
            holder: lease.holder,
          },
    sequence: row.sequence,
    createdAtMs: row.createdAtMs,
    modifiedAtMs: row.modifiedAtMs,
  }
}

/** Beginning of the index keys of those that may be claimed now, by type of job. */
export function readyPrefix(type: JobType): Uint8Array {
  return tuple(INDEX.evaluationReady, type)
}

/** Index key of those that may be claimed now. */
export function readyKey(row: EvaluationRow): Uint8Array {
  return tuple(readyPrefix(row.jobType), -row.priority, row.dueSteadyMs, row.sequence)
}

/** Index key of those that are due later. */
export function waitingKey(row: EvaluationRow): Uint8Array {
  return tuple(INDEX.evaluationWaiting, row.dueSteadyMs, row.sequence)
}

/** Index key of a lease by its expiry. */
export function leasedKey(evaluation: { readonly key: Uint8Array }, expiresAtMs: number): Uint8Array {
  return tuple(INDEX.evaluationLeased, expiresAtMs, evaluation.key)
}

/** Index key of one that is suspected of having ended its process. */
function suspectKey(evaluation: { readonly key: Uint8Array }): Uint8Array {
  return tuple(INDEX.evaluationSuspect, evaluation.key)
}

/** Index keys that an evaluation has wherever it stands in the queue. */
export function sideKeys({
  key,
  row,
}: {
  readonly key: Uint8Array
  readonly row: EvaluationRow
}): Uint8Array[] {
  return row.suspectedDeaths === undefined ? [] : [suspectKey({ key })]
}

/** Index key of the one evaluation of a job that is ready or leased. */
export function headKey(jobId: string): Uint8Array {
  return tuple(INDEX.evaluationHead, jobKey(jobId))
}

/** Beginning of the index keys of a job's further evaluations, whether due or not. */
export function parkedPrefix(jobId: string): Uint8Array {
  return tuple(INDEX.evaluationParked, jobKey(jobId))
}

/** Beginning of the index keys of a job's further evaluations that are due, in the order in which they lead. */
export function parkedDuePrefix(jobId: string): Uint8Array {
  return tuple(parkedPrefix(jobId), 0)
}

/** Index key of a further evaluation of a job that is due. */
export function parkedDueKey(row: EvaluationRow): Uint8Array {
  return tuple(parkedDuePrefix(row.jobId), -row.priority, row.dueSteadyMs, row.sequence)
}

/** Beginning of the index keys of a job's evaluations that are due later. */
export function parkedLaterPrefix(jobId: string): Uint8Array {
  return tuple(parkedPrefix(jobId), 1)
}

/** Index key of an evaluation among those of its job that are due later. */
export function parkedLaterKey(row: EvaluationRow): Uint8Array {
  return tuple(parkedLaterPrefix(row.jobId), row.dueSteadyMs, row.sequence)
}

/** Beginning of the index keys of all evaluations of a job. */
export function evaluationsOfJob(jobId: string): Uint8Array {
  return tuple(INDEX.evaluationByJob, jobKey(jobId))
}

/** Index key of an evaluation among its job's. */
export function evaluationOfJobKey(evaluation: {
  readonly key: Uint8Array
  readonly row: EvaluationRow
}): Uint8Array {
  return tuple(evaluationsOfJob(evaluation.row.jobId), evaluation.row.sequence, evaluation.key)
}

/** Index key of an evaluation that has ended, by when. */
export function endedKey(evaluation: { readonly key: Uint8Array; readonly row: EvaluationRow }): Uint8Array {
  return tuple(INDEX.evaluationEnded, evaluation.row.modifiedAtMs, evaluation.key)
}

/** Writes an evaluation's row, with counters and feed. */
export function writeEvaluation(
  mutation: Mutation,
  before: LoadedEvaluation | null,
  made: { readonly id: string; readonly key: Uint8Array; readonly row: EvaluationRow },
): LoadedEvaluation {
  const { id, key, row } = made
  const bytes = evaluationTable.put(mutation.rows, key, row)
  if (before !== null) for (const index of sideKeys(before)) mutation.removeIndex(index)
  for (const index of sideKeys(made)) mutation.putIndex(index)
  if (before !== null) mutation.count('evaluation', row.namespace, before.row.status, -1, -before.bytes)
  mutation.count('evaluation', row.namespace, row.status, 1, bytes)
  if (before === null || before.row.status !== row.status) {
    mutation.announce({
      kind: 'evaluation',
      id,
      jobId: row.jobId,
      namespace: row.namespace,
      operation: 'put',
      previousState: before?.row.status ?? null,
      state: row.status,
      revision: 0,
    })
  }
  return { id, key, row, bytes }
}
