import type { Tell } from '@saltcod/bacalhau-records'
import type { Evaluation, Execution, HistoryEntry, Job } from '@saltcod/store-core'
import type { JobLoad } from '@saltcod/store-core/format'
import { leftOut, refusalOf } from './refused-record.ts'

/** Tells whether an id is that of no other job's record; where it is not, that is told. */
export type IsOwn = (kind: 'execution' | 'evaluation', id: string, jobId: string) => boolean

/** Adds a job to a store that is being made record by record, without what it does not take, which is told. */
export class FittingLoad {
  readonly #id: string
  readonly #load: JobLoad
  readonly #isOwn: IsOwn
  readonly #tell: Tell
  executions = 0
  evaluations = 0
  history = 0

  constructor(id: string, load: JobLoad, isOwn: IsOwn, tell: Tell) {
    this.#id = id
    this.#load = load
    this.#isOwn = isOwn
    this.#tell = tell
  }

  addExecution(execution: Execution): void {
    const { id } = execution
    if (!this.#isOwn('execution', id, this.#id)) return
    const problem = refusalOf(() => this.#load.addExecution(execution))
    if (problem === null) this.executions += 1
    else this.#tell(leftOut('execution', id, `jobs/${this.#id}/executions/${id}`, problem))
  }

  addEvaluation(evaluation: Evaluation): void {
    const { id } = evaluation
    if (!this.#isOwn('evaluation', id, this.#id)) return
    const problem = refusalOf(() => this.#load.addEvaluation(evaluation))
    if (problem === null) this.evaluations += 1
    else this.#tell(leftOut('evaluation', id, `jobs/${this.#id}/evaluations/${id}`, problem))
  }

  /** Adds an entry. One whose words are refused comes without them: those behind it begin where it ends. */
  addHistory(entry: HistoryEntry): void {
    const place = `jobs/${this.#id}/history/${entry.sequence}`
    const problem = refusalOf(() => this.#load.addHistory(entry))
    const bare = { ...entry, nodeId: null, event: { message: '', topic: '', details: {} } }
    if (problem !== null && refusalOf(() => this.#load.addHistory(bare)) !== null) {
      this.#tell(leftOut('history', this.#id, place, problem))
      return
    }
    this.history += 1
    if (problem === null) return
    const message = `${problem}; it comes without its words`
    this.#tell({ kind: 'changed', record: 'history', id: this.#id, place, code: 'refused', message })
  }

  /** Adds the job itself. */
  finish(versions: readonly Job[]): void {
    this.#load.finish(versions)
  }
}
