import { isShortText } from '../arguments/limits.ts'
import type { KvSnapshot, KvTransaction } from '../kv/contract.ts'
import { decodeTuple, keyToHex, tuple } from '../kv/tuple.ts'
import type { RecordKind } from '../model/feed.ts'
import type { StateCount } from '../model/store-info.ts'
import { HotTable } from './hot-table.ts'
import { type DamagedRow, damagedRow, orUndamaged, putQuarantine } from './quarantine.ts'
import { isNumber, isTupleOf } from './row-shape.ts'
import { rowsOf } from './scan.ts'

/** Records and bytes. */
export type CounterRow = readonly [records: number, bytes: number]

/** How many records of a kind, namespace and state there are, and of how many bytes. */
export const counterTable: HotTable<CounterRow> = new HotTable<CounterRow>(
  'counters',
  1,
  ([records, bytes]) => `[${records},${bytes}]`,
  null,
  isTupleOf(isNumber, isNumber),
)

/**
 * Adds to a counter; one that comes to zero records leaves no row. A damaged one stays as it is and goes into
 * quarantine: its sum is not known until a repair counts anew, and no change may wait for that.
 */
export function addToCounter(
  rows: KvTransaction,
  { kind, namespace, state, records, bytes }: StateCount,
  nowMs: number,
): void {
  const key = tuple(kind, namespace, state)
  const before = readCounter(rows, key)
  if ('damaged' in before) {
    putQuarantine(rows, before.damaged, nowMs)
    return
  }
  const [oldRecords, oldBytes] = before.sum
  const sum: CounterRow = [oldRecords + records, oldBytes + bytes]
  if (sum[0] === 0 && sum[1] === 0) rows.remove('counters', key)
  else counterTable.put(rows, key, sum)
}

type Counter = { readonly sum: CounterRow } | { readonly damaged: DamagedRow }

function readCounter(rows: KvSnapshot, key: Uint8Array): Counter {
  const value = rows.get('counters', key)
  return value === undefined ? { sum: [0, 0] } : decodeCounter(key, value)
}

function decodeCounter(key: Uint8Array, value: Uint8Array): Counter {
  try {
    return { sum: counterTable.decode(key, value) }
  } catch (error) {
    const damaged = damagedRow(error)
    if (damaged === null) throw error
    return { damaged }
  }
}

/** Counters, and the damaged rows among them. */
export interface CountersWithDamage {
  readonly counts: readonly StateCount[]
  readonly damaged: readonly DamagedRow[]
}

/**
 * Returns the counters of one kind or all, and of one namespace or all. A damaged one comes with zeros, and says so.
 */
export function readCounters(
  snapshot: KvSnapshot,
  kind?: RecordKind,
  namespace?: string,
): CountersWithDamage {
  const counts: StateCount[] = []
  const damaged: DamagedRow[] = []
  if (namespace !== undefined && !isShortText(namespace)) return { counts, damaged }
  const prefix = kind === undefined ? [] : namespace === undefined ? [kind] : [kind, namespace]
  for (const { key, value } of rowsOf(snapshot, 'counters', tuple(...prefix))) {
    const parts = orUndamaged(() => decodeTuple(key))
    if (parts === undefined) {
      damaged.push({ table: 'counters', key: keyToHex(key), reason: 'the key is no tuple' })
      continue
    }
    const [rowKind, rowNamespace, state] = parts
    if (namespace !== undefined && rowNamespace !== namespace) continue
    const names = { kind: rowKind as RecordKind, namespace: String(rowNamespace), state: String(state) }
    const counter = decodeCounter(key, value)
    if ('damaged' in counter) {
      counts.push({ ...names, records: 0, bytes: 0, damaged: true })
      damaged.push(counter.damaged)
    } else {
      const [records, bytes] = counter.sum
      counts.push({ ...names, records, bytes })
    }
  }
  return { counts, damaged }
}
