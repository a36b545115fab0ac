import type { Execution } from '@saltcod/store-core'
import type { Command, WhyStopped } from '../link/link.ts'
import { isLive } from './scheduler/slot.ts'

/** An order to do something, or to end it. */
type Order = Extract<Command, { readonly kind: 'ask-for-bid' | 'cancel' }>

/** Returns why an execution that has ended, or is not wanted any more, is to end on its node too. */
export function whyStopped({ desiredMessage, stateMessage, endReason }: Execution): WhyStopped {
  const reason = stateMessage === '' ? desiredMessage : stateMessage
  return { reason, endReason: endReason ?? 'stopped' }
}

/**
 * Returns what is said to a node, in the place of an order, that it may have been given before and
 * whose effect it may have had and lost since: what was done, or is not wanted any more, must not be begun by it.
 * `execution` is what is known of it now; `null` where it was given up.
 */
export function standingOrder(order: Order, execution: Execution | null): Command {
  const { executionId } = order
  // What was to end may have been taken back since: where its node has it, that changes nothing; where not, it says
  // so.
  if (order.kind === 'cancel')
    return execution !== null && isLive(execution) ? { kind: 'bid-accepted', executionId } : order
  if (execution === null) return { kind: 'forget', executionId }
  if (!isLive(execution)) return { kind: 'cancel', executionId, ...whyStopped(execution) }
  return execution.computeRevision > 0 ? { kind: 'bid-accepted', executionId } : order
}
