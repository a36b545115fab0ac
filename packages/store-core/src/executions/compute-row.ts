import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import type {
  ChangedComputeExecution,
  ComputeExecution,
  ExecutionJob,
  ProcessIdentity,
} from '../model/compute-execution.ts'
import {
  EXECUTION_FIELDS_SHAPE,
  type ExecutionFields,
  ExecutionRows,
  type LoadedRow,
} from '../rows/execution-rows.ts'
import type { DiskNames } from '../rows/field-names.ts'
import type { ReadRecordState } from '../rows/history.ts'
import { RecordTable } from '../rows/record-table.ts'
import {
  isJson,
  isNumber,
  isOrdinal,
  isRow,
  isSet,
  isText,
  optional,
  type RowShape,
} from '../rows/row-shape.ts'
import { timesOf } from '../rows/state-row.ts'
import { COMPUTE_MACHINE, type ComputeState } from '../states/compute-state.ts'

/** A compute execution's changing part. */
export interface ComputeRow extends ExecutionFields<ComputeState> {
  readonly requesterId: string
  /** Attempts so far. */
  readonly attempt?: number
  readonly rerunnable?: true
  readonly process?: ProcessIdentity
  /** Newest acknowledged revision. */
  readonly acknowledgedRevision?: number
  /** Bytes of the job that it keeps. */
  readonly jobBytes: number
}

/** The names of {@link ComputeRow} on disk. */
export const COMPUTE_NAMES: DiskNames<ComputeRow> = {
  jobId: 'j',
  jobVersion: 'v',
  namespace: 'ns',
  requesterId: 'q',
  partition: 'pt',
  state: 's',
  stateMessage: 'm',
  stateSinceMs: 'ss',
  endReason: 'er',
  attempt: 'a',
  rerunnable: 'rr',
  process: 'pc',
  resources: 'rs',
  publishedResult: 'pr',
  runOutput: 'ro',
  acknowledgedRevision: 'ar',
  revision: 'r',
  createdAtMs: 'c',
  modifiedAtMs: 'md',
  finishedAtMs: 'f',
  deadlineSteadyMs: 'dl',
  jobBytes: 'b',
}

const PROCESS_SHAPE: RowShape<ProcessIdentity> = { pid: isNumber, startTime: isText, bootId: isText }

const COMPUTE_SHAPE: RowShape<ComputeRow> = {
  ...EXECUTION_FIELDS_SHAPE,
  requesterId: isText,
  attempt: optional(isNumber),
  rerunnable: optional(isSet),
  process: optional(isRow(PROCESS_SHAPE)),
  acknowledgedRevision: optional(isNumber),
  jobBytes: isNumber,
}

const EXECUTION_JOB_SHAPE: RowShape<ExecutionJob> = {
  id: isText,
  version: isOrdinal,
  namespace: isText,
  name: isText,
  type: isText,
  priority: isNumber,
  count: optional(isNumber),
  spec: isJson,
}

/** The executions of a node, by id. */
export const computeTable: RecordTable<ComputeRow> = new RecordTable<ComputeRow>(
  'executions',
  1,
  COMPUTE_NAMES,
  COMPUTE_SHAPE,
)

/** The job of each execution, by execution. */
export const executionJobTable: RecordTable<ExecutionJob> = new RecordTable<ExecutionJob>(
  'specs',
  1,
  null,
  EXECUTION_JOB_SHAPE,
)

/** How executions are written. */
export const computeRows: ExecutionRows<ComputeState, ComputeRow> = new ExecutionRows({
  table: computeTable,
  machine: COMPUTE_MACHINE,
  ownBytes: (row) => row.jobBytes,
})

/** A compute execution as it was read. */
export type LoadedCompute = LoadedRow<ComputeRow>

/** Reads the state of the execution that a history belongs to. */
export const readComputeState: ReadRecordState = (snapshot, ownerKey) => {
  const row = computeTable.get(snapshot, ownerKey)
  return row && { state: row.state, revision: row.revision }
}

/** Loads a compute execution. Throws `EXECUTION_NOT_FOUND`. */
export function loadCompute(snapshot: KvSnapshot, id: string): LoadedCompute {
  const found = computeRows.find(snapshot, id)
  if (found !== undefined) return found
  throw new StoreError('EXECUTION_NOT_FOUND', `execution not found: ${id}`, {
    id,
    hint: 'list the executions to see what is there',
  })
}

/**
 * Puts an execution and its job together; `aheadMs` is by how much steady time is ahead. Throws `RECORD_CORRUPT` where
 * the job is missing.
 */
export function toComputeExecution<Spec>(
  snapshot: KvSnapshot,
  { id, key, row }: { readonly id: string; readonly key: Uint8Array; readonly row: ComputeRow },
  aheadMs: number,
): ComputeExecution<Spec> {
  const job = executionJobTable.get(snapshot, key)
  if (job === undefined) {
    throw new StoreError('RECORD_CORRUPT', `the job of execution ${id} is missing`, {
      id,
      table: 'specs',
      key: Buffer.from(key).toString('hex'),
      remedy: 'check',
      hint: 'a check tells what else is missing',
    })
  }
  return { ...toChangedExecution(id, row, aheadMs), job: job as ExecutionJob<Spec> }
}

/** Restores an execution without its job from its row. */
export function toChangedExecution(id: string, row: ComputeRow, aheadMs: number): ChangedComputeExecution {
  const { stateSinceMs, deadlineAtMs } = timesOf(row, aheadMs)
  return {
    id,
    requesterId: row.requesterId,
    partition: row.partition ?? null,
    state: row.state,
    stateMessage: row.stateMessage ?? '',
    stateSinceMs,
    endReason: row.endReason ?? null,
    attempt: row.attempt ?? 0,
    rerunnable: row.rerunnable ?? false,
    process: row.process ?? null,
    resources: row.resources ?? null,
    publishedResult: row.publishedResult ?? null,
    runOutput: row.runOutput ?? null,
    acknowledgedRevision: row.acknowledgedRevision ?? 0,
    revision: row.revision,
    createdAtMs: row.createdAtMs,
    modifiedAtMs: row.modifiedAtMs,
    finishedAtMs: row.finishedAtMs ?? null,
    deadlineAtMs,
  }
}
