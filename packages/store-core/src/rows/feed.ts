import { StoreError } from '../errors.ts'
import type { KvSnapshot, KvTransaction } from '../kv/contract.ts'
import { tuple } from '../kv/tuple.ts'
import type { ChangeSet, FeedCursor, FeedPage } from '../model/feed.ts'
import { knownSequence, knownStoreRow } from './damaged-meta.ts'
import { feedTable, sequenceIn, toChangeSet } from './feed-entry.ts'
import {
  type NumberedIncarnation,
  numberOfIncarnation,
  readIncarnation,
  readIncarnations,
  readSequence,
  writeSequence,
} from './meta.ts'
import { type DamagedRow, damagedRowAt } from './quarantine.ts'

interface CursorParts {
  readonly storeId: string
  readonly incarnation: number
  readonly incarnationId: string
  readonly sequence: number
}

/** Makes the cursor of a sequence number, which may be known to belong to the newest incarnation. */
export function encodeFeedCursor(
  snapshot: KvSnapshot,
  sequence: number,
  newest: NumberedIncarnation | null = null,
): FeedCursor {
  const store = knownStoreRow(snapshot)
  const incarnation = newest ?? incarnationOf(snapshot, sequence)
  const parts = [store?.storeId ?? '', incarnation?.number ?? 0, incarnation?.id ?? '', sequence]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/**
 * Reads a cursor's sequence number. Throws `FEED_DIVERGED` where it comes from another store, from an
 * incarnation that this store never had, or from behind an incarnation's end.
 */
export function decodeFeedCursor(snapshot: KvSnapshot, cursor: FeedCursor): number {
  const parts = parseCursor(cursor)
  if (parts.storeId !== (knownStoreRow(snapshot)?.storeId ?? '')) throw diverged('another store', parts)
  if (parts.incarnation === 0) {
    if (parts.sequence === 0) return 0
    throw diverged('the future', parts)
  }
  const incarnation = readIncarnation(snapshot, parts.incarnation)
  if (incarnation?.id !== parts.incarnationId)
    throw diverged('an incarnation that this store never had', parts)
  const next = nextIncarnation(snapshot, parts.incarnation)
  const end = next === undefined ? knownSequence(snapshot).newest : next.firstSequence - 1
  if (parts.sequence > end) throw diverged('the future', parts)
  return parts.sequence
}

function parseCursor(cursor: FeedCursor): CursorParts {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    parts = null
  }
  if (Array.isArray(parts) && parts.length === 4) {
    const [storeId, incarnation, incarnationId, sequence] = parts as unknown[]
    if (
      typeof storeId === 'string' &&
      typeof incarnationId === 'string' &&
      Number.isSafeInteger(incarnation) &&
      Number.isSafeInteger(sequence)
    ) {
      return { storeId, incarnation: incarnation as number, incarnationId, sequence: sequence as number }
    }
  }
  throw new StoreError('INVALID_CURSOR', 'the feed cursor is not one that a store gave out', {
    hint: 'begin without a cursor',
  })
}

function diverged(origin: string, parts: CursorParts): StoreError {
  return new StoreError('FEED_DIVERGED', `the feed cursor at ${parts.sequence} comes from ${origin}`, {
    actual: parts.sequence,
    hint: 'read the whole state anew and follow from its cursor',
  })
}

/** The incarnation that a sequence number falls to, or the oldest there is. */
function incarnationOf(snapshot: KvSnapshot, sequence: number): NumberedIncarnation | undefined {
  let [found] = readIncarnations(snapshot, 1)
  if (found === undefined || found.firstSequence <= sequence + 1) return found
  for (let number = found.number - 1; number > 0; number--) {
    const earlier = readIncarnation(snapshot, number)
    if (earlier === undefined) continue
    found = earlier
    if (found.firstSequence <= sequence + 1) break
  }
  return found
}

function nextIncarnation(snapshot: KvSnapshot, number: number): NumberedIncarnation | undefined {
  const newest = numberOfIncarnation(snapshot)
  for (let next = number + 1; next <= newest; next++) {
    const incarnation = readIncarnation(snapshot, next)
    if (incarnation !== undefined) return incarnation
  }
  return undefined
}

/** A stretch of the feed with the damaged entries that were passed over. */
export interface FeedWithDamage {
  readonly page: FeedPage
  readonly damaged: readonly DamagedRow[]
}

/**
 * Returns the change sets behind a cursor with the cursor behind the last of them. A damaged entry is a gap: its page
 * begins behind it. Throws `FEED_DIVERGED` or `INVALID_CURSOR`.
 */
export function readFeed(snapshot: KvSnapshot, after: FeedCursor | null, limit: number): FeedWithDamage {
  const { trimmed } = knownSequence(snapshot)
  const start = after === null ? null : decodeFeedCursor(snapshot, after)
  const rows = snapshot.range('feed', { ...(start === null ? {} : { gt: tuple(start) }), limit })
  const changeSets: ChangeSet[] = []
  const damaged: DamagedRow[] = []
  let reached = Math.max(start ?? 0, trimmed)
  for (const { key, value } of rows) {
    try {
      changeSets.push(toChangeSet(key, value))
    } catch (error) {
      const row = damagedRowAt(error, 'feed', key)
      if (row === null) throw error
      if (changeSets.length > 0) break
      damaged.push(row)
    }
    reached = sequenceIn(key) ?? reached
  }
  const lost = damaged.length > 0 || (start !== null && start < trimmed)
  const resumesAtSequence = changeSets[0]?.sequence ?? reached + 1
  return {
    page: {
      changeSets,
      cursor: encodeFeedCursor(snapshot, reached),
      gap: lost ? { afterSequence: start ?? trimmed, resumesAtSequence } : null,
    },
    damaged,
  }
}

/** Removes the oldest entries that are too old or too many, and returns how many went. */
export function trimFeedRows(
  rows: KvTransaction,
  rule: { readonly olderThanMs?: number; readonly maxBytes?: number },
  nowMs: number,
  limit: number,
): number {
  const sequence = readSequence(rows)
  let { feedEntries, feedBytes, trimmed } = sequence
  const removed: Uint8Array[] = []
  for (const { key, value } of rows.range('feed', { limit })) {
    const tooMany = rule.maxBytes !== undefined && feedBytes > rule.maxBytes
    if (!tooMany && (rule.olderThanMs === undefined || timeOf(key, value) > nowMs - rule.olderThanMs)) break
    removed.push(key)
    feedEntries -= 1
    feedBytes -= value.length
    trimmed = sequenceIn(key) ?? trimmed
  }
  if (removed.length === 0) return 0
  for (const key of removed) rows.remove('feed', key)
  writeSequence(rows, { ...sequence, feedEntries, feedBytes, trimmed })
  return removed.length
}

/** A damaged entry counts as old: it must not stop the trimming of what lies behind it. */
function timeOf(key: Uint8Array, value: Uint8Array): number {
  try {
    return feedTable.decode(key, value).atMs
  } catch {
    return 0
  }
}
