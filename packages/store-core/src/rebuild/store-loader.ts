import { StoreError } from '../errors.ts'
import { computeRows, computeTable, executionJobTable } from '../executions/compute-row.ts'
import { computeRowOf } from '../executions/imported-execution.ts'
import { endedKey, evaluationOfJobKey, evaluationTable } from '../jobs/evaluation-row.ts'
import { executionRows, executionTable } from '../jobs/execution-row.ts'
import { checkWholeJob } from '../jobs/imported-job.ts'
import { evaluationRowOf, executionRowOf, jobRowOf, specRowOf } from '../jobs/imported-rows.ts'
import {
  hasEnded,
  type JobRow,
  jobIndexRows,
  jobKey,
  jobTable,
  type SpecRow,
  specKey,
  specTable,
} from '../jobs/job-row.ts'
import { checkKey, checkValue } from '../kv/arguments.ts'
import { type KvRow, type KvTransaction, MAX_TRANSACTION_BYTES } from '../kv/contract.ts'
import { idTuple } from '../kv/tuple.ts'
import type { ComputeExecution } from '../model/compute-execution.ts'
import type { HistoryEntry } from '../model/history.ts'
import type { Job } from '../model/job.ts'
import type { StateCount } from '../model/store-info.ts'
import type { WholeJob } from '../model/whole-job.ts'
import { addToCounter } from '../rows/counters.ts'
import { executionKey } from '../rows/execution-rows.ts'
import { restoreHistoryEntry } from '../rows/history.ts'
import type { IndexRow } from '../rows/index-row.ts'
import { SCHEMA_VERSION, type StoreKind, writeSequence, writeStoreRow } from '../rows/meta.ts'
import type { TableName } from '../rows/tables.ts'

const EMPTY = new Uint8Array(0)

/** What a {@link StoreLoader} needs to know. */
export interface LoadStoreOptions {
  readonly kind: StoreKind
  readonly storeId: string
  readonly nodeId: string | null
  readonly nowMs: number
}

/** An execution of a compute node with its history, oldest entry first. */
export interface LoadedExecution {
  readonly execution: ComputeExecution
  readonly history: readonly HistoryEntry[]
}

/** A row for a store that is being made. */
export interface LoadRow {
  readonly table: TableName
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Takes the rows of one record after the other; each key comes once, in no order. */
export type LoadTarget = (rows: readonly LoadRow[]) => void

/**
 * Makes the rows of a new store of records of another place, which may be in progress: they stand in it as they were,
 * with indexes and counters, and no feed says that they came. Evaluations are not brought back to the queue: whoever
 * opens the store looks at what is in progress anyway.
 */
export class StoreLoader {
  readonly #target: LoadTarget
  readonly #options: LoadStoreOptions
  readonly #counts = new Map<string, StateCount>()
  #sequence = 0

  constructor(target: LoadTarget, options: LoadStoreOptions) {
    this.#target = target
    this.#options = options
  }

  /**
   * Adds a job with everything that belongs to it. Its id, its name, and the ids of its executions and evaluations
   * must be nobody's else, which the caller sees to. Throws `TypeError`, `INVALID_ARGUMENT` or `KEY_TOO_LONG`, and
   * then nothing was added.
   */
  addJob(job: WholeJob): void {
    const newest = checkWholeJob(job)
    const { id, namespace } = newest
    const key = jobKey(id)
    const rows = new RowList()
    const counts: Omit<StateCount, 'records'>[] = []
    let sequence = this.#sequence
    let specBytes = 0
    let ofNewest: SpecRow | undefined
    for (const version of job.versions) {
      const since = job.history.find(({ jobVersion }) => jobVersion === version.version)
      ofNewest = specRowOf(version, since?.atMs ?? version.createdAtMs)
      specBytes += specTable.put(rows, specKey(key, version.version), ofNewest)
    }
    const row = loadedJobRow(newest, specBytes)
    const bytes = jobTable.put(rows, key, row)
    rows.index(jobIndexRows({ id, key, row }, ofNewest))
    counts.push({ kind: 'job', namespace, state: row.state, bytes: bytes + specBytes })
    for (const entry of job.history) restoreHistoryEntry(rows, key, ++sequence, entry)
    for (const execution of job.executions) {
      const own = executionKey(execution.id)
      const its = executionRowOf({ ...execution, namespace })
      counts.push({
        kind: 'execution',
        namespace,
        state: its.state,
        bytes: executionTable.put(rows, own, its),
      })
      rows.index(executionRows.indexRows({ id: execution.id, key: own, row: its }))
    }
    for (const evaluation of job.evaluations) {
      const own = idTuple('v', evaluation.id)
      const its = evaluationRowOf({ ...evaluation, namespace }, ++sequence, 0)
      counts.push({
        kind: 'evaluation',
        namespace,
        state: its.status,
        bytes: evaluationTable.put(rows, own, its),
      })
      rows.put('index', evaluationOfJobKey({ key: own, row: its }), EMPTY)
      rows.put('index', endedKey({ key: own, row: its }), EMPTY)
    }
    this.#add(rows, counts, sequence)
  }

