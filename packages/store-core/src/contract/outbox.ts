import type { OutboxRow } from '../model/outbox.ts'

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

/** Messages that were written with a change and wait to be sent. */
export interface Outbox {
  /** Returns the messages that wait for a destination, oldest first. Damaged ones are passed over. */
  readOutbox(query: OutboxQuery): Promise<OutboxRow[]>
  /** Returns the destinations that messages wait for. */
  outboxDestinations(): Promise<string[]>
  /** Removes the messages that the receiver has acknowledged, and resolves with how many went. */
  acknowledgeOutbox(request: AcknowledgeOutbox): Promise<number>
}
