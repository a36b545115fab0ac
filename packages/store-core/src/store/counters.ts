import type { KvSnapshot, KvTransaction } from '../kv/contract.ts'
import { decodeTuple, tuple } from '../kv/tuple.ts'
import type { RecordKind } from '../model/feed.ts'
import type { StateCount } from '../model/store-info.ts'
import { isShortText } from './limits.ts'
import { RecordTable } from './record-table.ts'
import { rowsOf } from './scan.ts'

/** Records and bytes. */
export type CounterRow = readonly [records: number, bytes: number]

const table = new RecordTable<CounterRow>('counters', 1)

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
  if (namespace !== undefined && !isShortText(namespace)) return []
  const parts = kind === undefined ? [] : namespace === undefined ? [kind] : [kind, namespace]
  return [...rowsOf(snapshot, 'counters', tuple(...parts))]
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
