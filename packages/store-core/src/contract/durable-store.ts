import type { KvCapabilities, KvFailure } from '../kv/contract.ts'
import type { RecordKind } from '../model/feed.ts'
import type { Deadline, StateCount, StoreInfo } from '../model/store-info.ts'
import type { ChangeFeed } from './change-feed.ts'
import type { Outbox } from './outbox.ts'
import type { Peers } from './peers.ts'
import type { Upkeep } from './upkeep.ts'

/** What to count; without a condition everything. */
export interface CountQuery {
  readonly kind?: RecordKind
  readonly namespace?: string
}

/** How many deadlines to return. */
export interface DeadlineQuery {
  /** 1 to 1,000. Default 100. */
  readonly limit?: number
}

/**
 * What both stores have. All methods take and give plain data. Every method of a store throws `TypeError` for an
 * argument of another type than it must have, and `INVALID_ARGUMENT` for one that is out of its limits; the store is
 * then as it was.
 */
export interface DurableStore extends ChangeFeed, Outbox, Peers, Upkeep {
  /** Resolves when an I/O error made the store unusable; the process should then be restarted. */
  readonly failed: Promise<KvFailure>
  readonly capabilities: KvCapabilities

  /** Returns what the store says of itself. */
  info(): Promise<StoreInfo>
  /** Returns exact counts and byte totals of a single moment. A damaged counter is marked. */
  counts(query?: CountQuery): Promise<StateCount[]>
  /** Returns what is due by now, oldest first. Changes nothing. */
  dueDeadlines(query?: DeadlineQuery): Promise<Deadline[]>
  /** Returns when the next deadline is due, in milliseconds since 1970; `null` where there is none. */
  nextDeadlineMs(): Promise<number | null>
  /** Waits for what was begun, then closes. */
  close(): Promise<void>
}
