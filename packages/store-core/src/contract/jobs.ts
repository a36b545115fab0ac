import type { NewEvaluation } from '../model/evaluation.ts'
import type { FeedCursor } from '../model/feed.ts'
import type { FinishedJob, JobSize } from '../model/finished.ts'
import type { EventInput } from '../model/history.ts'
import type { Job, JobDefinition, JobType } from '../model/job.ts'
import type { Page, PageRequest } from '../model/page.ts'
import type { ChangeRequest } from '../model/request.ts'
import type { WholeJob } from '../model/whole-job.ts'
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
  /**
   * As it is stored. Where the request's specification and labels are plain JSON, these are the caller's own objects.
   */
  readonly job: Job<Spec>
  /** The first evaluation; `null` where none was asked for. */
  readonly evaluationId: string | null
  /** False where the submit key had already been used for the same job. */
  readonly created: boolean
}

/**
 * A new version of a job: what is absent stays as it is; a deadline of `null` is taken away. Also the way to run an
 * ended job again.
 */
export interface ReviseJob<Spec = unknown>
  extends Partial<Omit<JobDefinition<Spec>, 'name' | 'type'>>,
    Expectation<JobState>,
    ChangeRequest {
  readonly jobId: string
  readonly deadlineAtMs?: number | null
  readonly evaluation?: NewEvaluation | null
  readonly event?: EventInput
}

/** A change of a job's state, or of what is said of it. */
export interface JobChange extends Expectation<JobState> {
  /** Absent: it stays in its state and has been there as long as before, and only the message changes. */
  readonly to?: JobState
  /** Kept with the state. Default: the event's message. */
  readonly message?: string
  readonly deadlineAtMs?: number | null
  readonly event?: EventInput
}

/** A job to be moved to another state, or of whose state something else is to be said. */
export interface TransitionJob extends JobChange, ChangeRequest {
  readonly jobId: string
  readonly evaluation?: NewEvaluation
}

/** A job to be held against retention, or let go. */
export interface HoldJob extends ChangeRequest {
  readonly jobId: string
  /** Why; `null` lets it go. */
  readonly reason: string | null
}

/** A condition on one label. `!=` and `notin` also hold where the label is absent. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!exists' | 'gt' | 'lt'
  readonly values: readonly string[]
}

/**
 * Which jobs to list. The store picks the index; the order is by creation time, or by the time of the state where only
 * `state` is given.
 */
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

/** A page of jobs. */
export interface JobPage<Spec = unknown> extends Page<Job<Spec>> {
  /** That of the page's moment, for following the feed from there. */
  readonly feedCursor: FeedCursor
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

/** Jobs and their versions: from the submit to the removal. */
export interface JobRecords<Spec = unknown> {
  /**
   * Creates a job and its first evaluation. Throws `JOB_ALREADY_EXISTS`, `JOB_NAME_TAKEN`, `SUBMIT_KEY_CONFLICT`,
   * `INVALID_ARGUMENT`.
   */
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
   * Finds a job by id, name (in `namespace`, default `default`), or short id (`j-` and at least four hexadecimal
   * digits). A whole id goes before every name. Throws `JOB_NOT_FOUND`, or `AMBIGUOUS_ID` with all matches (at most
   * 20), also where a name is the short id of another job.
   */
  findJob(text: string, namespace?: string): Promise<Job<Spec>>
  /** Returns all versions, oldest first. Throws `JOB_NOT_FOUND`. */
  listJobVersions(jobId: string): Promise<Job<Spec>[]>
  /** Lists jobs. Throws `INVALID_CURSOR`. */
  listJobs(query?: JobQuery): Promise<JobPage<Spec>>
  /** Holds a job against retention for a reason, or lets it go with `null`. Throws `JOB_NOT_FOUND`. */
  holdJob(request: HoldJob): Promise<Job<Spec>>
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
   * Writes an ended job as it was in another store or an archive; all of it appears at once, and the change feed tells
   * of the job alone. Evaluations that were pending are canceled. What an import that failed leaves is removed by
   * `reclaim`; until then its id is taken. Throws `JOB_ALREADY_EXISTS`, `JOB_NAME_TAKEN`, `SUBMIT_KEY_CONFLICT`,
   * `EXECUTION_ALREADY_EXISTS`, `EVALUATION_ALREADY_EXISTS`, `INVALID_ARGUMENT`.
   */
  importJob(request: ImportJob<Spec>): Promise<Job<Spec>>
}
