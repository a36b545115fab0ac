import type { KvSnapshot } from '../kv/contract.ts'
import { decodeTuple } from '../kv/tuple.ts'
import type { ChangeSet } from '../model/feed.ts'
import { feedTable, unpackChange } from './feed-entry.ts'

/** Returns the newest change sets of the feed, newest first, at most `limit`. Throws `RECORD_CORRUPT`. */
export function readNewestChanges(snapshot: KvSnapshot, limit: number): ChangeSet[] {
  return snapshot.range('feed', { reverse: true, limit }).map(({ key, value }) => {
    const { at, changes } = feedTable.decode(key, value)
    return { sequence: Number(decodeTuple(key)[0]), atMs: at, changes: changes.map(unpackChange) }
  })
}
