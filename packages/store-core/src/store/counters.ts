import type { KvSnapshot, KvTransaction } from '../kv/contract.ts'
import { decodeTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import type { RecordKind } from '../model/feed.ts'
import type { StateCount } from '../model/store-info.ts'
import { RecordTable } from './record-table.ts'

/** Records and bytes. */
export type CounterRow = readonly [records: number, bytes: number]

const table = new RecordTable<CounterRow>('counters', 1)
const MAX_COUNTERS = 10_000

/** Adds to a counter; one that comes to zero records leaves no row. */
export function addToCounter(
  rows: KvTransaction,
  kind: RecordKind,
  namespace: string,
  state: string,
  records: number,
  bytes: number,
): void {
  const key = tuple(kind, namespace, state)
  const [oldRecords, oldBytes] = table.get(rows, key) ?? [0, 0]
  const sum: CounterRow = [oldRecords + records, oldBytes + bytes]
  if (sum[0] === 0 && sum[1] === 0) rows.remove('counters', key)
  else table.put(rows, key, sum)
}

/** Returns the counters of one kind or all, and of one namespace or all. */
export function readCounters(snapshot: KvSnapshot, kind?: RecordKind, namespace?: string): StateCount[] {
  const parts = kind === undefined ? [] : namespace === undefined ? [kind] : [kind, namespace]
  const prefix = tuple(...parts)
  const range = parts.length === 0 ? {} : { gte: prefix, lt: endOfTuple(prefix) }
  return snapshot
    .range('counters', { ...range, limit: MAX_COUNTERS })
    .map(({ key, value }): StateCount => {
      const [rowKind, rowNamespace, state] = decodeTuple(key)
      const [records, bytes] = table.decode(key, value)
      return {
        kind: rowKind as RecordKind,
        namespace: String(rowNamespace),
        state: String(state),
        records,
        bytes,
      }
    })
    .filter((count) => namespace === undefined || count.namespace === namespace)
}
