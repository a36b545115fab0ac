import { requireOptionalJson, requireOptionalText } from '../arguments/argument-types.ts'
import { checkRecordBytes, checkTime } from '../arguments/limits.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import type { Json } from '../kv/json.ts'
import { idTuple, tuple } from '../kv/tuple.ts'
import type { EventInput } from '../model/history.ts'
import type { EndReason } from '../states/end-reason.ts'
import type { StateMachine } from '../states/transitions.ts'
import { type IndexRow, keyRows } from './index-row.ts'
import { deadlineKey, type Mutation } from './mutation.ts'
import type { RecordTable } from './record-table.ts'
import { isJson, isKeyText, isNumber, isOrdinal, isText, optional, type RowShape } from './row-shape.ts'
import { type Draft, inState, STATE_SHAPE, type StateRow, setFields } from './state-row.ts'
import { INDEX } from './tables.ts'

/** What the row of an execution has in both kinds of store; what is absent is `null`, empty or zero in the model. */
export interface ExecutionFields<State extends string> extends StateRow<State> {
  readonly jobId: string
  readonly jobVersion: number
  readonly namespace: string
  readonly partition?: number
  readonly endReason?: EndReason
  readonly resources?: Json
  readonly publishedResult?: Json
  readonly runOutput?: Json
  readonly revision: number
  readonly createdAtMs: number
  readonly modifiedAtMs: number
}

/** What the fields of {@link ExecutionFields} may hold. */
export const EXECUTION_FIELDS_SHAPE: RowShape<ExecutionFields<string>> = {
  ...STATE_SHAPE,
  jobId: isKeyText,
  jobVersion: isOrdinal,
  namespace: isKeyText,
  partition: optional(isNumber),
  endReason: optional(isText),
  resources: optional(isJson),
  publishedResult: optional(isJson),
  runOutput: optional(isJson),
  revision: isNumber,
  createdAtMs: isNumber,
  modifiedAtMs: isNumber,
}

/** An execution as it was read, with what is needed to write it again. */
export interface LoadedRow<Row> {
  readonly id: string
  readonly key: Uint8Array
  readonly row: Row
  /** Length of the stored row. */
  readonly bytes: number
}

/** Fields that a change may set in an execution of either kind of store. */
interface SharedPatch {
  readonly resources?: Json
  readonly publishedResult?: Json
  readonly runOutput?: Json
  readonly deadlineAtMs?: number | null
}

/** A change of an execution: a state, other fields, or both. */
export interface RowChange<State extends string, Row> {
  readonly to: State | null
  readonly endReason?: EndReason | undefined
  readonly message?: string | undefined
  readonly event?: EventInput | undefined
  /** Those that are `undefined` stay, `null` clears. */
  readonly fields: Readonly<Partial<Record<keyof Row, unknown>>>
}

/** How the executions of one kind of store are kept. */
export interface ExecutionRowsOptions<State extends string, Row> {
  readonly table: RecordTable<Row>
  readonly machine: StateMachine<State>
  /** Index keys of this kind alone, which stay as long as the execution. */
  readonly ownKeys?: (key: Uint8Array, row: Row) => readonly Uint8Array[]
  /** Bytes that are counted with the row. Default: none. */
  readonly ownBytes?: (row: Row) => number
}

/** The key of an execution. */
export function executionKey(id: string): Uint8Array {
  return idTuple('e', id)
}

/** Beginning of the index keys of a job's executions. */
export function executionsOfJob(jobId: string): Uint8Array {
  return tuple(INDEX.executionByJob, idTuple('j', jobId))
}

/**
 * Checks the fields that a change may set in an execution, on either side. Throws `TypeError` or `INVALID_ARGUMENT`.
 */
export function checkSharedPatch(patch: SharedPatch, where: '' | 'patch.' = ''): void {
  requireOptionalJson(`${where}resources`, patch.resources)
  requireOptionalJson(`${where}publishedResult`, patch.publishedResult)
  requireOptionalJson(`${where}runOutput`, patch.runOutput)
  checkTime('deadline', patch.deadlineAtMs)
}

/** Returns the fields of a row that a change sets on either side. */
export function sharedFields(
  mutation: Mutation,
  { resources, publishedResult, runOutput, deadlineAtMs }: SharedPatch,
): Partial<Record<keyof ExecutionFields<string>, unknown>> {
  return {
    resources,
    publishedResult,
    runOutput,
    deadlineSteadyMs: mutation.steadyDeadline(deadlineAtMs),
  }
}

