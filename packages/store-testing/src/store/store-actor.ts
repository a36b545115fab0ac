import type { DurableStore, OutboxMessage } from '@saltcod/store-core'

/** The few things that cases about what both stores share must know of one of them. */
export interface StoreActor<Store extends DurableStore> {
  /** Creates a record and returns its id. */
  readonly create: (
    store: Store,
    request?: {
      readonly deadlineAtMs?: number
      readonly outbox?: readonly OutboxMessage[]
      readonly requestId?: string
      readonly namespace?: string
    },
  ) => Promise<string>
  /** Moves a record into its next state. */
  readonly advance: (store: Store, id: string) => Promise<unknown>
  /** Ends a record. */
  readonly end: (store: Store, id: string) => Promise<unknown>
  /** Sets or clears the deadline of a record that has not ended. */
  readonly setDeadline: (store: Store, id: string, deadlineAtMs: number | null) => Promise<unknown>
  /** Deletes a record that has ended. */
  readonly remove: (store: Store, id: string) => Promise<unknown>
  /** Makes a change that is refused after it has begun to write. */
  readonly fail: (store: Store, id: string, outbox: readonly OutboxMessage[]) => Promise<unknown>
  /** Kind of the records, in the feed and in the deadlines. */
  readonly kind: 'job' | 'execution'
  /** The states that a record goes through by `create`, `advance` and `end`. */
  readonly states: readonly [first: string, second: string, last: string]
}
