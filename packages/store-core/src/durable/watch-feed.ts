import { requireObject, requireOptionalFlag } from '../arguments/argument-types.ts'
import { checkInteger } from '../arguments/limits.ts'
import type { WatchQuery } from '../contract/change-feed.ts'
import { checkFields } from '../kv/fields.ts'
import type { FeedCursor, FeedPage } from '../model/feed.ts'
import type { Notifier } from '../rows/notifier.ts'
import { WATCH_FIELDS } from './durable-store-fields.ts'

const DEFAULT_POLL_MS = 250
/** The longest time that a timer takes. */
const MAX_POLL_MS = 2 ** 31 - 1

/** The feed of a store, as far as following it needs. */
export interface WatchedFeed {
  readonly notifier: Notifier
  /** Whether another process makes the changes. */
  readonly readOnly: boolean
  /** Reads what lies behind a cursor. */
  changes(after: FeedCursor | null): Promise<FeedPage>
  /** Returns the cursor behind the newest change. */
  end(): Promise<FeedCursor>
  /** Throws where a cursor is none of this store. */
  prove(cursor: FeedCursor): Promise<void>
}

/** Yields what is there and what comes, until the signal of the query aborts. */
export async function* watchFeed(
  feed: WatchedFeed,
  query: WatchQuery,
): AsyncGenerator<FeedPage, void, undefined> {
  requireObject('query', query)
  checkFields('watch', query, WATCH_FIELDS)
  const { signal, pollMs = DEFAULT_POLL_MS, cursorsOnly = false } = query
  checkInteger('pollMs', pollMs, 1, MAX_POLL_MS)
  requireOptionalFlag('cursorsOnly', cursorsOnly)
  let after = query.after ?? null
  if (cursorsOnly && after !== null) await feed.prove(after)
  while (signal?.aborted !== true) {
    // Before it reads, so that no change slips in between.
    const wait = feed.notifier.wait(feed.readOnly ? pollMs : null, signal)
    try {
      const page: FeedPage = cursorsOnly
        ? { changeSets: [], cursor: await feed.end(), gap: null }
        : await feed.changes(after)
      const isNew = cursorsOnly ? page.cursor !== after : page.changeSets.length > 0 || page.gap !== null
      after = page.cursor
      if (isNew) yield page
      // Behind the end of the feed there is nothing more to see until the next change.
      if (!isNew || cursorsOnly) await wait.over
    } finally {
      wait.end()
    }
  }
}
