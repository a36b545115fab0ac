import type { Execution } from '@saltcod/store-core'

/**
 * How the message of an execution begins that failed because its node stopped or was lost, through no fault
 * of the job. Also the value of `reason` in the details of a report that says so.
 */
export const INTERRUPTED = 'interrupted'

/** Tells whether an execution ended because its node did. */
export function wasInterrupted(execution: Pick<Execution, 'state' | 'stateMessage'>): boolean {
  return execution.state === 'Failed' && execution.stateMessage.startsWith(INTERRUPTED)
}
