import { StoreError } from '@saltcod/store-core'
import { checkFields, type Fields, type KvRow, type KvStore, STORE_TABLES } from '@saltcod/store-core/backend'

import { Pace } from '../retention/pace.ts'

const BATCH_ROWS = 500
const BATCH_BYTES = 4 * 1024 * 1024

/** Options of {@link compact}. */
export interface CompactOptions {
  /** The tables that are copied. Default: those of a store. */
  readonly tables?: readonly string[]
  /** Ends the copy between two batches, with its reason. */
  readonly signal?: AbortSignal
  /** Told after each batch. */
  readonly onProgress?: (copiedRows: number) => void
}

const OPTION_FIELDS: Fields<CompactOptions> = { tables: true, signal: true, onProgress: true }

/** What {@link compact} did. */
export interface CompactReport {
  readonly rows: number
  /** Bytes of keys and values. */
  readonly bytes: number
}

/**
 * Copies a stopped store row by row, in the order of its keys, into an empty one, which leaves out what deleted rows
 * left behind. Bytes are copied as they are, damaged ones too. Opening the two, the source for reading, the target
 * anew, is up to the caller, and so is keeping a source closed to writers: where it changes meanwhile, this rejects
 * with `REWRITE_STOPPED`. Rejects with `STORE_FOREIGN` where the target is not empty. What was copied until then stays
 * in the target, which is of no use.
 */
export async function compact(
  source: KvStore,
  target: KvStore,
  options: CompactOptions = {},
): Promise<CompactReport> {
  checkFields('compact', options, OPTION_FIELDS)
  const { tables = STORE_TABLES, signal, onProgress } = options
  refuseFilled(target, tables)
  // Every opening for writing and every change leaves its mark there.
  const before = marksOf(source, tables)
  const pace = new Pace({})
  let rows = 0
  let bytes = 0
  for (const table of tables) {
    for (let batch = readBatch(source, table, undefined); batch.length > 0; ) {
      signal?.throwIfAborted()
      const written = batch
      await target.write((transaction) => {
        for (const { key, value } of written) transaction.put(table, key, value)
      })
      rows += written.length
      bytes += bytesOf(written)
      onProgress?.(rows)
      await pace.rest(written.length)
      batch = readBatch(source, table, written.at(-1)?.key)
    }
  }
  if (marksOf(source, tables) !== before) throw changedError(source)
  return { rows, bytes }
}

/** Reads on behind a key, no more than one change may put. */
function readBatch(store: KvStore, table: string, after: Uint8Array | undefined): KvRow[] {
  for (let limit = BATCH_ROWS; ; limit = Math.max(1, limit >> 2)) {
    const range = after === undefined ? { limit } : { gt: after, limit }
    const rows = store.read((snapshot) => snapshot.range(table, range))
    if (limit === 1 || bytesOf(rows) <= BATCH_BYTES) return rows
  }
}

function bytesOf(rows: readonly KvRow[]): number {
  return rows.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
}

function marksOf(store: KvStore, tables: readonly string[]): string {
  if (!tables.includes('meta')) return ''
  const rows = store.read((snapshot) => snapshot.range('meta', { limit: 1_000, reverse: true }))
  return rows.map(({ value }) => Buffer.from(value).toString('latin1')).join('\n')
}

function refuseFilled(target: KvStore, tables: readonly string[]): void {
  for (const table of tables) {
    if (target.read((snapshot) => snapshot.keys(table, { limit: 1 })).length === 0) continue
    throw new StoreError('STORE_FOREIGN', `${target.location} is not empty; nothing was copied into it.`, {
      path: target.location,
      hint: 'give a path where there is nothing',
    })
  }
}

function changedError(source: KvStore): StoreError {
  return new StoreError('REWRITE_STOPPED', `${source.location} changed while it was copied.`, {
    path: source.location,
    hint: 'stop the process that owns it, or let that one rewrite it',
  })
}
