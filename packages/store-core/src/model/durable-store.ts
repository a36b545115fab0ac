import type { KvCapabilities, KvFailure } from '../kv/contract.ts'
import type { CheckOptions, CheckReport } from './check-report.ts'
import type { FeedCursor, FeedPage, RecordKind } from './feed.ts'
import type { FoldReport, FoldRule } from './fold.ts'
import type { OutboxRow } from './outbox.ts'
import type { Deadline, QuarantinedRecord, ReclaimReport, StateCount, StoreInfo } from './store-info.ts'

/**
 * What both stores have: feed, outbox, deadlines, counts, care. All methods take and give plain data. Every method of a store throws `TypeError`
 * for an argument of another type than it must have, and `INVALID_ARGUMENT` for one that is out of its limits; the store is then as it was.
 */
export interface DurableStore {
  /** Resolves when an I/O error made the store unusable; the process should then be restarted. */
  readonly failed: Promise<KvFailure>
  readonly capabilities: KvCapabilities

  /** Returns what the store says of itself. */
  info(): Promise<StoreInfo>
  /** Returns exact counts and byte totals of a single moment, for one kind or all, one namespace or all. A damaged counter is marked. */
  counts(query?: { readonly kind?: RecordKind; readonly namespace?: string }): Promise<StateCount[]>
  /** Returns what is due by now, oldest first; at most `limit` (default 100). Changes nothing. */
  dueDeadlines(query?: { readonly limit?: number }): Promise<Deadline[]>
  /** Returns when the next deadline is due, in milliseconds since 1970; `null` where there is none. */
  nextDeadlineMs(): Promise<number | null>

  /**
   * Returns the change sets behind a cursor, at most `limit` (default 100). Without a cursor it begins with
   * the oldest. Throws `FEED_DIVERGED` for a cursor of another store, an unknown incarnation or the future, and
   * `INVALID_CURSOR` for a text that is none.
   */
  changes(query?: { readonly after?: FeedCursor | null; readonly limit?: number }): Promise<FeedPage>
  /** Follows the feed: first what is there, then what comes, until the signal aborts. Yields no empty page. */
  watch(query?: {
    readonly after?: FeedCursor | null
    readonly signal?: AbortSignal
    /** How often a reader in another process looks. Default 250. */
    readonly pollMs?: number
  }): AsyncIterableIterator<FeedPage>
  /** Returns the cursor behind the newest change, for following from now on. */
  latestCursor(): Promise<FeedCursor>
  /** Returns a named cursor; `null` where none was stored under that name. */
  getNamedCursor(name: string): Promise<FeedCursor | null>
  /** Stores a cursor under a name of 1 to 128 characters. Throws `FEED_DIVERGED` as `changes` does. */
  setNamedCursor(name: string, cursor: FeedCursor): Promise<void>
  /**
   * Removes the oldest feed entries that are older than `olderThanMs` or over `maxBytes`, and request ids that are older than
   * `requestIdsOlderThanMs` (default: `olderThanMs`, or a day without it), at most `limit` (default 500) of each. Resolves with how many
   * entries and request ids went.
   */
  trimFeed(rule: {
    readonly olderThanMs?: number
    readonly maxBytes?: number
    readonly requestIdsOlderThanMs?: number
    readonly limit?: number
  }): Promise<number>

  /**
   * Makes one compressed record of all rows of each finished record, oldest first: of a job with its versions, executions and
   * history, or of an execution whose end the requester has acknowledged. No reader sees a difference, and a change of such a record puts its rows
   * back first. Call it until `more` is false. Throws `INVALID_ARGUMENT`.
   */
  fold(rule?: FoldRule): Promise<FoldReport>

  /** Returns the messages that wait for a destination behind a sequence number, oldest first. Damaged ones are passed over. */
  readOutbox(query: {
    readonly destination: string
    readonly afterSequence?: number
    readonly limit?: number
  }): Promise<OutboxRow[]>
  /** Returns the destinations that messages wait for. */
  outboxDestinations(): Promise<string[]>
  /** Removes the messages that the receiver has acknowledged, up to and with a sequence number. */
  acknowledgeOutbox(request: { readonly destination: string; readonly upToSequence: number }): Promise<number>

  /** Removes rows of what was deleted, at most 500; call it until `more` is false. */
  reclaim(): Promise<ReclaimReport>
  /** Returns the damaged records that were found so far. */
  listQuarantine(): Promise<QuarantinedRecord[]>
  /** Checks every rule of the store in bounded snapshots, while it is being used. Throws `INVALID_ARGUMENT`. */
  check(options?: CheckOptions): Promise<CheckReport>
  /** Waits for what was begun, then closes. */
  close(): Promise<void>
}
