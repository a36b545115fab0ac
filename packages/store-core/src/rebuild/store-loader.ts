import { computeRows, computeTable, executionJobTable } from '../executions/compute-row.ts'
import { computeRowOf } from '../executions/imported-execution.ts'
import { endedKey, evaluationOfJobKey, evaluationTable } from '../jobs/evaluation-row.ts'
import { executionRows, executionTable } from '../jobs/execution-row.ts'
import { checkWholeJob } from '../jobs/imported-job.ts'
import { evaluationRowOf, executionRowOf, jobRowOf, specRowOf } from '../jobs/imported-rows.ts'
import { hasEnded, type JobRow, jobIndexRows, jobKey, jobTable, specKey, specTable } from '../jobs/job-row.ts'
import type { KvStore, KvTransaction } from '../kv/contract.ts'
import { jsonText } from '../kv/json-text.ts'
import { idTuple } from '../kv/tuple.ts'
import type { ComputeExecution } from '../model/compute-execution.ts'
import type { HistoryEntry } from '../model/history.ts'
import type { Job } from '../model/job.ts'
import type { StateCount } from '../model/store-info.ts'
import type { WholeJob } from '../model/whole-job.ts'
import { addToCounter } from '../rows/counters.ts'
import { executionKey } from '../rows/execution-rows.ts'
import { restoreHistoryEntry } from '../rows/history.ts'
import { SCHEMA_VERSION, type StoreKind, writeSequence, writeStoreRow } from '../rows/meta.ts'

/** Rows and bytes that one transaction writes, about. */
const STEP_KEYS = 1_500
const STEP_BYTES = 3 * 1024 * 1024

/** About as many bytes as an entry of a history takes without its words. */
const HISTORY_BYTES = 300
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

/** The few rows of one record. */
interface Piece {
  readonly keys: number
  readonly bytes: number
  /** Writes them, and returns what is counted of them; called again where its transaction is. */
  readonly write: (rows: KvTransaction) => Omit<StateCount, 'records'> | null
}

/**
 * Fills a new store with records of another place, which may be in progress: they stand in it as they were, with
 * indexes and counters, and no feed says that they came. Not atomic, so it is for a file that nobody else uses.
 * Evaluations are not brought back to the queue: whoever opens the store looks at what is in progress anyway.
 */
export class StoreLoader {
  readonly #kv: KvStore
  readonly #options: LoadStoreOptions
  readonly #counts = new Map<string, StateCount>()
  #sequence = 0
  #pieces: Piece[] = []
  #keys = 0
  #bytes = 0

  constructor(kv: KvStore, options: LoadStoreOptions) {
    this.#kv = kv
    this.#options = options
  }

