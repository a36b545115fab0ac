import type { Note, Tell, WholeBacalhauJob, WholeComputeExecution } from '@saltcod/bacalhau-records'
import type { HistoryEntry, Job } from '@saltcod/store-core'
import { type JobLoad, StoreLoader } from '@saltcod/store-core/format'
import { FittingLoad, type IsOwn } from './fitting-load.ts'
import { IdSet } from './id-set.ts'
import { entryRefusal, leftOut, refusalOf } from './refused-record.ts'

/** Adds jobs to a store that is being made, without what it does not take, of which each record is told. */
export class FittingJobs {
  readonly #loader: StoreLoader
  readonly #tell: Tell
  /** Takes what the loader would take, and keeps nothing. */
  readonly #probe = new StoreLoader(() => {}, { kind: 'jobs', storeId: 'probe', nodeId: null, nowMs: 0 })
  readonly #executions = new IdSet()
  readonly #evaluations = new IdSet()

  constructor(loader: StoreLoader, tell: Tell) {
    this.#loader = loader
    this.#tell = tell
  }

  /** Adds a job. Returns what was added of it; `null` where nothing was. */
  add(job: WholeBacalhauJob): WholeBacalhauJob | null {
    const own = this.#withoutTaken(job)
    if (refusalOf(() => this.#loader.addJob(own)) === null) return own
    const fitting = this.#fit(own)
    if (fitting === null) return null
    const refusal = refusalOf(() => this.#loader.addJob(fitting))
    if (refusal === null) return fitting
    this.#leaveOut('job', idOf(job), '', refusal)
    return null
  }

  /** Begins a job that is added record by record; `null` where the store refuses it, which is told. */
  begin(versions: readonly Job[]): FittingLoad | null {
    const id = versions.at(-1)?.id ?? ''
    const begun: { load?: JobLoad } = {}
    const refusal = refusalOf(() => {
      begun.load = this.#loader.beginJob(versions)
    })
    if (begun.load !== undefined) return new FittingLoad(id, begun.load, this.#isOwn, this.#tell)
    this.#leaveOut('job', id, '', `${refusal}; with it goes all that belongs to it`)
    return null
  }

  readonly #isOwn: IsOwn = (kind, id, jobId) => {
    const ids = kind === 'execution' ? this.#executions : this.#evaluations
    if (ids.add(id)) return true
    const message = `another job has an ${kind} of this id, and that one counts; it is left out`
    this.#tell({ ...leftOut(kind, id, `jobs/${jobId}/${kind}s/${id}`, ''), code: 'second-copy', message })
    return false
  }

  #withoutTaken(job: WholeBacalhauJob): WholeBacalhauJob {
    const jobId = idOf(job)
    return {
      ...job,
      executions: job.executions.filter(({ id }) => this.#isOwn('execution', id, jobId)),
      evaluations: job.evaluations.filter(({ id }) => this.#isOwn('evaluation', id, jobId)),
    }
  }

  /** Tries each record by itself; `null` where it is the job that is refused. */
  #fit(job: WholeBacalhauJob): WholeBacalhauJob | null {
    const id = idOf(job)
    const bare = { versions: job.versions, executions: [], evaluations: [], history: [] }
    const refusal = refusalOf(() => this.#probe.addJob(bare))
    if (refusal !== null) {
      this.#leaveOut('job', id, '', `${refusal}; with it go ${countsOf(job)}`)
      return null
    }
    const isTaken = (kind: 'execution' | 'evaluation', of: string, check: () => unknown): boolean => {
      const problem = refusalOf(check)
      if (problem !== null) this.#leaveOut(kind, of, `jobs/${id}/${kind}s/${of}`, problem)
      return problem === null
    }
    const executions = job.executions.filter((execution) =>
      isTaken('execution', execution.id, () => this.#probe.addJob({ ...bare, executions: [execution] })),
    )
    const evaluations = job.evaluations.filter((evaluation) =>
      isTaken('evaluation', evaluation.id, () => this.#probe.addJob({ ...bare, evaluations: [evaluation] })),
    )
    const fitting = { ...bare, executions, evaluations, history: this.#fitHistory(id, job.history) }
    const ofHistory = refusalOf(() => this.#probe.addJob(fitting))
    if (ofHistory === null) return fitting
    this.#leaveOut(
      'history',
      id,
      `jobs/${id}/history`,
      `${ofHistory}; all ${job.history.length} entries go with it`,
    )
    return { ...fitting, history: [] }
  }

  #fitHistory(jobId: string, history: readonly HistoryEntry[]): HistoryEntry[] {
    return history.filter((entry) => {
      const problem = entryRefusal(entry)
      if (problem !== null)
        this.#leaveOut('history', jobId, `jobs/${jobId}/history/${entry.sequence}`, problem)
      return problem === null
    })
  }

  #leaveOut(record: Note['record'], id: string, place: string, problem: string): void {
    this.#tell(leftOut(record, id, place === '' ? `jobs/${id}` : place, problem))
  }
}

/** Adds an execution of a compute node; false where it is refused, which is told. */
export function addFittingExecution(loader: StoreLoader, whole: WholeComputeExecution, tell: Tell): boolean {
  const { id } = whole.execution
  const problem = refusalOf(() => loader.addExecution(whole))
  if (problem !== null) tell(leftOut('execution', id, id, problem))
  return problem === null
}

function idOf({ versions }: WholeBacalhauJob): string {
  return versions.at(-1)?.id ?? ''
}

function countsOf({ executions, evaluations, history }: WholeBacalhauJob): string {
  return `${executions.length} executions, ${evaluations.length} evaluations and ${history.length} history entries`
}
