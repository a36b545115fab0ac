import { isLongRunning } from '@saltcod/bacalhau-records'
import type { Execution, ExecutionState, JobType } from '@saltcod/store-core'
import type { DrainedNode } from './view.ts'

const NOT_BEGUN: ReadonlySet<ExecutionState> = new Set<ExecutionState>([
  'New',
  'AskForBid',
  'AskForBidAccepted',
  'BidAccepted',
])

/**
 * Tells whether an execution leaves a node that is drained. What should run for ever leaves at once, and so does what
 * has not begun and can go elsewhere; all else may come to its end, until the deadline if there is one.
 */
export function leavesDrained(
  type: JobType,
  { state }: Pick<Execution, 'state'>,
  { deadlineAtMs }: DrainedNode,
  nowMs: number,
): boolean {
  if (isLongRunning(type) || (type === 'batch' && NOT_BEGUN.has(state))) return true
  return deadlineAtMs !== null && deadlineAtMs <= nowMs
}

/** Says why an execution leaves its node. */
export function drainText(nodeId: string, { reason }: DrainedNode): string {
  return reason === '' ? `node ${nodeId} is drained` : `node ${nodeId} is drained: ${reason}`
}