  /**
   * Adds a job with everything that belongs to it. Its id, its name, and the ids of its executions and evaluations
   * must be nobody's else, which the caller sees to. Throws `TypeError` or `INVALID_ARGUMENT` before anything is
   * written of it.
   */
  async addJob(job: WholeJob): Promise<void> {
    const newest = checkWholeJob(job)
    const { id, namespace } = newest
    const key = jobKey(id)
    const specs = job.versions.map((version) => {
      const since = job.history.find(({ jobVersion }) => jobVersion === version.version)
      return specRowOf(version, since?.atMs ?? version.createdAtMs)
    })
    const numbered = this.#numbered(job.history)
    this.#add(8 + specs.length + 2 * Object.keys(newest.labels).length, sizeOf(job.versions), (rows) => {
      let specBytes = 0
      for (const [index, spec] of specs.entries())
        specBytes += specTable.put(rows, specKey(key, index + 1), spec)
      const row = loadedJobRow(newest, specBytes)
      const bytes = jobTable.put(rows, key, row)
      const ofNewest = specs.at(-1)
      for (const index of jobIndexRows({ id, key, row }, ofNewest)) rows.put('index', index.key, index.value)
      return { kind: 'job', namespace, state: row.state, bytes: bytes + specBytes }
    })
    for (const execution of job.executions) {
      const row = executionRowOf({ ...execution, namespace })
      const own = executionKey(execution.id)
      this.#add(5, sizeOf(execution), (rows) => {
        const bytes = executionTable.put(rows, own, row)
        for (const index of executionRows.indexRows({ id: execution.id, key: own, row }))
          rows.put('index', index.key, index.value)
        return { kind: 'execution', namespace, state: row.state, bytes }
      })
    }
    for (const evaluation of job.evaluations) {
      const sequence = this.#next()
      const row = evaluationRowOf({ ...evaluation, namespace }, sequence, 0)
      const own = idTuple('v', evaluation.id)
      this.#add(3, HISTORY_BYTES + evaluation.comment.length, (rows) => {
        const bytes = evaluationTable.put(rows, own, row)
        rows.put('index', evaluationOfJobKey({ key: own, row }), EMPTY)
        rows.put('index', endedKey({ key: own, row }), EMPTY)
        return { kind: 'evaluation', namespace, state: row.status, bytes }
      })
    }
    this.#addHistory(key, numbered)
    await this.#flushWhereFull()
  }

  /**
   * Adds an execution of a compute node. Its id must be nobody's else. Throws `TypeError` or `INVALID_ARGUMENT` before
   * anything is written of it.
   */
  async addExecution({ execution, history }: LoadedExecution): Promise<void> {
    const { id, job } = execution
    const key = executionKey(id)
    const numbered = this.#numbered(history)
    this.#add(6, sizeOf(execution), (rows) => {
      const jobBytes = executionJobTable.put(rows, key, job)
      const row = computeRowOf(execution, jobBytes)
      const bytes = computeTable.put(rows, key, row)
      for (const index of computeRows.indexRows({ id, key, row })) rows.put('index', index.key, index.value)
      return { kind: 'execution', namespace: row.namespace, state: row.state, bytes: bytes + jobBytes }
    })
    this.#addHistory(key, numbered)
    await this.#flushWhereFull()
  }

  /** Writes what is left, the counters and what the store says of itself. Resolves with the counts. */
  async finish(): Promise<readonly StateCount[]> {
    await this.#flush()
    const { kind, storeId, nodeId, nowMs } = this.#options
    const counts = [...this.#counts.values()]
    await this.#kv.write((rows) => {
      writeStoreRow(rows, { kind, schema: SCHEMA_VERSION, storeId, nodeId, createdAtMs: nowMs })
      const newest = this.#sequence
      writeSequence(rows, { newest, newestAtMs: nowMs, feedEntries: 0, feedBytes: 0, trimmed: newest })
      for (const count of counts) addToCounter(rows, count, nowMs)
    })
    return counts
  }

  #next(): number {
    this.#sequence += 1
    return this.#sequence
  }

  #numbered(history: readonly HistoryEntry[]): readonly (readonly [number, HistoryEntry])[] {
    return history.map((entry) => [this.#next(), entry])
  }

  #addHistory(ownerKey: Uint8Array, numbered: readonly (readonly [number, HistoryEntry])[]): void {
    for (const [sequence, entry] of numbered)
      this.#add(1, HISTORY_BYTES + entry.event.message.length, (rows) => {
        restoreHistoryEntry(rows, ownerKey, sequence, entry)
        return null
      })
  }

  #add(keys: number, bytes: number, write: Piece['write']): void {
    this.#pieces.push({ keys, bytes, write })
    this.#keys += keys
    this.#bytes += bytes
  }

  #count({ kind, namespace, state, bytes }: Omit<StateCount, 'records'>): void {
    const name = JSON.stringify([kind, namespace, state])
    const { records, bytes: before } = this.#counts.get(name) ?? { records: 0, bytes: 0 }
    this.#counts.set(name, { kind, namespace, state, records: records + 1, bytes: before + bytes })
  }

  async #flushWhereFull(): Promise<void> {
    if (this.#keys >= STEP_KEYS || this.#bytes >= STEP_BYTES) await this.#flush()
  }

  async #flush(): Promise<void> {
    const pieces = this.#pieces
    this.#pieces = []
    this.#keys = 0
    this.#bytes = 0
    for (const step of stepsOf(pieces)) {
      const counted = await this.#kv.write((rows) => step.map(({ write }) => write(rows)))
      for (const count of counted) if (count !== null) this.#count(count)
    }
  }
}

/** Splits what is to be written into as much as fits into one transaction each. */
function stepsOf(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const steps: Piece[][] = []
  let step: Piece[] = []
  let keys = 0
  let bytes = 0
  for (const piece of pieces) {
    if (step.length > 0 && (keys + piece.keys > STEP_KEYS || bytes + piece.bytes > STEP_BYTES)) {
      steps.push(step)
      step = []
      keys = 0
      bytes = 0
    }
    step.push(piece)
    keys += piece.keys
    bytes += piece.bytes
  }
  return step.length === 0 ? steps : [...steps, step]
}

/** A job in progress keeps its deadline; steady time is that of the clock in a store that is new. */
function loadedJobRow(job: Job, specBytes: number): JobRow {
  const row = jobRowOf(job, specBytes)
  return hasEnded(row) || job.deadlineAtMs === null ? row : { ...row, deadlineSteadyMs: job.deadlineAtMs }
}

function sizeOf(record: unknown): number {
  return jsonText('record to be loaded', record).length
}
