import type { Json } from '../kv/json.ts'
import type { DurableStore } from '../model/durable-store.ts'
import type { Evaluation, EvaluationStatus, LeaseToken, NewEvaluation } from '../model/evaluation.ts'
import type { Execution, ExecutionPatch } from '../model/execution.ts'
import type { FeedCursor } from '../model/feed.ts'
import type { FinishedJob, JobSize } from '../model/finished.ts'
import type { EventInput, HistoryEntry } from '../model/history.ts'
import type { Job, JobDefinition, JobType } from '../model/job.ts'
import type { Page, PageRequest } from '../model/page.ts'
import type { ChangeRequest } from '../model/request.ts'
import type { WholeJob } from '../model/whole-job.ts'
import type { EndReason } from '../states/end-reason.ts'
import type { ExecutionState } from '../states/execution-state.ts'
import type { JobState } from '../states/job-state.ts'
import type { Expectation } from '../states/transitions.ts'

/** A job to be created. */
export interface SubmitJob<Spec = unknown>
  extends Partial<Omit<JobDefinition<Spec>, 'spec' | 'type'>>,
    ChangeRequest {
  /** Made by the store where absent. */
  readonly id?: string
  /** Default `default`. */
  readonly namespace?: string
  readonly type: JobType
  readonly spec: Spec
  /** Unique in the namespace as long as the job is kept: a second submit with it returns the first job. */
  readonly submitKey?: string
  readonly deadlineAtMs?: number | null
  /** Created in the same transaction; `null` for none. Default: trigger `job-register`. */
  readonly evaluation?: NewEvaluation | null
  readonly event?: EventInput
}

/** What a submit did. */
export interface Submitted<Spec = unknown> {
  /** As it is stored. Where the request's specification and labels are plain JSON, these are the caller's own objects. */
  readonly job: Job<Spec>
  /** The first evaluation; `null` where none was asked for. */
  readonly evaluationId: string | null
  /** False where the submit key had already been used for the same job. */
  readonly created: boolean
}

/** A new version of a job: what is absent stays as it is; a deadline of `null` is taken away. Also the way to run an ended job again. */
export interface ReviseJob<Spec = unknown>
  extends Partial<Omit<JobDefinition<Spec>, 'name' | 'type'>>,
    Expectation<JobState>,
    ChangeRequest {
  readonly jobId: string
  readonly deadlineAtMs?: number | null
  readonly evaluation?: NewEvaluation | null
  readonly event?: EventInput
}

/** A job's move to another state. */
export interface TransitionJob extends Expectation<JobState>, ChangeRequest {
  readonly jobId: string
  readonly to: JobState
  /** Kept with the state. Default: the event's message. */
  readonly message?: string
  readonly deadlineAtMs?: number | null
  readonly evaluation?: NewEvaluation
  readonly event?: EventInput
}

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
  readonly resources?: Json
  readonly deadlineAtMs?: number | null
  readonly event?: EventInput
}

/** A change of an execution: a state, other fields, or both. */
export interface UpdateExecution extends Expectation<ExecutionState> {
  readonly executionId: string
  /** The new state; absent where only fields change. */
  readonly to?: ExecutionState
  /** Why it ends; only where `to` ends it, and not as Completed. */
  readonly endReason?: EndReason
  readonly message?: string
  readonly patch?: ExecutionPatch
  readonly event?: EventInput
}

/** What a compute node reports of an execution. */
export interface ExecutionReport extends ChangeRequest {
  readonly executionId: string
  readonly nodeId: string
  /** The revision of the compute node's record; an older or equal one is stale. */
  readonly computeRevision: number
  /** Absent where the report brings only events or fields. */
  readonly to?: ExecutionState
  /** Why it ends; only where `to` ends it, and not as Completed. */
  readonly endReason?: EndReason
  readonly message?: string
  readonly patch?: ExecutionPatch
  readonly event?: EventInput
  /** Created where the report was applied. */
  readonly evaluation?: NewEvaluation
}

/** `stale`: known already or overtaken. `unknown`: no such execution here, the node may forget it. */
export type ReportOutcome = 'applied' | 'stale' | 'unknown'

