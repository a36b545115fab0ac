import { checkText } from '../arguments/limits.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { tuple } from '../kv/tuple.ts'
import type { FeedCursor } from '../model/feed.ts'
import { decodeFeedCursor } from './feed.ts'
import { cursorTable } from './meta-table.ts'
import type { Mutation } from './mutation.ts'

const WHAT = 'cursor name'

/** Returns a named cursor; `null` where there is none. Throws `INVALID_ARGUMENT`. */
export function readNamedCursor(snapshot: KvSnapshot, name: string): FeedCursor | null {
  checkText(WHAT, name)
  return cursorTable.get(snapshot, tuple('cursor', name))?.cursor ?? null
}

/** Stores a named cursor. Throws `INVALID_ARGUMENT`, and what {@link decodeFeedCursor} throws. */
export function writeNamedCursor({ rows }: Mutation, name: string, cursor: FeedCursor): void {
  checkText(WHAT, name)
  decodeFeedCursor(rows, cursor)
  cursorTable.put(rows, tuple('cursor', name), { cursor })
}
