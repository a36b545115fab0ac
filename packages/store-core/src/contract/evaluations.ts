import type { Evaluation, EvaluationStatus, LeaseToken, NewEvaluation } from '../model/evaluation.ts'
import type { EventInput } from '../model/history.ts'
import type { JobType } from '../model/job.ts'
import type { Page, PageRequest } from '../model/page.ts'
import type { ChangeRequest } from '../model/request.ts'
import type { JobState } from '../states/job-state.ts'
import type { ExecutionChange, NewExecution } from './executions.ts'
import type { JobChange } from './jobs.ts'

/** A claimed piece of work. */
export interface Claim {
  readonly lease: LeaseToken
  readonly evaluation: Evaluation
}

/** What becomes of a job whose evaluation has failed for the last time; nothing where the job has ended meanwhile. */
export interface ExhaustedJob {
  readonly to: JobState
  readonly message?: string
  readonly event?: EventInput
  readonly evaluation?: NewEvaluation
}

/** One of those that `nextEvaluations` told of, for whoever decides at once and so needs no lease. */
export interface Unclaimed {
  readonly evaluationId: string
  readonly unclaimed: true
}

/** The outcome of an evaluation, written as one transaction. At most 100 new executions. */
export interface Plan extends ChangeRequest {
  readonly lease: LeaseToken | Unclaimed
  readonly newExecutions?: readonly NewExecution[]
  readonly updates?: readonly ExecutionChange[]
  readonly job?: JobChange
  readonly events?: readonly EventInput[]
  /** Evaluations of the same job to come. */
  readonly followUps?: readonly NewEvaluation[]
  readonly comment?: string
}

/** What a plan made. */
export interface Planned {
  readonly executionIds: readonly string[]
  readonly evaluationIds: readonly string[]
}

/** An evaluation to be created by itself. */
export interface CreateEvaluation extends NewEvaluation, ChangeRequest {
  readonly jobId: string
}

/** Which evaluations to list; without a condition all. */
export interface EvaluationQuery extends PageRequest {
  readonly jobId?: string
  readonly status?: EvaluationStatus
}

/** Who asks for work, and for which. */
export interface ClaimEvaluation {
  readonly holder: string
  readonly leaseMs: number
  readonly jobTypes?: readonly JobType[]
  /** Default 10. */
  readonly maxAttempts?: number
  /**
   * For one who only decides, in moments, what is to be done, also about jobs that have ended or are overdue. Default
   * false.
   */
  readonly scheduler?: boolean
}

/** How many of which to tell of. */
export interface NextEvaluations {
  /** Default: all. */
  readonly jobTypes?: readonly JobType[]
  /** 1 to 1,000. Default 100. */
  readonly limit?: number
}

/** A lease to be prolonged. */
export interface ExtendLease {
  readonly lease: LeaseToken
  readonly leaseMs: number
}

/** An evaluation that was carried out. */
export interface CompleteEvaluation extends ChangeRequest {
  readonly lease: LeaseToken | Unclaimed
  /** Default `complete`. */
  readonly status?: 'complete' | 'canceled'
  readonly comment?: string
}

/** An evaluation to be given back. */
export interface RetryEvaluation extends ChangeRequest {
  readonly lease: LeaseToken | Unclaimed
  readonly delayMs: number
  readonly maxAttempts: number
  readonly comment: string
  readonly exhausted?: ExhaustedJob
}

/** Which ended evaluations to remove. */
export interface TrimEvaluations {
  readonly olderThanMs: number
}

/** Evaluations as leased work: what is to be decided about a job. */
export interface EvaluationQueue {
  /** Creates an evaluation. Throws `JOB_NOT_FOUND`, `EVALUATION_ALREADY_EXISTS`. */
  createEvaluation(request: CreateEvaluation): Promise<Evaluation>
  /** Returns an evaluation; `null` where there is none. */
  getEvaluation(id: string): Promise<Evaluation | null>
  /**
   * Lists a job's evaluations, oldest first, or those of all jobs in the order of their ids, which tells no age; all
   * or those of a status.
   */
  listEvaluations(query: EvaluationQuery): Promise<Page<Evaluation>>
  /**
   * Claims the next evaluation: highest priority, then longest due, then oldest; never one of a job that is being
   * worked on. Resolves with `null` where nothing is due. Leases that ran out are given to the next, and fail their
   * evaluation after `maxAttempts` claims (default 10), and so does an evaluation that was the only one claimed when
   * its process died, so many times. After a death with several claims out each of those is claimed alone, for 30 s at
   * most, until the next death shows which one it was, or it ends well: until then others get `null`. An evaluation of
   * a job that has ended is canceled, one of a job whose deadline has passed failed. `scheduler: true` is for one who
   * only decides, in moments, what is to be done, also about jobs that have ended or are overdue: lost leases count
   * for nothing then, and none is claimed alone.
   */
  claimEvaluation(request: ClaimEvaluation): Promise<Claim | null>
  /**
   * Returns what the claims of a scheduler would get next, in their order, and claims nothing; of each job one at
   * most. Where a lease ran out or a due time came it writes that first, except in a store opened for reading. A plan,
   * an end or a retry that names one of them as `unclaimed` throws `LEASE_LOST` where it is worked on, has ended or is
   * not the next of its job any more.
   */
  nextEvaluations(query?: NextEvaluations): Promise<Evaluation[]>
  /** Returns when work is due next, in milliseconds since 1970; `null` where none waits. */
  nextEvaluationMs(): Promise<number | null>
  /** Prolongs a lease from now. Throws `LEASE_LOST`. */
  extendLease(request: ExtendLease): Promise<LeaseToken>
  /** Ends an evaluation. Throws `LEASE_LOST`. */
  completeEvaluation(request: CompleteEvaluation): Promise<void>
  /**
   * Gives an evaluation back until `delayMs` from now, or fails it after its last attempt: then its job ends as
   * `Failed` in the same change, unless another evaluation of it is pending or an execution lives (then with its end),
   * or becomes what `exhausted` says. Throws `LEASE_LOST`.
   */
  retryEvaluation(request: RetryEvaluation): Promise<EvaluationStatus>
  /**
   * Writes a plan and completes the evaluation that caused it, all or nothing. Throws `LEASE_LOST`, what its parts
   * throw, and `STATE_CONFLICT` where a new execution is to follow one that has not ended and is still wanted.
   */
  applyPlan(plan: Plan): Promise<Planned>
  /** Removes evaluations that ended more than `olderThanMs` ago, at most 500, and resolves with how many went. */
  trimEvaluations(rule: TrimEvaluations): Promise<number>
}
