import { decodeTuple } from '../kv/tuple.ts'
import type { FeedCursor } from '../model/feed.ts'
import type { Peer } from '../model/peer.ts'
import { clockTable } from './clock-row.ts'
import type { DiskNames } from './field-names.ts'
import { countTable, incarnationTable, sequenceTable, storeTable } from './meta.ts'
import { RecordTable } from './record-table.ts'
import { isNumber, isOrdinal, isText } from './row-shape.ts'

/** What is left to be done of migrations. */
export interface MigrationRow {
  readonly from: number
  /** How far the steps have come; empty at their beginning. */
  readonly after: string
}

/** How far a walk along what may be folded has come. */
export interface MarkerRow {
  /** When the walk along this stretch began. */
  readonly begun: number
  /** The last index row that it has passed, in hexadecimal digits. */
  readonly last: string
}

/** The named cursors of the feed. */
export const cursorTable: RecordTable<{ readonly cursor: FeedCursor }> = new RecordTable<{
  readonly cursor: FeedCursor
}>('meta', 1, null, { cursor: isText })

/** The names of {@link Peer} on disk. */
export const PEER_NAMES: DiskNames<Peer> = {
  storeId: 's',
  incarnation: 'i',
  firstSequence: 'first',
  sequence: 'n',
  seenAtMs: 'at',
}

/** The stores of other sides of links, by their names. */
export const peerTable: RecordTable<Peer> = new RecordTable<Peer>('meta', 1, PEER_NAMES, {
  storeId: isText,
  incarnation: isText,
  firstSequence: isNumber,
  sequence: isNumber,
  seenAtMs: isNumber,
})

/** The named numbers. */
export const checkpointTable: RecordTable<{ readonly value: number }> = new RecordTable<{
  readonly value: number
}>('meta', 1, { value: 'n' }, { value: isNumber })

/** What is left to be done of a migration. */
export const migrationTable: RecordTable<MigrationRow> = new RecordTable<MigrationRow>('meta', 1, null, {
  from: isOrdinal,
  after: isText,
})

/** The places of walks. */
export const markerTable: RecordTable<MarkerRow> = new RecordTable<MarkerRow>('meta', 1, null, {
  begun: isNumber,
  last: isText,
})

const BY_NAME = new Map<unknown, { decode(key: Uint8Array, value: Uint8Array): unknown }>([
  ['store', storeTable],
  ['sequence', sequenceTable],
  ['clock', clockTable],
  ['incarnations', countTable],
  ['incarnation', incarnationTable],
  ['cursor', cursorTable],
  ['peer', peerTable],
  ['checkpoint', checkpointTable],
  ['migration', migrationTable],
  ['fold', markerTable],
])

const anyRow = new RecordTable<unknown>('meta', 1)

/**
 * Decodes a row of `meta`; one of a name that this release does not know may hold anything. Throws `RECORD_CORRUPT`.
 */
export function decodeMeta(key: Uint8Array, value: Uint8Array): unknown {
  return (BY_NAME.get(decodeTuple(key)[0]) ?? anyRow).decode(key, value)
}
