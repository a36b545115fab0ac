import type { KvRow, KvSnapshot, KvStore } from '@saltcod/store-core/backend'
import type { Bucket } from './buckets.ts'

const BATCH_ROWS = 1_000
const BATCH_BYTES = 4_000_000

/**
 * Visits the rows of a bucket in order, behind a key where one is given. Each batch is a read of its own, so
 * that a long walk does not make the store grow. `visit` returns false to stop.
 */
export function eachRow(
  kv: KvStore,
  bucket: Pick<Bucket, 'table' | 'prefix'>,
  afterKey: Uint8Array | null,
  visit: (row: KvRow) => boolean,
): void {
  let last = afterKey
  let limit = BATCH_ROWS
  for (;;) {
    const rows = kv.read((snapshot) => readBatch(snapshot, bucket, last, limit))
    let bytes = 0
    for (const row of rows) {
      bytes += row.value.length
      if (!visit(row)) return
    }
    const end = rows.at(-1)
    if (end === undefined || rows.length < limit) return
    last = end.key
    // Specifications may be a megabyte each.
    limit = bytes > BATCH_BYTES ? Math.max(1, limit >> 1) : BATCH_ROWS
  }
}

/** Counts the rows of a bucket without decoding them. */
export function countRows(kv: KvStore, bucket: Pick<Bucket, 'table' | 'prefix'>): number {
  let count = 0
  let last: Uint8Array | null = null
  for (;;) {
    const keys: Uint8Array[] = kv.read((snapshot) =>
      snapshot.keys(bucket.table, rangeOf(bucket, last, 5_000)),
    )
    count += keys.length
    last = keys.at(-1) ?? null
    if (last === null || keys.length < 5_000) return count
  }
}

function readBatch(
  snapshot: KvSnapshot,
  bucket: Pick<Bucket, 'table' | 'prefix'>,
  last: Uint8Array | null,
  limit: number,
): KvRow[] {
  return snapshot.range(bucket.table, rangeOf(bucket, last, limit))
}

function rangeOf({ prefix }: Pick<Bucket, 'prefix'>, last: Uint8Array | null, limit: number) {
  const low = last !== null ? { gt: last } : prefix.length > 0 ? { gte: prefix } : {}
  const high = prefix.length > 0 ? { lt: Buffer.concat([prefix, Buffer.of(0xff)]) } : {}
  return { ...low, ...high, limit }
}
