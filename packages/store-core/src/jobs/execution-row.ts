import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { tuple } from '../kv/tuple.ts'
import type { Execution } from '../model/execution.ts'
import {
  EXECUTION_FIELDS_SHAPE,
  type ExecutionFields,
  ExecutionRows,
  executionKey,
  type LoadedRow,
} from '../rows/execution-rows.ts'
import type { DiskNames } from '../rows/field-names.ts'
import type { ReadRecordState } from '../rows/history.ts'
import { damagedRow } from '../rows/quarantine.ts'
import { isDeleted } from '../rows/reclaim.ts'
import { RecordTable } from '../rows/record-table.ts'
import { isKeyText, isNumber, isText, optional, type RowShape } from '../rows/row-shape.ts'
import { timesOf } from '../rows/state-row.ts'
import { INDEX } from '../rows/tables.ts'
import { type DesiredState, EXECUTION_MACHINE, type ExecutionState } from '../states/execution-state.ts'
import { jobKey, jobTable } from './job-row.ts'

/** An execution as the requester keeps it. */
export interface ExecutionRow extends ExecutionFields<ExecutionState> {
  readonly nodeId: string
  readonly evaluationId?: string
  readonly desiredState: DesiredState
  readonly desiredMessage?: string
  readonly previousExecutionId?: string
  readonly endsBefore?: number
  /** Newest applied revision of the compute node. */
  readonly computeRevision?: number
}

/** The names of {@link ExecutionRow} on disk. */
export const EXECUTION_NAMES: DiskNames<ExecutionRow> = {
  jobId: 'j',
  jobVersion: 'v',
  namespace: 'ns',
  nodeId: 'n',
  evaluationId: 'ev',
  partition: 'pt',
  state: 's',
  stateMessage: 'm',
  stateSinceMs: 'ss',
  endReason: 'er',
  desiredState: 'd',
  desiredMessage: 'dm',
  previousExecutionId: 'pe',
  endsBefore: 'eb',
  resources: 'rs',
  publishedResult: 'pr',
  runOutput: 'ro',
  computeRevision: 'cr',
  revision: 'r',
  createdAtMs: 'c',
  modifiedAtMs: 'md',
  finishedAtMs: 'f',
  deadlineSteadyMs: 'dl',
}

const EXECUTION_SHAPE: RowShape<ExecutionRow> = {
  ...EXECUTION_FIELDS_SHAPE,
  nodeId: isKeyText,
  evaluationId: optional(isText),
  desiredState: isText,
  desiredMessage: optional(isText),
  previousExecutionId: optional(isText),
  endsBefore: optional(isNumber),
  computeRevision: optional(isNumber),
}

/** The executions, by id. */
export const executionTable: RecordTable<ExecutionRow> = new RecordTable<ExecutionRow>(
  'executions',
  1,
  EXECUTION_NAMES,
  EXECUTION_SHAPE,
)

/** How executions are written. */
export const executionRows: ExecutionRows<ExecutionState, ExecutionRow> = new ExecutionRows({
  table: executionTable,
  machine: EXECUTION_MACHINE,
  ownKeys: (key, row) => [tuple(INDEX.executionByNode, row.nodeId, row.createdAtMs, key)],
})

/** An execution as it was read, with what is needed to write it again. */
export type LoadedExecution = LoadedRow<ExecutionRow>

/** Loads an execution; `undefined` where there is none or its job was deleted. */
export function findExecutionRow(snapshot: KvSnapshot, id: string): LoadedExecution | undefined {
  const found = executionRows.find(snapshot, id)
  return found === undefined || isReclaimed(snapshot, found.row) ? undefined : found
}

/** Reads the state of what an entry in a job's history is about: the job itself, or an execution. */
export const readRecordState: ReadRecordState = (snapshot, ownerKey, subject) => {
  const isJob = Buffer.compare(jobKey(subject), ownerKey) === 0
  const row = isJob ? jobTable.get(snapshot, ownerKey) : executionTable.get(snapshot, executionKey(subject))
  return row && { state: row.state, revision: row.revision }
}

/** Tells whether an execution belongs to a job that was deleted and waits for its rows to be removed. */
export function isReclaimed(snapshot: KvSnapshot, row: { readonly jobId: string }): boolean {
  return isDeleted(snapshot, jobKey(row.jobId))
}

/** Tells whether there is no such execution, or its job was deleted; a damaged one counts as there. */
export function isGoneExecution(snapshot: KvSnapshot, id: string): boolean {
  try {
    return findExecutionRow(snapshot, id) === undefined
  } catch (error) {
    if (damagedRow(error) === null) throw error
    return false
  }
}

/** Loads an execution. Throws `EXECUTION_NOT_FOUND`. */
export function loadExecution(snapshot: KvSnapshot, id: string): LoadedExecution {
  const execution = findExecutionRow(snapshot, id)
  if (execution !== undefined) return execution
  throw executionNotFound(id)
}

/** Makes the error for an execution that is not there, or not where it was looked for. */
export function executionNotFound(id: string): StoreError {
  return new StoreError('EXECUTION_NOT_FOUND', `execution not found: ${id}`, {
    id,
    hint: 'list the executions of the job to see what is there',
  })
}

/** Restores an execution from its row; `aheadMs` is by how much steady time is ahead. */
export function toExecution(id: string, row: ExecutionRow, aheadMs: number): Execution {
  const { stateSinceMs, deadlineAtMs } = timesOf(row, aheadMs)
  return {
    id,
    jobId: row.jobId,
    jobVersion: row.jobVersion,
    namespace: row.namespace,
    nodeId: row.nodeId,
    evaluationId: row.evaluationId ?? null,
    partition: row.partition ?? null,
    state: row.state,
    stateMessage: row.stateMessage ?? '',
    stateSinceMs,
    endReason: row.endReason ?? null,
    desiredState: row.desiredState,
    desiredMessage: row.desiredMessage ?? '',
    previousExecutionId: row.previousExecutionId ?? null,
    endsBefore: row.endsBefore ?? 0,
    resources: row.resources ?? null,
    publishedResult: row.publishedResult ?? null,
    runOutput: row.runOutput ?? null,
    computeRevision: row.computeRevision ?? 0,
    revision: row.revision,
    createdAtMs: row.createdAtMs,
    modifiedAtMs: row.modifiedAtMs,
    finishedAtMs: row.finishedAtMs ?? null,
    deadlineAtMs,
  }
}
