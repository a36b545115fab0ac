import type { OutboxMessage } from './outbox.ts'

/** What every change may carry. */
export interface ChangeRequest {
  /**
   * Makes the change safe to ask again: a second call with the same id changes nothing and resolves with the first
   * one's result and sends nothing. Kept until `trimFeed` forgets it. Throws `REQUEST_ID_CONFLICT` where the id was
   * used for another kind of change.
   */
  readonly requestId?: string
  /** Messages to be written in the same transaction; none is where the call changes nothing. */
  readonly outbox?: readonly OutboxMessage[]
}
