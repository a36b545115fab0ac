import { checkRecordBytes } from '../arguments/limits.ts'
import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import type { Json } from '../kv/json.ts'
import { idTuple, tuple } from '../kv/tuple.ts'
import type {
  ChangedComputeExecution,
  ComputeExecution,
  ExecutionJob,
  ProcessIdentity,
} from '../model/compute-execution.ts'
import type { DiskNames } from '../rows/field-names.ts'
import type { ReadRecordState } from '../rows/history.ts'
import { type IndexRow, keyRows } from '../rows/index-row.ts'
import { deadlineKey, type Mutation } from '../rows/mutation.ts'
import { RecordTable } from '../rows/record-table.ts'
import { timesOf } from '../rows/state-row.ts'
import { INDEX } from '../rows/tables.ts'
import { COMPUTE_MACHINE, type ComputeState } from '../states/compute-state.ts'
import type { EndReason } from '../states/end-reason.ts'

/** A compute execution's changing part; what is absent is `null`, empty or zero in the model. */
export interface ComputeRow {
  readonly jobId: string
  /** Version of the job. */
  readonly jobVersion: number
  readonly namespace: string
  readonly requesterId: string
  readonly partition?: number
  readonly state: ComputeState
  readonly stateMessage?: string
  readonly stateSinceMs: number
  /** Reason of the end. */
  readonly endReason?: EndReason
  /** Attempts. */
  readonly attempt?: number
  readonly rerunnable?: true
  readonly process?: ProcessIdentity
  readonly resources?: Json
  readonly publishedResult?: Json
  readonly runOutput?: Json
  /** Newest acknowledged revision. */
  readonly acknowledgedRevision?: number
  readonly revision: number
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  readonly finishedAtMs?: number
  readonly deadlineSteadyMs?: number
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

/** The executions of a node, by id. */
export const computeTable: RecordTable<ComputeRow> = new RecordTable<ComputeRow>(
  'executions',
  1,
  COMPUTE_NAMES,
)

/** The job of each execution, by execution. */
export const executionJobTable: RecordTable<ExecutionJob> = new RecordTable<ExecutionJob>('specs', 1)

/** A compute execution as it was read. */
export interface LoadedCompute {
  readonly id: string
  readonly key: Uint8Array
  readonly row: ComputeRow
  readonly bytes: number
}

/** The key of a compute execution. */
export function computeKey(id: string): Uint8Array {
  return idTuple('e', id)
}

/** Loads a compute execution; `undefined` where there is none. */
export function findCompute(snapshot: KvSnapshot, id: string): LoadedCompute | undefined {
  const key = computeKey(id)
  const found = computeTable.load(snapshot, key)
  return found && { id, key, row: found.record, bytes: found.bytes }
}

/** Reads the state of the execution that a history belongs to. */
export const readComputeState: ReadRecordState = (snapshot, ownerKey) => {
  const row = computeTable.get(snapshot, ownerKey)
  return row && { state: row.state, revision: row.revision }
}

/** Loads a compute execution. Throws `EXECUTION_NOT_FOUND`. */
export function loadCompute(snapshot: KvSnapshot, id: string): LoadedCompute {
  const found = findCompute(snapshot, id)
  if (found !== undefined) return found
  throw new StoreError('EXECUTION_NOT_FOUND', `execution not found: ${id}`, {
    id,
    hint: 'list the executions to see what is there',
  })
}

/** Puts an execution and its job together; `aheadMs` is by how much steady time is ahead. Throws `RECORD_CORRUPT` where the job is missing. */
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
      hint: 'run a check with the inspector',
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

/** Beginning of the index keys of a state; those that have not ended stand together before those that have. */
export function computeStatePrefix(state: ComputeState): Uint8Array {
  return tuple(INDEX.executionByState, COMPUTE_MACHINE.terminal.has(state) ? 1 : 0, state)
}

/** The index key that moves with the state. */
function computeStateKey(key: Uint8Array, row: ComputeRow): Uint8Array {
  return tuple(computeStatePrefix(row.state), row.stateSinceMs, key)
}

/** Beginning of the index keys of a job's executions. */
export function computeJobPrefix(jobId: string): Uint8Array {
  return tuple(INDEX.executionByJob, idTuple('j', jobId))
}

/** All index rows of a compute execution. */
export function computeIndexRows({ id, key, row }: Pick<LoadedCompute, 'id' | 'key' | 'row'>): IndexRow[] {
  const keys = [computeJobKey(key, row), computeStateKey(key, row)]
  if (row.deadlineSteadyMs !== undefined) keys.push(deadlineKey(row.deadlineSteadyMs, 'execution', id))
  return keyRows(keys)
}

/** The index key of an execution among its job's. */
function computeJobKey(key: Uint8Array, row: ComputeRow): Uint8Array {
  return tuple(computeJobPrefix(row.jobId), row.createdAtMs, key)
}

/** Replaces an execution's row, and moves index, counters, deadline and feed with it. */
export function replaceComputeRow(mutation: Mutation, before: LoadedCompute, row: ComputeRow): LoadedCompute {
  const { id, key } = before
  const bytes = computeTable.put(mutation.rows, key, row)
  checkRecordBytes(id, bytes)
  if (before.row.state !== row.state || before.row.stateSinceMs !== row.stateSinceMs) {
    mutation.removeIndex(computeStateKey(key, before.row))
    mutation.putIndex(computeStateKey(key, row))
  }
  mutation.moveDeadline('execution', id, before.row.deadlineSteadyMs, row.deadlineSteadyMs)
  mutation.count('execution', row.namespace, before.row.state, -1, -(before.bytes + before.row.jobBytes))
  mutation.count('execution', row.namespace, row.state, 1, bytes + row.jobBytes)
  announceCompute(mutation, id, row, before.row.state, row.state)
  return { id, key, row: computeTable.written(mutation.rows, key, row), bytes }
}

/** Notes an execution's change for the feed; a state of `null` is its removal. */
export function announceCompute(
  mutation: Mutation,
  id: string,
  row: ComputeRow,
  previousState: ComputeState | null,
  state: ComputeState | null,
): void {
  mutation.announce({
    kind: 'execution',
    id,
    jobId: row.jobId,
    namespace: row.namespace,
    operation: state === null ? 'remove' : 'put',
    previousState,
    state,
    revision: row.revision,
  })
}
