import { computeRows, computeTable, executionJobTable } from '../executions/compute-row.ts'
import { computeRowOf } from '../executions/imported-execution.ts'
import { checkVersions, checkWholeJob } from '../jobs/imported-job.ts'
import { jobKey } from '../jobs/job-row.ts'
import type { ComputeExecution } from '../model/compute-execution.ts'
import type { HistoryEntry } from '../model/history.ts'
import type { Job } from '../model/job.ts'
import type { StateCount } from '../model/store-info.ts'
import type { WholeJob } from '../model/whole-job.ts'
import { addToCounter } from '../rows/counters.ts'
import { executionKey } from '../rows/execution-rows.ts'
import { restoreHistoryEntry } from '../rows/history.ts'
import { SCHEMA_VERSION, type StoreKind, writeSequence, writeStoreRow } from '../rows/meta.ts'
import { JobLoad } from './job-load.ts'
import {
  type CountedRecord,
  type LoadRow,
  putEvaluation,
  putExecution,
  putJob,
  RowList,
} from './loaded-rows.ts'

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
    const rows = new RowList()
    const sinceOf = (number: number): number | undefined =>
      job.history.find(({ jobVersion }) => jobVersion === number)?.atMs
    const counts = [putJob(rows, job.versions, newest, sinceOf)]
    let sequence = this.#sequence
    for (const entry of job.history) restoreHistoryEntry(rows, jobKey(id), ++sequence, entry)
    for (const execution of job.executions) counts.push(putExecution(rows, { ...execution, namespace }))
    for (const evaluation of job.evaluations)
      counts.push(putEvaluation(rows, { ...evaluation, namespace }, ++sequence))
    this.#add(rows, counts, sequence)
  }

  /**
   * Begins a job whose records are added one by one, since it is too large to be in memory as a whole. The job itself
   * is there once {@link JobLoad.finish} was called. Throws what {@link addJob} does of the versions of a job, and
   * then nothing was begun.
   */
  beginJob(versions: readonly Job[]): JobLoad {
    const newest = checkVersions(versions)
    // What is refused of the job itself must be so before anything of it is there.
    putJob(new RowList(), versions, newest, () => undefined)
    return new JobLoad(
      newest,
      (rows, counts, sequence) => this.#add(rows, counts, sequence),
      () => this.#sequence,
    )
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

  #add(rows: RowList, counts: readonly CountedRecord[], sequence: number): void {
    this.#target(rows.all)
    this.#sequence = sequence
    for (const { kind, namespace, state, bytes } of counts) {
      const name = JSON.stringify([kind, namespace, state])
      const { records, bytes: before } = this.#counts.get(name) ?? { records: 0, bytes: 0 }
      this.#counts.set(name, { kind, namespace, state, records: records + 1, bytes: before + bytes })
    }
  }
}
