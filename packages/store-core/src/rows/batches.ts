import { setImmediate } from 'node:timers/promises'
import type { KvRow, KvSnapshot, KvStore } from '../kv/contract.ts'
import { endOfTuple } from '../kv/tuple.ts'
import type { CheckOptions } from '../model/check-report.ts'
import type { TableName } from './tables.ts'

const DEFAULT_BATCH_ROWS = 1_000

/**
 * Visits every row of a table, a batch in each snapshot, so that a running store is neither held up nor made to grow;
 * a prefix narrows it to the keys that begin so. What a visit looks up besides its row comes from the same snapshot,
 * so the two belong together.
 */
export async function forEachBatch(
  kv: KvStore,
  table: TableName,
  options: CheckOptions,
  visit: (rows: readonly KvRow[], snapshot: KvSnapshot) => void,
  prefix?: Uint8Array,
): Promise<void> {
  const limit = options.batchRows ?? DEFAULT_BATCH_ROWS
  let from: { gt?: Uint8Array; gte?: Uint8Array } = prefix === undefined ? {} : { gte: prefix }
  const end = prefix === undefined ? {} : { lt: endOfTuple(prefix) }
  for (;;) {
    options.signal?.throwIfAborted()
    const last = kv.read((snapshot) => {
      const rows = snapshot.range(table, { ...from, ...end, limit })
      visit(rows, snapshot)
      return rows.length < limit ? undefined : rows.at(-1)
    })
    if (last === undefined) return
    from = { gt: last.key }
    await setImmediate()
  }
}
