import type { Json } from '../kv/json.ts'
import type { EndReason } from '../states/end-reason.ts'
import type { DesiredState, ExecutionState } from '../states/execution-state.ts'

/** One attempt to carry out a job on one node, as the requester knows it. */
export interface Execution {
  readonly id: string
  readonly jobId: string
  readonly jobVersion: number
  readonly namespace: string
  readonly nodeId: string
  /** The evaluation that created it; `null` where none did. */
  readonly evaluationId: string | null
  /** Which share of the job it does, from 0; `null` where the job is not divided. */
  readonly partition: number | null
  readonly state: ExecutionState
  /** Why it is in this state, for people; empty where nothing was said. */
  readonly stateMessage: string
  readonly stateSinceMs: number
  /** Why it ended; `null` where it has not, where it completed, and where a release wrote it that noted no reasons. */
  readonly endReason: EndReason | null
  readonly desiredState: DesiredState
  readonly desiredMessage: string
  /** The execution that this one replaces; `null` where there is none. */
  readonly previousExecutionId: string | null
  /** How often in a row its share of the job had ended before it, as whoever created it says; 0 for not at all. */
  readonly endsBefore: number
  /** What the node reserved for it. */
  readonly resources: Json
  /** Where its results are; `null` where it has none. */
  readonly publishedResult: Json
  /** Exit code and the heads of its output; `null` until it has run. */
  readonly runOutput: Json
  /** The newest revision of the compute node's record that has been applied here; 0 for none. */
  readonly computeRevision: number
  /** Counts every change of this record, from 1. */
  readonly revision: number
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  readonly finishedAtMs: number | null
  /**
   * When `dueDeadlines` names it, in milliseconds since 1970; moves with the clock where that is set. `null` for
   * never.
   */
  readonly deadlineAtMs: number | null
}

/** Fields of an execution that a change may set; a field that is absent stays, `null` clears. */
export interface ExecutionPatch {
  readonly desiredState?: DesiredState
  readonly desiredMessage?: string
  readonly resources?: Json
  readonly publishedResult?: Json
  readonly runOutput?: Json
  readonly deadlineAtMs?: number | null
}
