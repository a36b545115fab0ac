import { checkEvaluation, checkExecution, checkVersions, FollowedHistory } from '../jobs/imported-job.ts'
import { jobKey } from '../jobs/job-row.ts'
import type { Evaluation } from '../model/evaluation.ts'
import type { Execution } from '../model/execution.ts'
import type { HistoryEntry } from '../model/history.ts'
import type { Job } from '../model/job.ts'
import { restoreHistoryEntry } from '../rows/history.ts'
import { type CountedRecord, putEvaluation, putExecution, putJob, RowList } from './loaded-rows.ts'

/** Takes rows, what they count as, and the last sequence number of them. */
type AddRows = (rows: RowList, counts: readonly CountedRecord[], sequence: number) => void

/**
 * A job that is added to a new store record by record. Each method throws `TypeError`, `INVALID_ARGUMENT` or
 * `KEY_TOO_LONG`, and then that record was not added. The ids of executions and evaluations must be nobody's else. The
 * history of each record ends where that stands, which the caller sees to.
 */
export class JobLoad {
  readonly #newest: Job
  readonly #add: AddRows
  readonly #sequence: () => number
  readonly #followed: FollowedHistory
  readonly #since = new Map<number, number>()

  constructor(newest: Job, add: AddRows, sequence: () => number) {
    this.#newest = newest
    this.#add = add
    this.#sequence = sequence
    this.#followed = new FollowedHistory(newest)
  }

  /** Adds an execution. */
  addExecution(execution: Execution): void {
    checkExecution(execution, this.#newest, `execution ${execution.id}`)
    const rows = new RowList()
    const count = putExecution(rows, { ...execution, namespace: this.#newest.namespace })
    this.#add(rows, [count], this.#sequence())
  }

  /** Adds an evaluation. */
  addEvaluation(evaluation: Evaluation): void {
    checkEvaluation(evaluation, this.#newest)
    const rows = new RowList()
    const sequence = this.#sequence() + 1
    const count = putEvaluation(rows, { ...evaluation, namespace: this.#newest.namespace }, sequence)
    this.#add(rows, [count], sequence)
  }

  /** Adds the next entry of its history, oldest first. */
  addHistory(entry: HistoryEntry): void {
    const rows = new RowList()
    const sequence = this.#sequence() + 1
    restoreHistoryEntry(rows, jobKey(this.#newest.id), sequence, entry)
    this.#followed.check(entry, `history entry ${entry.sequence}`)
    this.#add(rows, [], sequence)
    if (!this.#since.has(entry.jobVersion)) this.#since.set(entry.jobVersion, entry.atMs)
  }

  /** Adds the job itself: the versions that it was begun with, and where it stands. */
  finish(versions: readonly Job[]): void {
    const newest = checkVersions(versions)
    this.#followed.checkEnd(newest)
    const rows = new RowList()
    const count = putJob(rows, versions, newest, (version) => this.#since.get(version))
    this.#add(rows, [count], this.#sequence())
  }
}
