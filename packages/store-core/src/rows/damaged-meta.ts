import { StoreError } from '../errors.ts'
import type { KvSnapshot, KvStore } from '../kv/contract.ts'
import { decodeTuple } from '../kv/tuple.ts'
import { forEachBatch } from './batches.ts'
import { sequenceIn } from './feed-entry.ts'
import {
  readIncarnations,
  readSequence,
  readStoreRow,
  type SequenceRow,
  type StoreRow,
  writeSequence,
} from './meta.ts'
import { type DamagedRow, damagedRow, orUndamaged, putQuarantine } from './quarantine.ts'
import { RecordTable } from './record-table.ts'
import { isNumber } from './row-shape.ts'
import type { TableName } from './tables.ts'

/**
 * Numbers that are left out where the newest one has to be found again: those of rows that were removed since, as far
 * as nothing else tells of them, lie in between.
 */
export const SAFE_GAP: number = 2 ** 32

const evaluations = new RecordTable<{ readonly sequence: number }>(
  'evaluations',
  1,
  { sequence: 'q' },
  { sequence: isNumber },
)

/** Returns the row that names the store; `undefined` where there is none or it is damaged. */
export function knownStoreRow(snapshot: KvSnapshot): StoreRow | undefined {
  return unlessDamaged(() => readStoreRow(snapshot)).value
}

/** The sequence row; where it is damaged what the ends of the feed tell, and this mark. */
export type KnownSequence = SequenceRow & { readonly damaged?: true }

/** Returns the sequence row for those who only read. */
export function knownSequence(snapshot: KvSnapshot): KnownSequence {
  const { value, damaged } = unlessDamaged(() => readSequence(snapshot))
  if (value !== undefined) return value
  if (damaged === undefined) throw new Error('the sequence row has no value')
  const [first] = snapshot.keys('feed', { limit: 1 })
  const [last] = snapshot.keys('feed', { reverse: true, limit: 1 })
  const newest = (last && sequenceIn(last)) ?? 0
  return {
    newest,
    newestAtMs: 0,
    feedEntries: 0,
    feedBytes: 0,
    trimmed: ((first && sequenceIn(first)) ?? newest + 1) - 1,
    damaged: true,
  }
}

/**
 * Finds the newest sequence number again where its row is damaged, from everything that has one, and writes it with a
 * safe gap. A damaged row must keep no node from starting. Throws `STORE_DAMAGED` where no number is left.
 */
export async function recoverSequence(kv: KvStore, nowMs: number): Promise<void> {
  const { damaged } = unlessDamaged(() => kv.read(readSequence))
  if (damaged === undefined) return
  let newest = kv
    .read((snapshot) => readIncarnations(snapshot, 1))
    .reduce((most, { firstSequence }) => Math.max(most, firstSequence - 1), 0)
  const see = (sequence: unknown): void => {
    if (typeof sequence === 'number' && sequence > newest) newest = sequence
  }
  const feed = { rows: 0, bytes: 0, first: null as number | null }
  const visits: readonly (readonly [TableName, (key: Uint8Array, value: Uint8Array) => void])[] = [
    ['history', (key) => see(orUndamaged(() => decodeTuple(key).at(-1)))],
    ['outbox', (key) => see(orUndamaged(() => decodeTuple(key).at(-1)))],
    ['evaluations', (key, value) => see(unlessDamaged(() => evaluations.decode(key, value).sequence).value)],
    [
      'feed',
      (key, value) => {
        feed.first ??= sequenceIn(key) ?? null
        feed.rows += 1
        feed.bytes += value.length
        see(sequenceIn(key))
      },
    ],
  ]
  for (const [table, visit] of visits) {
    await forEachBatch(kv, table, {}, (rows) => {
      for (const { key, value } of rows) visit(key, value)
    })
  }
  const n = newest + SAFE_GAP
  if (!Number.isSafeInteger(n)) throw storeDamaged(kv.location, 'its newest sequence number')
  const { rows, bytes, first } = feed
  await kv.write((transaction) => {
    putQuarantine(transaction, damaged, nowMs)
    writeSequence(transaction, {
      newest: n,
      newestAtMs: nowMs,
      feedEntries: rows,
      feedBytes: bytes,
      trimmed: first === null ? n : first - 1,
    })
  })
}

/** Reads the row that names a store which is about to be written. Throws `STORE_DAMAGED`. */
export function requireStoreRow(kv: KvStore): StoreRow | undefined {
  const { value, damaged } = unlessDamaged(() => kv.read(readStoreRow))
  if (damaged !== undefined) throw storeDamaged(kv.location, 'the row that names it')
  return value
}

function storeDamaged(location: string, what: string): StoreError {
  return new StoreError('STORE_DAMAGED', `${location} is damaged: ${what} cannot be read`, {
    path: location,
    remedy: 'repair',
    hint: 'a repair mends it; nothing was written',
  })
}

function unlessDamaged<T>(read: () => T): { readonly value?: T; readonly damaged?: DamagedRow } {
  try {
    return { value: read() }
  } catch (error) {
    const damaged = damagedRow(error)
    if (damaged === null) throw error
    return { damaged }
  }
}
