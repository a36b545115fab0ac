import type { Execution } from '@saltcod/store-core'
import type { HandshakeAnswer, HandshakeExecution } from '../link/link.ts'
import type { StoreCondition } from './membership.ts'
import { isLive } from './scheduler/slot.ts'

/** What waits to be delivered to a node about an execution: the order to do it, or one that makes the node speak. */
export type WaitingOrder = 'ask' | 'other' | null

/** How a node stands to what it was: `goes on` in the opening of its store in which it shook hands before. */
export type NodeCondition = StoreCondition | 'goes on'

/** What both sides know of an execution when hands are shaken. */
export interface BothSides {
  /** `null` where the requester does not know it, or has it on another node. */
  readonly known: Execution | null
  /** `null` where the node does not name it. */
  readonly named: Pick<HandshakeExecution, 'revision' | 'state'> | null
  readonly condition: NodeCondition
  readonly order: WaitingOrder
}

/** What each side does about an execution. */
export interface Reconciled {
  /** What the node is told, which may be that its handshake came too late; `null` where it named nothing. */
  readonly answer: HandshakeAnswer | 'come again' | null
  /**
   * What becomes of the requester's record: it is given up as `record-lost` at once, or where the node does not report
   * it soon; or it stays. What was given up with its node is taken back, where its share was not given to another
   * since, or else the node is told to stop.
   */
  readonly record: 'stays' | 'lost' | 'lost-unless-reported' | 'taken-back'
}

/** Decides what is to be done about an execution that one side or both know. */
export function reconcile({ known, named, condition, order }: BothSides): Reconciled {
  if (known === null) return { answer: named === null ? null : 'forget', record: 'stays' }
  if (!isLive(known)) {
    if (named === null) return { answer: null, record: 'stays' }
    return comesBack(known, named)
      ? { answer: 'continue', record: 'taken-back' }
      : { answer: 'stop', record: 'stays' }
  }
  if (named !== null) {
    if (named.revision >= known.computeRevision) return { answer: 'continue', record: 'stays' }
    // Nothing goes back within one opening: this was said before what the node has reported since.
    if (condition === 'goes on') return { answer: 'come again', record: 'stays' }
    // A record that has gone back says nothing of what the node has done since.
    return { answer: 'stop', record: 'lost' }
  }
  // What it has told of it had: it is not asked for once more.
  const isToCome = order === 'other' || (order === 'ask' && known.computeRevision === 0)
  if (isToCome) return { answer: null, record: 'stays' }
  return { answer: null, record: condition === 'wiped' ? 'lost' : 'lost-unless-reported' }
}

function comesBack(
  { state, endReason, computeRevision }: Execution,
  named: NonNullable<BothSides['named']>,
): boolean {
  const goesOn = named.state === 'BidAccepted' || named.state === 'Running' || named.state === 'Publishing'
  return state === 'Failed' && endReason === 'node-lost' && goesOn && named.revision >= computeRevision
}