/** The outcome of an evaluation, written as one transaction. At most 100 new executions. */
export interface Plan extends ChangeRequest {
  readonly lease: LeaseToken
  readonly newExecutions?: readonly NewExecution[]
  readonly updates?: readonly UpdateExecution[]
  readonly job?: Omit<TransitionJob, 'jobId' | 'evaluation' | 'requestId' | 'outbox'>
  readonly events?: readonly EventInput[]
  /** Evaluations of the same job to come. */
  readonly followUps?: readonly NewEvaluation[]
  readonly comment?: string
}

/** Which jobs to list. The store picks the index; the order is by creation time, or by the time of the state where only `state` is given. */
export interface JobQuery extends PageRequest {
  readonly namespace?: string
  readonly states?: readonly JobState[]
  readonly type?: JobType
  /** Only jobs that have not ended. */
  readonly inProgress?: boolean
  /** All must hold. */
  readonly labels?: readonly LabelRequirement[]
  /** Created at or after. */
  readonly sinceMs?: number
  /** Created before. */
  readonly untilMs?: number
}

/** Which of the jobs that have ended to list. */
export interface FinishedJobQuery extends PageRequest {
  readonly namespace: string
  readonly state: 'Completed' | 'Failed' | 'Stopped'
}

/** A job to be deleted, and what the caller knows of it. */
export interface DeleteJob extends ChangeRequest {
  readonly jobId: string
  /** Where the job has another revision, nothing is deleted. */
  readonly expectedRevision?: number
  /** The sequence number of the newest history entry; where there is a newer one, nothing is deleted. */
  readonly expectedHistorySequence?: number
}

/** A job that ended, and with it everything that belongs to it, on its way back into a store. */
export interface ImportJob<Spec = unknown> extends WholeJob<Spec> {
  /** Holds it for this reason, so that retention does not remove it again at once. */
  readonly hold?: string
}

/** A condition on one label. `!=` and `notin` also hold where the label is absent. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!exists' | 'gt' | 'lt'
  readonly values: readonly string[]
}

/** Which executions to list; at least one of job, node, states or `inProgress` is needed. */
export interface ExecutionQuery extends PageRequest {
  readonly jobId?: string
  readonly jobVersion?: number
  readonly nodeId?: string
  readonly states?: readonly ExecutionState[]
  readonly inProgress?: boolean
}

/** Which part of a job's history to list. */
export interface HistoryQuery extends PageRequest {
  readonly jobId: string
  readonly jobVersion?: number
  readonly level?: 'job' | 'execution'
  /** The beginning of an execution's id. */
  readonly executionIdPrefix?: string
  readonly nodeIdPrefix?: string
  readonly sinceMs?: number
  /** Only entries behind this sequence number. */
  readonly afterSequence?: number
}

/** What becomes of a job whose evaluation has failed for the last time; nothing where the job has ended meanwhile. */
export interface ExhaustedJob {
  readonly to: JobState
  readonly message?: string
  readonly event?: EventInput
  readonly evaluation?: NewEvaluation
}

/** A claimed piece of work. */
export interface Claim {
  readonly lease: LeaseToken
  readonly evaluation: Evaluation
}

/**
 * The requester's memory: jobs, their executions, evaluations and history. Every method is one transaction;
 * every change resolves once it is durable.
 */