  /**
   * Adds an execution of a compute node. Its id must be nobody's else. Throws `TypeError`, `INVALID_ARGUMENT` or
   * `KEY_TOO_LONG`, and then nothing was added.
   */
  addExecution({ execution, history }: LoadedExecution): void {
    const { id, job } = execution
    const key = executionKey(id)
    const rows = new RowList()
    let sequence = this.#sequence
    for (const entry of history) restoreHistoryEntry(rows, key, ++sequence, entry)
    const jobBytes = executionJobTable.put(rows, key, job)
    const row = computeRowOf(execution, jobBytes)
    const bytes = computeTable.put(rows, key, row)
    rows.index(computeRows.indexRows({ id, key, row }))
    const { namespace, state } = row
    this.#add(rows, [{ kind: 'execution', namespace, state, bytes: bytes + jobBytes }], sequence)
  }

  /** Adds the counters and what the store says of itself. Returns the counts. */
  finish(): readonly StateCount[] {
    const { kind, storeId, nodeId, nowMs } = this.#options
    const counts = [...this.#counts.values()]
    const rows = new RowList()
    writeStoreRow(rows, { kind, schema: SCHEMA_VERSION, storeId, nodeId, createdAtMs: nowMs })
    const newest = this.#sequence
    writeSequence(rows, { newest, newestAtMs: nowMs, feedEntries: 0, feedBytes: 0, trimmed: newest })
    for (const count of counts) addToCounter(rows, count, nowMs)
    this.#target(rows.all)
    return counts
  }

  #add(rows: RowList, counts: readonly Omit<StateCount, 'records'>[], sequence: number): void {
    this.#target(rows.all)
    this.#sequence = sequence
    for (const { kind, namespace, state, bytes } of counts) {
      const name = JSON.stringify([kind, namespace, state])
      const { records, bytes: before } = this.#counts.get(name) ?? { records: 0, bytes: 0 }
      this.#counts.set(name, { kind, namespace, state, records: records + 1, bytes: before + bytes })
    }
  }
}

/** What is put, as a list: of a store that is being made nothing can be read yet. */
class RowList implements KvTransaction {
  readonly all: LoadRow[] = []

  put(table: string, key: Uint8Array, value: Uint8Array): void {
    checkKey(key)
    checkValue(value)
    if (key.length + value.length > MAX_TRANSACTION_BYTES) {
      throw new StoreError(
        'INVALID_ARGUMENT',
        `a row of ${value.length} bytes is longer than a store takes`,
        {
          actual: value.length,
          expected: MAX_TRANSACTION_BYTES,
        },
      )
    }
    this.all.push({ table: table as TableName, key, value })
  }

  index(rows: readonly IndexRow[]): void {
    for (const { key, value } of rows) this.put('index', key, value)
  }

  get(): undefined {
    return undefined
  }

  range(): KvRow[] {
    return []
  }

  keys(): Uint8Array[] {
    return []
  }

  remove(): boolean {
    return false
  }
}

/** A job in progress keeps its deadline; steady time is that of the clock in a store that is new. */
function loadedJobRow(job: Job, specBytes: number): JobRow {
  const row = jobRowOf(job, specBytes)
  return hasEnded(row) || job.deadlineAtMs === null ? row : { ...row, deadlineSteadyMs: job.deadlineAtMs }
}
