import { complain } from '../complaint.ts'
import { setting } from '../setting.ts'
import { choice, duration, integer, mapping, rules, size, text } from '../value.ts'

/** The states in which a job has ended. */
export const FINISHED_JOB_STATES = ['Completed', 'Failed', 'Stopped'] as const

/** A state in which a job has ended. */
export type FinishedJobState = (typeof FINISHED_JOB_STATES)[number]

/** How long, how many and how much of the finished jobs of a namespace is kept; at least one limit is there. */
export interface RetentionRule {
  /** The namespace that it is for; each one when absent. */
  readonly namespace?: string
  /** The final state that it is for; each one when absent. */
  readonly state?: FinishedJobState
  /** The longest time since the job ended. */
  readonly maxAgeMs?: number
  /** The most jobs kept. */
  readonly maxCount?: number
  /** The most bytes kept. */
  readonly maxBytes?: number
}

const rule = mapping({
  Namespace: text(
    'a namespace',
    'use 1 to 253 letters, digits, dots, - and _ (leave Namespace out for all)',
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/,
  ).optional(),
  State: choice(FINISHED_JOB_STATES).optional(),
  MaxAge: duration().optional(),
  MaxCount: integer(0, Number.MAX_SAFE_INTEGER).optional(),
  MaxBytes: size().optional(),
})
  .superRefine((given, context) => {
    if (given.MaxAge !== undefined || given.MaxCount !== undefined || given.MaxBytes !== undefined) return
    context.addIssue(
      complain({ problem: 'the rule limits nothing', hint: 'give it MaxAge, MaxCount or MaxBytes' }),
    )
  })
  .transform(
    (given): RetentionRule => ({
      ...(given.Namespace === undefined ? {} : { namespace: given.Namespace }),
      ...(given.State === undefined ? {} : { state: given.State }),
      ...(given.MaxAge === undefined ? {} : { maxAgeMs: given.MaxAge }),
      ...(given.MaxCount === undefined ? {} : { maxCount: given.MaxCount }),
      ...(given.MaxBytes === undefined ? {} : { maxBytes: given.MaxBytes }),
    }),
  )

/** What is kept of finished jobs. */
export const retention = setting({
  key: 'Retention',
  description:
    'What is kept of finished jobs, as rules: Namespace and State (all when left out), MaxAge (since the end of the job), MaxCount, MaxBytes. Without rules everything is kept.',
  form: 'rules',
  fallback: [],
  schema: rules(rule),
})