export interface JobStore<Spec = unknown> extends DurableStore {
  // Jobs
  /** Creates a job and its first evaluation. Throws `JOB_ALREADY_EXISTS`, `JOB_NAME_TAKEN`, `SUBMIT_KEY_CONFLICT`, `INVALID_ARGUMENT`. */
  submitJob(request: SubmitJob<Spec>): Promise<Submitted<Spec>>
  /** Opens a new version, in state `Pending`. Throws `JOB_NOT_FOUND`, `STATE_CONFLICT`, `REVISION_CONFLICT`. */
  reviseJob(request: ReviseJob<Spec>): Promise<Submitted<Spec>>
  /** Moves a job. Throws `JOB_NOT_FOUND` and the codes of `checkTransition`. */
  transitionJob(request: TransitionJob): Promise<Job<Spec>>
  /** Returns a job, or one version of it; `null` where there is none. Throws `RECORD_CORRUPT`. */
  getJob(id: string, version?: number): Promise<Job<Spec> | null>
  /** Returns the job with a name in a namespace; `null` where there is none. */
  getJobByName(namespace: string, name: string): Promise<Job<Spec> | null>
  /**
   * Finds a job by id, name (in `namespace`, default `default`), or short id (`j-` and at least four hexadecimal digits). A whole
   * id goes before every name. Throws `JOB_NOT_FOUND`, or `AMBIGUOUS_ID` with all matches (at most 20), also where a name is the short
   * id of another job.
   */
  findJob(text: string, namespace?: string): Promise<Job<Spec>>
  /** Returns all versions, oldest first. Throws `JOB_NOT_FOUND`. */
  listJobVersions(jobId: string): Promise<Job<Spec>[]>
  /** Lists jobs; `feedCursor` is that of the page's moment, for following the feed from there. Throws `INVALID_CURSOR`. */
  listJobs(query?: JobQuery): Promise<Page<Job<Spec>> & { readonly feedCursor: FeedCursor }>
  /** Holds a job against retention for a reason, or lets it go with `null`. Throws `JOB_NOT_FOUND`. */
  holdJob(
    request: { readonly jobId: string; readonly reason: string | null } & ChangeRequest,
  ): Promise<Job<Spec>>
  /**
   * Lists the jobs of a namespace that ended in a state, in the order in which they ended. Throws
   * `INVALID_ARGUMENT` for a state that is no end.
   */
  listFinishedJobs(query: FinishedJobQuery): Promise<Page<FinishedJob>>
  /** Adds up what there is of a job, in several bounded reads; `null` where there is none. Throws `RECORD_CORRUPT`. */
  measureJob(jobId: string): Promise<JobSize | null>
  /**
   * Takes an ended job out of every listing and count; `reclaim` removes its rows. Throws `JOB_NOT_FOUND`,
   * `JOB_NOT_TERMINAL`, `JOB_HELD`, and `REVISION_CONFLICT` where the job is not what the caller knows.
   */
  deleteJob(request: DeleteJob): Promise<void>
  /**
   * Writes an ended job as it was in another store or an archive; all of it appears at once, and the change feed
   * tells of the job alone. Evaluations that were pending are canceled. What an import that failed leaves is
   * removed by `reclaim`; until then its id is taken. Throws `JOB_ALREADY_EXISTS`, `JOB_NAME_TAKEN`, `SUBMIT_KEY_CONFLICT`,
   * `EXECUTION_ALREADY_EXISTS`, `EVALUATION_ALREADY_EXISTS`, `INVALID_ARGUMENT`.
   */
  importJob(request: ImportJob<Spec>): Promise<Job<Spec>>

  // Executions
  /** Creates an execution. Throws `JOB_NOT_FOUND`, `EXECUTION_ALREADY_EXISTS`. */
  createExecution(
    request: NewExecution & ChangeRequest & { readonly evaluation?: NewEvaluation },
  ): Promise<Execution>
  /** Changes an execution. Throws `EXECUTION_NOT_FOUND` and the codes of `checkTransition`. */
  updateExecution(
    request: UpdateExecution & ChangeRequest & { readonly evaluation?: NewEvaluation },
  ): Promise<Execution>
  /**
   * Applies a compute node's report once, whatever is delivered twice or out of order. Illegal moves are `stale`. Throws
   * `INVALID_ARGUMENT` for a report that makes no sense, whatever is known of the execution.
   */
  recordExecution(report: ExecutionReport): Promise<ReportOutcome>
  /** Returns an execution; `null` where there is none. Throws `RECORD_CORRUPT`. */
  getExecution(id: string): Promise<Execution | null>
  /** Finds an execution by id or short id. Throws `EXECUTION_NOT_FOUND`, `AMBIGUOUS_ID`. */
  findExecution(text: string): Promise<Execution>
  /**
   * Lists executions: by creation within a job, or within a node unless it is about `inProgress` or a single
   * state, by the time of the state otherwise. Throws `TypeError` without a condition.
   */
  listExecutions(query: ExecutionQuery): Promise<Page<Execution>>

