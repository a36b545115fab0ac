import type { JobType } from './job.ts'

/** Where an evaluation stands: waiting or claimed (`pending`), or done in one of three ways. */
export const EVALUATION_STATUSES = ['pending', 'complete', 'failed', 'canceled'] as const

/** One of {@link EVALUATION_STATUSES}. */
export type EvaluationStatus = (typeof EVALUATION_STATUSES)[number]

/** Why a job is looked at again (pkg/models/evaluation.go of Bacalhau v1.9.3, and `node-restart`). */
export const EVALUATION_TRIGGERS = [
  'job-register',
  'job-cancel',
  'job-queue',
  'job-timeout',
  'job-rerun',
  'job-update',
  'exec-failure',
  'exec-update',
  'exec-timeout',
  'exec-limit',
  'node-join',
  'node-leave',
  'node-restart',
] as const

/** One of {@link EVALUATION_TRIGGERS}. */
export type EvaluationTrigger = (typeof EVALUATION_TRIGGERS)[number]

/** A claim on an evaluation: whoever presents it may finish the work, until it runs out. */
export interface LeaseToken {
  readonly evaluationId: string
  /** The attempt that the lease is for, from 1. */
  readonly attempt: number
  /**
   * By the store's clock as it was set when this was read; a lease lasts as long as it should also where that is set
   * meanwhile.
   */
  readonly expiresAtMs: number
  /** The incarnation of the store that gave it. */
  readonly incarnation: string
}

/** A durable piece of work: look at this job and decide what is to be done. */
export interface Evaluation {
  readonly id: string
  readonly jobId: string
  readonly namespace: string
  readonly jobType: JobType
  readonly priority: number
  readonly trigger: EvaluationTrigger
  readonly status: EvaluationStatus
  /** Why it ended or waits, for people. */
  readonly comment: string
  /** Not before this time; moves with the clock where that is set. */
  readonly dueAtMs: number
  /** Claims so far. */
  readonly attempt: number
  /** How often its process died while it alone was claimed; such claims are not among `attempt`. */
  readonly lostLeases: number
  /** Who holds it; `null` where nobody does. */
  readonly lease: (LeaseToken & { readonly holder: string }) | null
  /** Order of creation in this store. */
  readonly sequence: number
  readonly createdAtMs: number
  readonly modifiedAtMs: number
}

/** An evaluation to be created together with another change. */
export interface NewEvaluation {
  /** Made by the store where absent. */
  readonly id?: string
  readonly trigger: EvaluationTrigger
  /** Cut to 2,048 characters. */
  readonly comment?: string
  /** Default: the job's priority. */
  readonly priority?: number
  /** In milliseconds since 1970, by the clock as it is now; moves with it where it is set. Default: at once. */
  readonly dueAtMs?: number
  /** In place of `dueAtMs`: so long after this change, up to a year. */
  readonly delayMs?: number
  /**
   * Adds none where the job has one that is due by then, of at least this priority and behind its next one: it will
   * see this change too. The next one may be in somebody's hands already. Default false.
   */
  readonly coalesce?: boolean
}
