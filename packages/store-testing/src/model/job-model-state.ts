import type { Evaluation, Execution, Job, JobDefinition, KnownNode } from '@saltcod/store-core'

/** A line of history, as far as a model knows it. */
export type ModelEntry = readonly [
  executionId: string | null,
  previousState: string | null,
  newState: string,
  revision: number,
  message: string,
]

/** What a deleted job leaves until it is reclaimed: names that are still taken. */
export interface Leftover {
  readonly executions: readonly string[]
  readonly evaluations: readonly string[]
}

/** All that a job store remembers, in plain maps whose records are never changed but replaced. */
export class JobModelState {
  jobs: Map<string, Job> = new Map()
  versions: Map<string, readonly JobDefinition[]> = new Map()
  history: Map<string, readonly ModelEntry[]> = new Map()
  executions: Map<string, Execution> = new Map()
  evaluations: Map<string, Evaluation> = new Map()
  /** The evaluations that were found due. */
  due: Set<string> = new Set()
  deleted: Map<string, Leftover> = new Map()
  requests: Map<string, unknown> = new Map()
  nodes: Map<string, KnownNode> = new Map()
  sequence = 0

  /** Returns a state that may be changed without changing this one. */
  copy(): JobModelState {
    const copy = new JobModelState()
    copy.jobs = new Map(this.jobs)
    copy.versions = new Map(this.versions)
    copy.history = new Map(this.history)
    copy.executions = new Map(this.executions)
    copy.evaluations = new Map(this.evaluations)
    copy.due = new Set(this.due)
    copy.deleted = new Map(this.deleted)
    copy.requests = new Map(this.requests)
    copy.nodes = new Map(this.nodes)
    copy.sequence = this.sequence
    return copy
  }
}