  // Evaluations
  /** Creates an evaluation. Throws `JOB_NOT_FOUND`, `EVALUATION_ALREADY_EXISTS`. */
  createEvaluation(request: NewEvaluation & { readonly jobId: string } & ChangeRequest): Promise<Evaluation>
  /** Returns an evaluation; `null` where there is none. */
  getEvaluation(id: string): Promise<Evaluation | null>
  /** Lists a job's evaluations, oldest first, or those of all jobs in the order of their ids, which tells no age; all or those of a status. */
  listEvaluations(
    query: { readonly jobId?: string; readonly status?: EvaluationStatus } & PageRequest,
  ): Promise<Page<Evaluation>>
  /** Removes an evaluation that nobody holds. Throws `EVALUATION_NOT_FOUND`, `LEASE_LOST` where somebody holds it. */
  deleteEvaluation(request: { readonly evaluationId: string } & ChangeRequest): Promise<void>
  /**
   * Claims the next evaluation: highest priority, then longest due, then oldest; never one of a job that is
   * being worked on. Resolves with `null` where nothing is due. Leases that ran out are given to the next, and
   * fail their evaluation after `maxAttempts` claims (default 10), and so does an evaluation that was the only one claimed when its
   * process died, so many times. After a death with several claims out each of those is claimed alone, for 30 s at most, until the next
   * death shows which one it was, or it ends well: until then others get `null`. An evaluation of a job that has ended is canceled, one of a
   * job whose deadline has passed failed.
   * `scheduler: true` is for one who only decides, in moments, what is to be done, also about jobs that have ended or are
   * overdue: lost leases count for nothing then, and none is claimed alone.
   */
  claimEvaluation(request: {
    readonly holder: string
    readonly leaseMs: number
    readonly jobTypes?: readonly JobType[]
    readonly maxAttempts?: number
    readonly scheduler?: boolean
  }): Promise<Claim | null>
  /** Returns when work is due next, in milliseconds since 1970; `null` where none waits. */
  nextEvaluationMs(): Promise<number | null>
  /** Prolongs a lease from now. Throws `LEASE_LOST`. */
  extendLease(request: { readonly lease: LeaseToken; readonly leaseMs: number }): Promise<LeaseToken>
  /** Ends an evaluation. Throws `LEASE_LOST`. */
  completeEvaluation(
    request: {
      readonly lease: LeaseToken
      readonly status?: 'complete' | 'canceled'
      readonly comment?: string
    } & ChangeRequest,
  ): Promise<void>
  /** Removes evaluations that ended more than `olderThanMs` ago, at most 500, and resolves with how many went. */
  trimEvaluations(rule: { readonly olderThanMs: number }): Promise<number>
  /**
   * Gives an evaluation back until `delayMs` from now, or fails it after its last attempt: then its job ends as `Failed` in the same
   * change, unless another evaluation of it is pending or an execution lives (then with its end), or becomes what `exhausted` says. Throws `LEASE_LOST`.
   */
  retryEvaluation(
    request: {
      readonly lease: LeaseToken
      readonly delayMs: number
      readonly maxAttempts: number
      readonly comment: string
      readonly exhausted?: ExhaustedJob
    } & ChangeRequest,
  ): Promise<EvaluationStatus>
  /** Writes a plan and completes the evaluation that caused it, all or nothing. Throws `LEASE_LOST` and what its parts throw. */
  applyPlan(
    plan: Plan,
  ): Promise<{ readonly executionIds: readonly string[]; readonly evaluationIds: readonly string[] }>

  // History
  /** Adds an entry that changes no state. Throws `JOB_NOT_FOUND`, `EXECUTION_NOT_FOUND`. */
  addHistory(
    request: {
      readonly jobId: string
      readonly executionId?: string
      readonly event: EventInput
    } & ChangeRequest,
  ): Promise<HistoryEntry>
  /** Lists a job's history, oldest first. */
  listHistory(query: HistoryQuery): Promise<Page<HistoryEntry>>
}
