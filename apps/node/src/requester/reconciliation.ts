import type { Execution } from '@saltcod/store-core'
import type { HandshakeAnswer, HandshakeExecution } from '../link/link.ts'
import type { StoreCondition } from './membership.ts'
import { isLive } from './scheduler/slot.ts'

/** What waits to be delivered to a node about an execution: the order to do it, or one that makes the node speak. */
export type WaitingOrder = 'ask' | 'other' | null

/** What both sides know of an execution when hands are shaken. */
export interface BothSides {
  /** `null` where the requester does not know it, or has it on another node. */
  readonly known: Execution | null
  /** `null` where the node does not name it. */
  readonly named: Pick<HandshakeExecution, 'revision'> | null
  /** How the node's store stands to the one that it had. */
  readonly condition: StoreCondition
  readonly order: WaitingOrder
}

/** What each side does about an execution. */
export interface Reconciled {
  /** What the node is told; `null` where it named nothing. */
  readonly answer: HandshakeAnswer | null
  /**
   * What becomes of the requester's record: it is given up as `record-lost` at once, or where the node does not report
   * it soon; or it stays.
   */
  readonly record: 'stays' | 'lost' | 'lost-unless-reported'
}

/** Decides what is to be done about an execution that one side or both know. */
export function reconcile({ known, named, condition, order }: BothSides): Reconciled {
  if (known === null) return { answer: named === null ? null : 'forget', record: 'stays' }
  if (!isLive(known)) return { answer: named === null ? null : 'stop', record: 'stays' }
  if (named !== null) {
    // A record that has gone back says nothing of what the node has done since.
    return named.revision >= known.computeRevision
      ? { answer: 'continue', record: 'stays' }
      : { answer: 'stop', record: 'lost' }
  }
  // What it has told of it had: it is not asked for once more.
  const isToCome = order === 'other' || (order === 'ask' && known.computeRevision === 0)
  if (isToCome) return { answer: null, record: 'stays' }
  return { answer: null, record: condition === 'wiped' ? 'lost' : 'lost-unless-reported' }
}
