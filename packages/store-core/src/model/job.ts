import type { TextMap } from '../kv/json.ts'
import type { JobState } from '../states/job-state.ts'

/** The kinds of job: to completion on some nodes or on all matching ones, or long-running likewise. */
export const JOB_TYPES = ['batch', 'ops', 'service', 'daemon'] as const

/** One of {@link JOB_TYPES}. */
export type JobType = (typeof JOB_TYPES)[number]

/** What a caller says of a job when it submits or revises it; the immutable part of one version. */
export interface JobDefinition<Spec = unknown> {
  /** Unique in its namespace. */
  readonly name: string
  readonly type: JobType
  /** Higher goes first. */
  readonly priority: number
  /** How many executions are wanted; 0 where the type decides. */
  readonly count: number
  readonly labels: TextMap
  /** What is to be done, in the caller's own shape; the store never reads it. */
  readonly spec: Spec
}

/** A job with its newest version, or with the version that was asked for. */
export interface Job<Spec = unknown> extends JobDefinition<Spec> {
  readonly id: string
  readonly namespace: string
  /** Number of this specification, from 1. */
  readonly version: number
  /** Counts every change of the job, from 1. */
  readonly revision: number
  readonly state: JobState
  /** Why it is in this state, for people; empty where nothing was said. */
  readonly stateMessage: string
  /** When it came into this state, in milliseconds since 1970. */
  readonly stateSinceMs: number
  readonly createdAtMs: number
  /** When it changed last; of a version that is not the newest, when that was made. */
  readonly modifiedAtMs: number
  /** When it ended; `null` while it has not. */
  readonly finishedAtMs: number | null
  /**
   * When `dueDeadlines` names it, in milliseconds since 1970; moves with the clock where that is set. `null` for
   * never.
   */
  readonly deadlineAtMs: number | null
  /** The key that makes a submit idempotent; `null` where none was given. */
  readonly submitKey: string | null
  /** Why an operator holds it against retention; `null` where nobody does. */
  readonly hold: string | null
}
