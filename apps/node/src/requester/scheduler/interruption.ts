import type { EndReason, Execution, JobType } from '@saltcod/store-core'
import { reasonOfEarlierRecord } from '../before-reasons.ts'

/** Ends that are no fault of the job. */
const INTERRUPTIONS: ReadonlySet<EndReason | null> = new Set<EndReason>(['interrupted', 'record-lost'])

/** Tells whether an execution of a job of some type ended through no fault of the job. */
export function wasInterrupted(
  execution: Pick<Execution, 'state' | 'stateMessage' | 'endReason'>,
  type: JobType,
): boolean {
  if (execution.state !== 'Failed') return false
  const reason = execution.endReason ?? reasonOfEarlierRecord(execution)
  return INTERRUPTIONS.has(reason) || (reason === 'node-lost' && canGoElsewhere(type))
}

/** A job that runs everywhere cannot go elsewhere, so that a node that is gone for good must be a failure there. */
function canGoElsewhere(type: JobType): boolean {
  return type === 'batch' || type === 'service'
}
