import type { OutboxRow } from '../model/outbox.ts'
import type { ChangeRequest } from '../model/request.ts'

/** Which messages to read. */
export interface OutboxQuery {
  readonly destination: string
  /** Default 0: all. */
  readonly afterSequence?: number
  /** 1 to 1,000. Default 100. */
  readonly limit?: number
}

/** What the receiver has acknowledged. */
export interface AcknowledgeOutbox {
  readonly destination: string
  readonly upToSequence: number
}

/** Messages to be taken out, and in `outbox` those that take their place. */
export interface ReplaceOutbox extends ChangeRequest {
  readonly destination: string
  /** 1 to 500. Those that are not there any more are passed over. */
  readonly sequences: readonly number[]
}

/** Messages that were written with a change and wait to be sent. */
export interface Outbox {
  /** Returns the messages that wait for a destination, oldest first. Damaged ones are passed over. */
  readOutbox(query: OutboxQuery): Promise<OutboxRow[]>
  /** Returns the destinations that messages wait for. */
  outboxDestinations(): Promise<string[]>
  /** Removes the messages that the receiver has acknowledged, and resolves with how many went. */
  acknowledgeOutbox(request: AcknowledgeOutbox): Promise<number>
  /**
   * Takes messages out and writes others behind all that wait, in one change; where none of the former is there any
   * more, nothing is written. Resolves with how many went. Throws `INVALID_ARGUMENT`.
   */
  replaceOutbox(request: ReplaceOutbox): Promise<number>
}
