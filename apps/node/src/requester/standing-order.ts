import type { Execution } from '@saltcod/store-core'
import type { Command, WhyStopped } from '../link/link.ts'
import { isLive } from './scheduler/slot.ts'

/** An order to do something. */
type Ask = Extract<Command, { readonly kind: 'ask-for-bid' }>

/** Returns why an execution that has ended, or is not wanted any more, is to end on its node too. */
export function whyStopped({ desiredMessage, stateMessage, endReason }: Execution): WhyStopped {
  const reason = stateMessage === '' ? desiredMessage : stateMessage
  return { reason, endReason: endReason ?? 'stopped' }
}

/**
 * Returns what is said to a node, in the place of an order to do something, that it may have been given before and
 * whose effect it may have had and lost since: what was done, or is not wanted any more, must not be begun by it.
 * `execution` is what is known of it now; `null` where it was given up.
 */
export function standingOrder(order: Ask, execution: Execution | null): Command {
  const { executionId } = order
  if (execution === null) return { kind: 'forget', executionId }
  if (!isLive(execution)) return { kind: 'cancel', executionId, ...whyStopped(execution) }
  // Where its node has it, this changes nothing; where not, it says so.
  return execution.computeRevision > 0 ? { kind: 'bid-accepted', executionId } : order
}