/** The executions of one kind of store: how they are written with their indexes, counters, deadlines and feed. */
export class ExecutionRows<State extends string, Row extends ExecutionFields<State>> {
  readonly table: RecordTable<Row>
  readonly machine: StateMachine<State>
  readonly #ownKeys: (key: Uint8Array, row: Row) => readonly Uint8Array[]
  readonly #ownBytes: (row: Row) => number

  constructor({ table, machine, ownKeys = () => [], ownBytes = () => 0 }: ExecutionRowsOptions<State, Row>) {
    this.table = table
    this.machine = machine
    this.#ownKeys = ownKeys
    this.#ownBytes = ownBytes
  }

  /** Loads an execution; `undefined` where there is none. */
  find(snapshot: KvSnapshot, id: string): LoadedRow<Row> | undefined {
    const key = executionKey(id)
    const found = this.table.load(snapshot, key)
    return found && { id, key, row: found.record, bytes: found.bytes }
  }

  /** Beginning of the index keys of a state; those that have not ended stand together before those that have. */
  statePrefix(state: State): Uint8Array {
    return tuple(INDEX.executionByState, this.machine.terminal.has(state) ? 1 : 0, state)
  }

  /** All index rows of an execution. */
  indexRows({ id, key, row }: Pick<LoadedRow<Row>, 'id' | 'key' | 'row'>): IndexRow[] {
    const ofJob = tuple(executionsOfJob(row.jobId), row.createdAtMs, key)
    const keys = [ofJob, ...this.#ownKeys(key, row), this.#stateKey(key, row)]
    if (row.deadlineSteadyMs !== undefined) keys.push(deadlineKey(row.deadlineSteadyMs, 'execution', id))
    return keyRows(keys)
  }

  /** Writes a new execution; its caller writes history and feed. */
  insert(mutation: Mutation, id: string, key: Uint8Array, row: Row): LoadedRow<Row> {
    const bytes = this.table.put(mutation.rows, key, row)
    checkRecordBytes(id, bytes)
    for (const index of this.indexRows({ id, key, row })) mutation.putIndex(index.key)
    mutation.count('execution', row.namespace, row.state, 1, bytes + this.#ownBytes(row))
    return { id, key, row: this.table.written(mutation.rows, key, row), bytes }
  }

  /** Returns a row as a change makes it, of the next revision. */
  changed(
    mutation: Mutation,
    before: Row,
    { to, endReason, message, event, fields }: RowChange<State, Row>,
  ): Row {
    requireOptionalText('message', message)
    const text = message ?? event?.message ?? ''
    const draft: Draft<Row> = to === null ? { ...before } : inState(this.machine, before, to, text, mutation)
    setFields(draft, fields)
    const shared = draft as Draft<ExecutionFields<State>>
    if (endReason !== undefined) shared.endReason = endReason
    shared.revision = before.revision + 1
    shared.modifiedAtMs = mutation.nowMs
    return draft
  }

  /** Replaces an execution's row, and moves index, counters, deadline and feed with it. */
  replace(mutation: Mutation, before: LoadedRow<Row>, row: Row): LoadedRow<Row> {
    const { id, key, row: old } = before
    const bytes = this.table.put(mutation.rows, key, row)
    checkRecordBytes(id, bytes)
    if (old.state !== row.state || old.stateSinceMs !== row.stateSinceMs) {
      mutation.removeIndex(this.#stateKey(key, old))
      mutation.putIndex(this.#stateKey(key, row))
    }
    mutation.moveDeadline('execution', id, old.deadlineSteadyMs, row.deadlineSteadyMs)
    mutation.count('execution', row.namespace, old.state, -1, -(before.bytes + this.#ownBytes(old)))
    mutation.count('execution', row.namespace, row.state, 1, bytes + this.#ownBytes(row))
    this.announce(mutation, id, row, old.state)
    return { id, key, row: this.table.written(mutation.rows, key, row), bytes }
  }

  /** Notes an execution's change for the feed; a state of `null` is its removal. */
  announce(
    mutation: Mutation,
    id: string,
    row: Row,
    previousState: State | null,
    state: State | null = row.state,
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

  /** The index key that moves with the state. */
  #stateKey(key: Uint8Array, row: Row): Uint8Array {
    return tuple(this.statePrefix(row.state), row.stateSinceMs, key)
  }
}
