import type { KvSnapshot } from '../kv/contract.ts'
import type { ChangeSet } from '../model/feed.ts'
import { toChangeSet } from './feed-entry.ts'
import { damagedRow } from './quarantine.ts'

/** Returns the newest change sets of the feed, newest first, out of at most `limit` entries. Damaged ones are passed over. */
export function readNewestChanges(snapshot: KvSnapshot, limit: number): ChangeSet[] {
  return snapshot.range('feed', { reverse: true, limit }).flatMap(({ key, value }) => {
    try {
      return [toChangeSet(key, value)]
    } catch (error) {
      if (damagedRow(error) === null) throw error
      return []
    }
  })
}
