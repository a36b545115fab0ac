import type { Evaluation } from './evaluation.ts'
import type { Execution } from './execution.ts'
import type { HistoryEntry } from './history.ts'
import type { Job } from './job.ts'

/** A job with everything that belongs to it. */
export interface WholeJob<Spec = unknown> {
  /** All versions, oldest first; each with the state of the job. */
  readonly versions: readonly Job<Spec>[]
  readonly executions: readonly Execution[]
  readonly evaluations: readonly Evaluation[]
  /** Oldest first. */
  readonly history: readonly HistoryEntry[]
}
