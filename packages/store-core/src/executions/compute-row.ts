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
  readonly j: string
  /** Version of the job. */
  readonly v: number
  readonly ns: string
  readonly q: string
  readonly pt?: number
  readonly s: ComputeState
  readonly m?: string
  readonly ss: number
  /** Reason of the end. */
  readonly er?: EndReason
  /** Attempts. */
  readonly a?: number
  readonly rr?: true
  readonly pc?: ProcessIdentity
  readonly rs?: Json
  readonly pr?: Json
  readonly ro?: Json
  /** Newest acknowledged revision. */
  readonly ar?: number
  readonly r: number
  readonly c: number
  readonly md: number
  readonly f?: number
  readonly dl?: number
  /** Bytes of the job that it keeps. */
  readonly b: number
}

/** The executions of a node, by id. */
export const computeTable: RecordTable<ComputeRow> = new RecordTable<ComputeRow>('executions', 1)

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
  return row && { state: row.s, revision: row.r }
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
    requesterId: row.q,
    partition: row.pt ?? null,
    state: row.s,
    stateMessage: row.m ?? '',
    stateSinceMs,
    endReason: row.er ?? null,
    attempt: row.a ?? 0,
    rerunnable: row.rr ?? false,
    process: row.pc ?? null,
    resources: row.rs ?? null,
    publishedResult: row.pr ?? null,
    runOutput: row.ro ?? null,
    acknowledgedRevision: row.ar ?? 0,
    revision: row.r,
    createdAtMs: row.c,
    modifiedAtMs: row.md,
    finishedAtMs: row.f ?? null,
    deadlineAtMs,
  }
}

/** Beginning of the index keys of a state; those that have not ended stand together before those that have. */
export function computeStatePrefix(state: ComputeState): Uint8Array {
  return tuple(INDEX.executionByState, COMPUTE_MACHINE.terminal.has(state) ? 1 : 0, state)
}

/** The index key that moves with the state. */
function computeStateKey(key: Uint8Array, row: ComputeRow): Uint8Array {
  return tuple(computeStatePrefix(row.s), row.ss, key)
}

/** Beginning of the index keys of a job's executions. */
export function computeJobPrefix(jobId: string): Uint8Array {
  return tuple(INDEX.executionByJob, idTuple('j', jobId))
}

/** All index rows of a compute execution. */
export function computeIndexRows({ id, key, row }: Pick<LoadedCompute, 'id' | 'key' | 'row'>): IndexRow[] {
  const keys = [computeJobKey(key, row), computeStateKey(key, row)]
  if (row.dl !== undefined) keys.push(deadlineKey(row.dl, 'execution', id))
  return keyRows(keys)
}

/** The index key of an execution among its job's. */
function computeJobKey(key: Uint8Array, row: ComputeRow): Uint8Array {
  return tuple(computeJobPrefix(row.j), row.c, key)
}

/** Replaces an execution's row, and moves index, counters, deadline and feed with it. */
export function replaceComputeRow(mutation: Mutation, before: LoadedCompute, row: ComputeRow): LoadedCompute {
  const { id, key } = before
  const bytes = computeTable.put(mutation.rows, key, row)
  checkRecordBytes(id, bytes)
  if (before.row.s !== row.s || before.row.ss !== row.ss) {
    mutation.removeIndex(computeStateKey(key, before.row))
    mutation.putIndex(computeStateKey(key, row))
  }
  mutation.moveDeadline('execution', id, before.row.dl, row.dl)
  mutation.count('execution', row.ns, before.row.s, -1, -(before.bytes + before.row.b))
  mutation.count('execution', row.ns, row.s, 1, bytes + row.b)
  announceCompute(mutation, id, row, before.row.s, row.s)
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
    jobId: row.j,
    namespace: row.ns,
    operation: state === null ? 'remove' : 'put',
    previousState,
    state,
    revision: row.r,
  })
}
