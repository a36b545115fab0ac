import type { KvSnapshot } from '../kv/contract.ts'
import { tuple } from '../kv/tuple.ts'
import type { ChangeSet, FeedCursor } from '../model/feed.ts'
import { knownSequence } from './damaged-meta.ts'
import { decodeFeedCursor, encodeFeedCursor, type FeedWithDamage } from './feed.ts'
import { sequenceIn, toChangeSet } from './feed-entry.ts'
import { type DamagedRow, damagedRowAt } from './quarantine.ts'

/**
 * Returns the change sets before a cursor, newest first, with the cursor before the oldest of them; without a cursor
 * those before the end. A damaged entry is a gap: its page begins before it. Throws `FEED_DIVERGED` or
 * `INVALID_CURSOR`.
 */
export function readFeedBack(snapshot: KvSnapshot, from: FeedCursor | null, limit: number): FeedWithDamage {
  const end = from === null ? knownSequence(snapshot).newest : decodeFeedCursor(snapshot, from)
  const changeSets: ChangeSet[] = []
  const damaged: DamagedRow[] = []
  let reached = end
  for (const { key, value } of snapshot.range('feed', { lt: tuple(end + 1), reverse: true, limit })) {
    try {
      changeSets.push(toChangeSet(key, value))
    } catch (error) {
      const row = damagedRowAt(error, 'feed', key)
      if (row === null) throw error
      if (changeSets.length > 0) break
      damaged.push(row)
    }
    reached = (sequenceIn(key) ?? reached) - 1
  }
  return {
    page: {
      changeSets,
      cursor: encodeFeedCursor(snapshot, Math.max(0, reached)),
      gap:
        damaged.length === 0
          ? null
          : { afterSequence: changeSets[0]?.sequence ?? reached, resumesAtSequence: end + 1 },
    },
    damaged,
  }
}
