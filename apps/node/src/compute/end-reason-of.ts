import type { EndReason } from '@saltcod/store-core'
import type { OutcomeReason } from './keeper/exit-record.ts'
import type { EngineOutcome } from './keeper/outcome.ts'

const REASONS: Readonly<Record<OutcomeReason, EndReason>> = {
  exited: 'failed',
  timeout: 'timed-out',
  memory: 'out-of-memory',
  killed: 'killed',
  cancelled: 'stopped',
  'start-failed': 'start-failed',
  'node-gone': 'interrupted',
  // No fault of the job.
  'keeper-lost': 'interrupted',
}

/** Returns why a run failed. Without a message of its own only its exit code can say so. */
export function endReasonOf({ reason, errorMessage }: EngineOutcome): EndReason {
  return errorMessage === null ? 'exit-code' : REASONS[reason]
}
