import type { FeedCursor, FeedPage } from '../model/feed.ts'

/** Which stretch of the feed to read. */
export interface FeedQuery {
  /** Default: the beginning, and in reverse the end. */
  readonly after?: FeedCursor | null
  /** 1 to 1,000. Default 100. */
  readonly limit?: number
  /** From the cursor back, newest first. Default false. */
  readonly reverse?: boolean
}

/** Which changes to follow. */
export interface WatchQuery {
  /** Default: the beginning. */
  readonly after?: FeedCursor | null
  readonly signal?: AbortSignal
  /** How often a reader in another process looks. Default 250. */
  readonly pollMs?: number
  /**
   * Only how far the feed goes: the pages name no changes and no gap, and cost the same however many there are.
   * Default false.
   */
  readonly cursorsOnly?: boolean
}

/** How much of the feed and of the request ids to forget. */
export interface TrimFeed {
  readonly olderThanMs?: number
  readonly maxBytes?: number
  /** Default: `olderThanMs`, or a day without it. */
  readonly requestIdsOlderThanMs?: number
  /** Entries and request ids that go at most, of each. 1 to 500. Default 500. */
  readonly limit?: number
}

/** What changed, one entry for each transaction. */
export interface ChangeFeed {
  /**
   * Returns the change sets behind a cursor. The page's cursor lies behind the last of them, in reverse before
   * the oldest, so that the next page goes on there. Throws `FEED_DIVERGED` for a cursor of another store, an unknown
   * incarnation or the future, and `INVALID_CURSOR` for a text that is none.
   */
  changes(query?: FeedQuery): Promise<FeedPage>
  /** Follows the feed: first what is there, then what comes, until the signal aborts. Yields no empty page. */
  watch(query?: WatchQuery): AsyncIterableIterator<FeedPage>
  /** Returns the cursor behind the newest change, for following from now on. */
  latestCursor(): Promise<FeedCursor>
  /** Returns a named cursor; `null` where none was stored under that name. */
  getNamedCursor(name: string): Promise<FeedCursor | null>
  /** Stores a cursor under a name of 1 to 128 characters. Throws `FEED_DIVERGED` as `changes` does. */
  setNamedCursor(name: string, cursor: FeedCursor): Promise<void>
  /**
   * Removes the oldest feed entries that are too old or too many, and old request ids; resolves with how many of both
   * went.
   */
  trimFeed(rule: TrimFeed): Promise<number>
}
