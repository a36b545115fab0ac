import type { Json } from '../kv/json.ts'
import type { NewEvaluation } from '../model/evaluation.ts'
import type { Execution, ExecutionPatch } from '../model/execution.ts'
import type { EventInput } from '../model/history.ts'
import type { Page, PageRequest } from '../model/page.ts'
import type { ChangeRequest } from '../model/request.ts'
import type { ExecutionState } from '../states/execution-state.ts'
import type { JobState } from '../states/job-state.ts'
import type { Expectation } from '../states/transitions.ts'
import type { ExecutionMove } from './execution-move.ts'

/** An execution to be created. */
export interface NewExecution {
  readonly id?: string
  readonly jobId: string
  readonly nodeId: string
  /** Default: the job's newest. */
  readonly jobVersion?: number
  /** Default `New`. */
  readonly state?: 'New' | 'AskForBid' | 'AskForBidAccepted' | 'BidAccepted'
  readonly desiredState?: Execution['desiredState']
  readonly desiredMessage?: string
  readonly evaluationId?: string
  readonly partition?: number
  readonly previousExecutionId?: string
  /** Default 0. */
  readonly endsBefore?: number
  readonly resources?: Json
  readonly deadlineAtMs?: number | null
  readonly event?: EventInput
}

/** An execution to be created by itself. */
export interface CreateExecution extends NewExecution, ChangeRequest {
  readonly evaluation?: NewEvaluation
}

/** A change of an execution: a state, other fields, or both. */
export interface ExecutionChange
  extends ExecutionMove<ExecutionState, ExecutionPatch>,
    Expectation<ExecutionState> {
  readonly executionId: string
}

/** An execution to be changed by itself. */
export interface UpdateExecution extends ExecutionChange, ChangeRequest {
  readonly evaluation?: NewEvaluation
}

/** What a compute node reports of an execution. `to` is absent where it brings only events or fields. */
export interface ExecutionReport extends ExecutionMove<ExecutionState, ExecutionPatch>, ChangeRequest {
  readonly executionId: string
  readonly nodeId: string
  /** The revision of the compute node's record; an older or equal one is stale. */
  readonly computeRevision: number
  /** Created where the report was applied. */
  readonly evaluation?: NewEvaluation
  /**
   * Of a batch or ops job, each share counts once. The completion of one that was given up with its node is taken,
   * unless its job has ended or the share was done again meanwhile; that of one whose share was done late by the one
   * before it ends it as surplus. Default: false.
   */
  readonly doneOnce?: boolean
  /**
   * Says that it goes on on its node. One that was given up with its node (`node-lost`) is taken back, unless its job
   * has ended or its share was given to another since; the report says nothing else, and is `stale` otherwise.
   * Default: false.
   */
  readonly goesOn?: boolean
  /** Where the report was applied, the job goes along with it. */
  readonly job?: FollowingMove
}

/**
 * A job's move with one of its executions; nothing where the job is in another state, or of another version than the
 * execution.
 */
export interface FollowingMove {
  readonly to: JobState
  /** The states that it leaves. */
  readonly from: readonly JobState[]
  readonly message?: string
  readonly event?: EventInput
}

/** `stale`: known already or overtaken. `unknown`: no such execution here, the node may forget it. */
export type ReportOutcome = 'applied' | 'stale' | 'unknown'

/** Which executions to forget. */
export interface ForgetExecutions extends ChangeRequest {
  readonly jobId: string
  /** At most 50, all of the job and all ended; those that are not there any more are passed over. */
  readonly executionIds: readonly string[]
}

/** Which executions to list; at least one of job, node, states or `inProgress` is needed. */
export interface ExecutionQuery extends PageRequest {
  readonly jobId?: string
  readonly jobVersion?: number
  readonly nodeId?: string
  readonly states?: readonly ExecutionState[]
  readonly inProgress?: boolean
}

/** Executions as the requester knows them. */
export interface JobExecutions {
  /** Creates an execution. Throws `JOB_NOT_FOUND`, `EXECUTION_ALREADY_EXISTS`. */
  createExecution(request: CreateExecution): Promise<Execution>
  /** Changes an execution. Throws `EXECUTION_NOT_FOUND` and the codes of `checkTransition`. */
  updateExecution(request: UpdateExecution): Promise<Execution>
  /**
   * Applies a compute node's report once, whatever is delivered twice or out of order. Illegal moves are `stale`, and
   * after a thousand changes of an execution so is all that does not change its state.
   * Throws `INVALID_ARGUMENT` for a report that makes no sense, whatever is known of the execution.
   */
  recordExecution(report: ExecutionReport): Promise<ReportOutcome>
  /**
   * Removes executions that have ended from a job that goes on, with their history and with what was said of the job
   * until then but for its beginning; one entry of the history stands for all of them and tells how many they were, in
   * the detail `GivenUp`. Resolves with the ids of those that went: none of a job that has ended, which goes as a
   * whole. Throws `JOB_NOT_FOUND`, and `INVALID_ARGUMENT` for executions of another job, that have not ended, or too
   * many.
   */
  forgetExecutions(request: ForgetExecutions): Promise<readonly string[]>
  /** Returns an execution; `null` where there is none. Throws `RECORD_CORRUPT`. */
  getExecution(id: string): Promise<Execution | null>
  /** Finds an execution by id or short id. Throws `EXECUTION_NOT_FOUND`, `AMBIGUOUS_ID`. */
  findExecution(text: string): Promise<Execution>
  /**
   * Lists executions: by creation within a job, or within a node unless it is about `inProgress` or a single
   * state, by the time of the state otherwise. Throws `TypeError` without a condition.
   */
  listExecutions(query: ExecutionQuery): Promise<Page<Execution>>
}
