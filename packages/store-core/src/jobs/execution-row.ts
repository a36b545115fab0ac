import { checkRecordBytes } from '../arguments/limits.ts'
import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import type { Json } from '../kv/json.ts'
import { idTuple, tuple } from '../kv/tuple.ts'
import type { Execution } from '../model/execution.ts'
import type { DiskNames } from '../rows/field-names.ts'
import type { ReadRecordState } from '../rows/history.ts'
import { type IndexRow, keyRows } from '../rows/index-row.ts'
import { deadlineKey, type Mutation } from '../rows/mutation.ts'
import { damagedRow } from '../rows/quarantine.ts'
import { isDeleted } from '../rows/reclaim.ts'
import { RecordTable } from '../rows/record-table.ts'
import { timesOf } from '../rows/state-row.ts'
import { INDEX } from '../rows/tables.ts'
import type { EndReason } from '../states/end-reason.ts'
import { type DesiredState, EXECUTION_MACHINE, type ExecutionState } from '../states/execution-state.ts'
import { jobKey, jobTable } from './job-row.ts'

/** An execution as the requester keeps it; what is absent is `null`, empty or zero in the model. */
export interface ExecutionRow {
  readonly jobId: string
  readonly jobVersion: number
  readonly namespace: string
  readonly nodeId: string
  readonly evaluationId?: string
  readonly partition?: number
  readonly state: ExecutionState
  readonly stateMessage?: string
  readonly stateSinceMs: number
  /** Reason of the end. */
  readonly endReason?: EndReason
  readonly desiredState: DesiredState
  readonly desiredMessage?: string
  readonly previousExecutionId?: string
  readonly resources?: Json
  readonly publishedResult?: Json
  readonly runOutput?: Json
  /** Newest applied revision of the compute node. */
  readonly computeRevision?: number
  readonly revision: number
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  readonly finishedAtMs?: number
  readonly deadlineSteadyMs?: number
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

/** The executions, by id. */
export const executionTable: RecordTable<ExecutionRow> = new RecordTable<ExecutionRow>(
  'executions',
  1,
  EXECUTION_NAMES,
)

/** An execution as it was read, with what is needed to write it again. */
export interface LoadedExecution {
  readonly id: string
  readonly key: Uint8Array
  readonly row: ExecutionRow
  readonly bytes: number
}

/** The key of an execution. */
export function executionKey(id: string): Uint8Array {
  return idTuple('e', id)
}

/** Loads an execution; `undefined` where there is none or its job was deleted. */
export function findExecutionRow(snapshot: KvSnapshot, id: string): LoadedExecution | undefined {
  const key = executionKey(id)
  const found = executionTable.load(snapshot, key)
  if (found === undefined || isReclaimed(snapshot, found.record)) return undefined
  return { id, key, row: found.record, bytes: found.bytes }
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

/** Beginning of the index keys of a state; those that have not ended stand together before those that have. */
export function executionStatePrefix(state: ExecutionState): Uint8Array {
  return tuple(INDEX.executionByState, EXECUTION_MACHINE.terminal.has(state) ? 1 : 0, state)
}

/** All index rows of an execution. */
export function executionIndexRows({
  id,
  key,
  row,
}: Pick<LoadedExecution, 'id' | 'key' | 'row'>): IndexRow[] {
  const keys = [...executionCreationKeys(key, row), executionStateKey(key, row)]
  if (row.deadlineSteadyMs !== undefined) keys.push(deadlineKey(row.deadlineSteadyMs, 'execution', id))
  return keyRows(keys)
}

/** The index key that moves with the state. */
function executionStateKey(key: Uint8Array, row: ExecutionRow): Uint8Array {
  return tuple(executionStatePrefix(row.state), row.stateSinceMs, key)
}

/** Index keys that stay as long as the execution. */
function executionCreationKeys(key: Uint8Array, row: ExecutionRow): Uint8Array[] {
  const created = tuple(row.createdAtMs, key)
  return [
    tuple(INDEX.executionByJob, jobKey(row.jobId), created),
    tuple(INDEX.executionByNode, row.nodeId, created),
  ]
}

/** Replaces an execution's row, and moves index, counters, deadline and feed with it. */
export function replaceExecutionRow(
  mutation: Mutation,
  before: LoadedExecution,
  row: ExecutionRow,
): LoadedExecution {
  const { id, key } = before
  const bytes = executionTable.put(mutation.rows, key, row)
  checkRecordBytes(id, bytes)
  if (before.row.state !== row.state || before.row.stateSinceMs !== row.stateSinceMs) {
    mutation.removeIndex(executionStateKey(key, before.row))
    mutation.putIndex(executionStateKey(key, row))
  }
  mutation.moveDeadline('execution', id, before.row.deadlineSteadyMs, row.deadlineSteadyMs)
  mutation.count('execution', row.namespace, before.row.state, -1, -before.bytes)
  mutation.count('execution', row.namespace, row.state, 1, bytes)
  announceExecution(mutation, id, row, before.row.state)
  return { id, key, row: executionTable.written(mutation.rows, key, row), bytes }
}

/** Notes an execution's change for the feed. */
export function announceExecution(
  mutation: Mutation,
  id: string,
  row: ExecutionRow,
  previousState: ExecutionState | null,
): void {
  mutation.announce({
    kind: 'execution',
    id,
    jobId: row.jobId,
    namespace: row.namespace,
    operation: 'put',
    previousState,
    state: row.state,
    revision: row.revision,
  })
}
