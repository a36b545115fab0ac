import type { JobDefaults } from '../wire/job-input.ts'
import { JOB_DEFAULTS } from '../wire/job-input.ts'
import type { RetryRules } from './scheduler/view.ts'
import { DEFAULT_RETRY_RULES } from './scheduler/view.ts'

/** How a requester works. */
export interface RequesterSettings {
  readonly retry: RetryRules
  readonly jobs: JobDefaults
  /** How long a job is left to a decision about it before another one is begun. */
  readonly leaseMs: number
  /** How often an evaluation is tried. */
  readonly maxAttempts: number
  /** The waits between attempts; the last one repeats. */
  readonly retryDelaysMs: readonly number[]
  /** How many evaluations are worked on at a time. */
  readonly concurrency: number
  /** A node that was silent for so long gets no new work. */
  readonly silentAfterMs: number
  /** What runs on a node that was silent for so long is given up. */
  readonly lostAfterMs: number
  /** Whether nodes of other processes may be given work before an operator approves them. */
  readonly approvesNodes: boolean
  /** A node that was heard of so lately is taken to live when another one comes with its identity. */
  readonly livesForMs: number
  /** How long a node's reports must have been quiet before what it did not name in its handshake is given up. */
  readonly missingAfterMs: number
  /** How long after its own timeout an execution is given up, in case its node does not enforce it. */
  readonly timeoutGraceMs: number
}

/** The defaults. */
export const DEFAULT_REQUESTER_SETTINGS: RequesterSettings = {
  retry: DEFAULT_RETRY_RULES,
  jobs: JOB_DEFAULTS,
  leaseMs: 60_000,
  maxAttempts: 10,
  retryDelaysMs: [1000, 5000, 30_000],
  concurrency: 32,
  silentAfterMs: 30_000,
  lostAfterMs: 60_000,
  approvesNodes: true,
  livesForMs: 35_000,
  missingAfterMs: 3000,
  timeoutGraceMs: 120_000,
}
