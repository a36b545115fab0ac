import { randomUUID } from 'node:crypto'
import { StoreError } from '../errors.ts'
import type { KvSnapshot, KvStore, KvTransaction } from '../kv/contract.ts'
import { decodeTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import type { Incarnation } from '../model/store-info.ts'
import type { DiskNames } from './field-names.ts'
import { HotTable } from './hot-table.ts'
import { damagedRow } from './quarantine.ts'
import { RecordTable } from './record-table.ts'
import { isNumber, isOrdinal, isText, optional, orNull } from './row-shape.ts'

/** The schema that this release writes, and the newest that it reads. */
export const SCHEMA_VERSION: number = 3

/** Which of the two stores a file holds. */
export type StoreKind = 'jobs' | 'executions'

/** The row that every release must be able to read. */
export interface StoreRow {
  readonly kind: StoreKind
  readonly schema: number
  readonly storeId: string
  readonly nodeId: string | null
  readonly createdAtMs: number
}

interface IncarnationRow {
  readonly id: string
  readonly firstSequence: number
  readonly openedAtMs: number
  readonly driver?: string
}

/** The newest sequence number, when it was given, and the size of the feed. */
export interface SequenceRow {
  /** The newest sequence number. */
  readonly newest: number
  /** Time of the newest change. */
  readonly newestAtMs: number
  /** Feed entries. */
  readonly feedEntries: number
  /** Bytes of the feed's values. */
  readonly feedBytes: number
  /** The newest sequence number that was trimmed from the feed; 0 for none. */
  readonly trimmed: number
}

/** The row that names the store. */
export const storeTable: RecordTable<StoreRow> = new RecordTable<StoreRow>('meta', 1, null, {
  kind: isText,
  schema: isOrdinal,
  storeId: isText,
  nodeId: orNull(isText),
  createdAtMs: isNumber,
})

/** The names of {@link IncarnationRow} on disk. */
export const INCARNATION_NAMES: DiskNames<IncarnationRow> = {
  id: 'id',
  firstSequence: 'first',
  openedAtMs: 'at',
  driver: 'driver',
}

/** The openings for writing, by number. */
export const incarnationTable: RecordTable<IncarnationRow> = new RecordTable<IncarnationRow>(
  'meta',
  1,
  INCARNATION_NAMES,
  {
    id: isText,
    firstSequence: isNumber,
    openedAtMs: isNumber,
    driver: optional(isText),
  },
)

/** The names of {@link SequenceRow} on disk. */
export const SEQUENCE_NAMES: DiskNames<SequenceRow> = {
  newest: 'n',
  newestAtMs: 'at',
  feedEntries: 'rows',
  feedBytes: 'bytes',
  trimmed: 'trimmed',
}

/** The newest sequence number, and the size of the feed. */
export const sequenceTable: HotTable<SequenceRow> = new HotTable<SequenceRow>(
  'meta',
  1,
  ({ newest, newestAtMs, feedEntries, feedBytes, trimmed }) =>
    `{"n":${newest},"at":${newestAtMs},"rows":${feedEntries},"bytes":${feedBytes},"trimmed":${trimmed}}`,
  SEQUENCE_NAMES,
  {
    newest: isNumber,
    newestAtMs: isNumber,
    feedEntries: isNumber,
    feedBytes: isNumber,
    trimmed: isNumber,
  },
)
/** The key of the row that names the store. */
export const STORE_KEY: Uint8Array = tuple('store')
const SEQUENCE_KEY = tuple('sequence')
const NOTHING_YET: SequenceRow = { newest: 0, newestAtMs: 0, feedEntries: 0, feedBytes: 0, trimmed: 0 }

/** Returns the sequence row. */
export function readSequence(snapshot: KvSnapshot): SequenceRow {
  return sequenceTable.get(snapshot, SEQUENCE_KEY) ?? NOTHING_YET
}

/** Replaces the sequence row. */
export function writeSequence(rows: KvTransaction, row: SequenceRow): void {
  sequenceTable.put(rows, SEQUENCE_KEY, row)
}

/** Returns the row that names the store; `undefined` in one that was never opened for writing. */
export function readStoreRow(snapshot: KvSnapshot): StoreRow | undefined {
  return storeTable.get(snapshot, STORE_KEY)
}

/** Replaces the row that names the store. */
export function writeStoreRow(rows: KvTransaction, row: StoreRow): void {
  storeTable.put(rows, STORE_KEY, row)
}

/** An incarnation with its number in the order of openings, from 1. */
export interface NumberedIncarnation extends Incarnation {
  readonly number: number
}

/**
 * Returns an incarnation by number; `undefined` where there is none. A damaged one counts as none: its numbers fall to
 * the one before, and cursors that name it diverge.
 */
export function readIncarnation(snapshot: KvSnapshot, number: number): NumberedIncarnation | undefined {
  const row = getUndamaged(incarnationTable, snapshot, tuple('incarnation', number))
  return row && { number, id: row.id, firstSequence: row.firstSequence, openedAtMs: row.openedAtMs }
}

/** Returns the newest incarnations first, at most `limit`. */
export function readIncarnations(snapshot: KvSnapshot, limit: number): NumberedIncarnation[] {
  const found: NumberedIncarnation[] = []
  for (let number = numberOfIncarnation(snapshot); number > 0 && found.length < limit; number--) {
    const incarnation = readIncarnation(snapshot, number)
    if (incarnation !== undefined) found.push(incarnation)
  }
  return found
}

/** Returns the number of the newest incarnation; 0 in a store that was never opened for writing. */
export function numberOfIncarnation(snapshot: KvSnapshot): number {
  const row = getUndamaged(countTable, snapshot, COUNT_KEY)
  if (row !== undefined) return row.count
  const prefix = tuple('incarnation')
  const [newest] = snapshot.keys('meta', { gte: prefix, lt: endOfTuple(prefix), reverse: true, limit: 1 })
  return newest === undefined ? 0 : Number(decodeTuple(newest)[1])
}

function getUndamaged<T>(table: RecordTable<T>, snapshot: KvSnapshot, key: Uint8Array): T | undefined {
  try {
    return table.get(snapshot, key)
  } catch (error) {
    if (damagedRow(error) === null) throw error
    return undefined
  }
}

/** How many openings for writing there were. */
export const countTable: RecordTable<{ readonly count: number }> = new RecordTable<{
  readonly count: number
}>('meta', 1, { count: 'n' }, { count: isOrdinal })
const COUNT_KEY = tuple('incarnations')

/** What a writable opening of a store needs to know. */
export interface OpenRequest {
  readonly kind: StoreKind
  readonly nodeId: string | undefined
  readonly nowMs: number
}

/**
 * Checks that a store is of the right kind, schema and node. Throws `STORE_FOREIGN`, `SCHEMA_TOO_NEW` or
 * `STORE_OTHER_NODE`.
 */
export function checkStoreRow(row: StoreRow, request: OpenRequest, location: string): void {
  if (row.kind !== request.kind) {
    throw new StoreError('STORE_FOREIGN', `${location} is a store of ${row.kind}, not of ${request.kind}`, {
      path: location,
      hint: 'give the path of the other store; nothing was written',
    })
  }
  if (row.schema > SCHEMA_VERSION) {
    throw new StoreError(
      'SCHEMA_TOO_NEW',
      `${location} has schema ${row.schema}, this release reads up to ${SCHEMA_VERSION}`,
      {
        path: location,
        actual: row.schema,
        expected: SCHEMA_VERSION,
        hint: 'use the newer release that wrote it',
      },
    )
  }
  if (request.nodeId !== undefined && row.nodeId !== null && row.nodeId !== request.nodeId) {
    throw new StoreError(
      'STORE_OTHER_NODE',
      `${location} belongs to node ${row.nodeId}, not to ${request.nodeId}`,
      {
        path: location,
        actual: row.nodeId,
        expected: request.nodeId,
        hint: `start with node id ${row.nodeId}, or give another path`,
      },
    )
  }
}

/**
 * Writes the store's row where it is new, a further incarnation in any case, and in the same transaction what `also`
 * writes.
 */
export async function openForWriting(
  kv: KvStore,
  request: OpenRequest,
  also: (rows: KvTransaction) => void,
): Promise<NumberedIncarnation> {
  return await kv.write(
    (rows) => {
      const existing = readStoreRow(rows)
      if (existing !== undefined) checkStoreRow(existing, request, kv.location)
      if (existing === undefined || (existing.nodeId === null && request.nodeId !== undefined)) {
        storeTable.put(rows, STORE_KEY, {
          kind: request.kind,
          schema: SCHEMA_VERSION,
          storeId: existing?.storeId ?? randomUUID(),
          nodeId: request.nodeId ?? null,
          createdAtMs: existing?.createdAtMs ?? request.nowMs,
        })
      }
      const number = numberOfIncarnation(rows) + 1
      const incarnation = {
        id: randomUUID(),
        firstSequence: readSequence(rows).newest + 1,
        openedAtMs: request.nowMs,
      }
      const driver = kv.capabilities.driver
      incarnationTable.put(rows, tuple('incarnation', number), {
        id: incarnation.id,
        firstSequence: incarnation.firstSequence,
        openedAtMs: request.nowMs,
        ...(driver === undefined ? {} : { driver }),
      })
      countTable.put(rows, COUNT_KEY, { count: number })
      also(rows)
      return { number, ...incarnation }
    },
    { frees: true },
  )
}
