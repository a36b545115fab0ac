import type { Evaluation, Execution, HistoryEntry, Job } from '@saltcod/store-core'
import type { JobSpec } from '../spec/job-spec.ts'
import { HistoryChain, type HistoryRecord } from './history-chain.ts'
import { orLeftOut, type TellHere } from './note.ts'
import type { Numbering } from './numbering.ts'
import { type ExecutionJob, readExecution } from './read-execution.ts'
import { type HistoryBucket, readHistoryRecord } from './read-history.ts'
import {
  executionJobOf,
  executionsNamedIn,
  HISTORY_CONCLUSION,
  lastNumbersOf,
  type ReadVersion,
  readEvaluation,
  readVersions,
  tellerOf,
} from './read-job.ts'
import { JobSettling, type SettleOptions } from './settle.ts'
import type { StoredJob, StoredValue } from './stored-job.ts'

const SILENT = (): void => {}

/** The job itself, without its records. */
export type StoredJobHead = Pick<StoredJob, 'id' | 'spec' | 'versions'>

/**
 * A job that is too large to be in memory as a whole, read record by record and settled as by `settleJob`: some
 * hundred bytes of each execution stay. All of the history is seen first, then come the executions, then the history
 * in its order, then {@link end} and {@link versions}; evaluations at any time.
 */
export class JobInParts {
  readonly #stored: StoredJobHead
  readonly #options: SettleOptions
  readonly #numbering: Numbering
  readonly #versions: readonly ReadVersion[]
  readonly #newest: ReadVersion
  readonly #job: ExecutionJob
  readonly #settling: JobSettling
  readonly #chain: HistoryChain
  readonly #lastNumbers = new Map<string, number>()
  readonly #inLaterHistory = new Set<string>()
  #hasLaterHistory = false
  #evaluations = 0
  #stateSinceMs: number

  private constructor(
    stored: StoredJobHead,
    versions: readonly ReadVersion[],
    newest: ReadVersion,
    numbering: Numbering,
    options: SettleOptions,
  ) {
    this.#stored = stored
    this.#options = options
    this.#numbering = numbering
    this.#versions = versions
    this.#newest = newest
    this.#job = executionJobOf(newest, stored)
    this.#settling = new JobSettling(newest, options)
    this.#chain = new HistoryChain({ ...this.#job, state: newest.state, revision: newest.revision })
    this.#stateSinceMs = newest.stateSinceMs
  }

  /** Begins with the job itself; `null` where it cannot be read, which is told. */
  static begin(stored: StoredJobHead, numbering: Numbering, options: SettleOptions): JobInParts | null {
    const tell = tellerOf(options.tell, 'job', stored.id, `jobs/${stored.id}/spec`)
    const versions = orLeftOut(
      () => readVersions(stored, tell),
      (kind, code, message) =>
        tell(kind, code, kind === 'left-out' ? `${message}, with all that belongs to it` : message),
    )
    const newest = versions?.at(-1)
    return versions === undefined || newest === undefined
      ? null
      : new JobInParts(stored, versions, newest, numbering, options)
  }

  /** The job as it is before its history was read: all that a store needs to know to take its records. */
  get before(): readonly Job<JobSpec>[] {
    return this.#versions.map((version) => this.#settling.version(ofStore(version)))
  }

  /** Sees an entry of the history that will come. */
  see(bucket: HistoryBucket, value: StoredValue): void {
    const record = readHistoryRecord(bucket, value, this.#job, SILENT)
    if (record !== undefined) this.#chain.expect(record)
    if (bucket === 'history') this.#hasLaterHistory = true
    // Where nothing else tells by which numbers states are written, an older history does.
    if (this.#numbering === 'earlier') return
    if (bucket === 'execution_history')
      for (const [id, number] of lastNumbersOf([value])) this.#lastNumbers.set(id, number)
    if (bucket === 'history') for (const id of executionsNamedIn([value])) this.#inLaterHistory.add(id)
  }

  /** Reads an execution, and ends one that was in progress; `null` where it cannot be read, which is told. */
  execution(value: StoredValue): Execution | null {
    const { key } = value
    const tell = this.#tellerOf('execution', key, `executions/${key}`)
    const facts = {
      ofFile: this.#numbering,
      lastInHistory: this.#lastNumbers.get(key) ?? null,
      inLaterHistory: this.#inLaterHistory.has(key),
    }
    const read = orLeftOut(() => readExecution(value, this.#job, facts, tell), tell)
    if (read === undefined) return null
    this.#chain.stands(read)
    return this.#settling.execution(read)
  }

  /** Reads an evaluation, and closes it; `null` likewise. */
  evaluation(value: StoredValue): Evaluation | null {
    this.#evaluations += 1
    const tell = this.#tellerOf('evaluation', value.key, `evaluations/${value.key}`)
    const read = orLeftOut(() => readEvaluation(value, this.#newest, this.#evaluations, tell), tell)
    return read === undefined ? null : this.#settling.evaluation(read)
  }

  /** Reads an entry of the history, whose place in the order of time is yet to be found. */
  record(bucket: HistoryBucket, value: StoredValue): HistoryRecord | null {
    const tell = this.#tellerOf('history', this.#stored.id, `${bucket}/${value.key}`)
    return readHistoryRecord(bucket, value, this.#job, tell) ?? null
  }

  /** Makes of it the next entry of the history. */
  entry(record: HistoryRecord): HistoryEntry {
    const entry = this.#chain.next(record)
    const isChange = entry.newState === this.#newest.state && entry.previousState !== entry.newState
    if (entry.executionId === null && isChange) this.#stateSinceMs = entry.atMs
    return entry
  }

  /** Returns what the history says at its end, of what was settled. */
  end(): readonly HistoryEntry[] {
    const tell = this.#tellerOf('job', this.#stored.id, 'spec')
    if (this.#hasLaterHistory) tell('derived', 'history-conclusion', HISTORY_CONCLUSION)
    return this.#settling.end((executionId) => this.#chain.stateOf(executionId), this.#chain.entries)
  }

  /** Returns the job as it is once all of its history was read. */
  versions(): readonly Job<JobSpec>[] {
    return this.#versions.map((version) =>
      this.#settling.version({ ...ofStore(version), stateSinceMs: this.#stateSinceMs }),
    )
  }

  #tellerOf(record: Parameters<typeof tellerOf>[1], id: string, place: string): TellHere {
    return tellerOf(this.#options.tell, record, id, `jobs/${this.#stored.id}/${place}`)
  }
}

function ofStore({ storedVersion: _, ...version }: ReadVersion): Job<JobSpec> {
  return version
}
