import type { KvRow, KvSnapshot } from '../kv/contract.ts'
import { endOfTuple } from '../kv/tuple.ts'
import type { TableName } from './tables.ts'

const STEP_ROWS = 1_000

/** Yields every key of a table that begins with a tuple, in order, reading a step at a time. */
export function* keysOf(snapshot: KvSnapshot, table: TableName, prefix: Uint8Array): Generator<Uint8Array> {
  for (const { key } of rowsOf(snapshot, table, prefix)) yield key
}

/**
 * Yields every row of a table whose key begins with a tuple, in order, reading a step at a time. An empty tuple
 * begins all of them.
 */
export function* rowsOf(snapshot: KvSnapshot, table: TableName, prefix: Uint8Array): Generator<KvRow> {
  const end = prefix.length === 0 ? {} : { lt: endOfTuple(prefix) }
  let from: { gte?: Uint8Array; gt?: Uint8Array } = prefix.length === 0 ? {} : { gte: prefix }
  for (;;) {
    const rows = snapshot.range(table, { ...from, ...end, limit: STEP_ROWS })
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < STEP_ROWS) return
    from = { gt: last.key }
  }
}
