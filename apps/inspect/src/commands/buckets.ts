import { type Column, RowPrinter, type Terminal } from '@saltcod/cli-kit'
import type { ReadOptions } from '../cli/options.ts'
import { countRows } from '../store/bucket-rows.ts'
import { type Bucket, bucketsOf } from '../store/buckets.ts'
import { locateStore } from '../store/locate.ts'
import { openStore } from '../store/open-store.ts'

interface BucketRow {
  readonly bucket: string
  readonly keys: number
}

const COLUMNS: readonly Column<BucketRow>[] = [
  { name: 'BUCKET', value: ({ bucket }) => bucket },
  { name: 'KEYS', value: ({ keys }) => String(keys) },
]

/** Tables whose rows may stand in the record of a finished job or execution, where the backend does not count them. */
const FOLDED: ReadonlySet<string> = new Set(['specs', 'executions', 'history'])

/** Lists the tables of a store and its indexes, with how many keys each has. */
export async function buckets(terminal: Terminal, store: string, options: ReadOptions): Promise<undefined> {
  const opened = await openStore(await locateStore(store))
  try {
    const printer = new RowPrinter(terminal, options.output, COLUMNS)
    const statistics = opened.store.capabilities.statistics?.()
    // An estimate is no number of keys.
    const counted = statistics?.approximate === true ? [] : (statistics?.tables ?? [])
    const known = new Map(counted.map(({ table, rows }) => [table, rows]))
    const count = (bucket: Bucket): number =>
      bucket.prefix.length === 0 && !FOLDED.has(bucket.table)
        ? (known.get(bucket.table) ?? countRows(opened.kv, bucket))
        : countRows(opened.kv, bucket)
    for (const bucket of bucketsOf(opened.kind)) {
      const keys = count(bucket)
      if (keys > 0 || bucket.prefix.length === 0) printer.add({ bucket: bucket.name, keys })
    }
    printer.end()
  } finally {
    await opened.kv.close()
  }
  return undefined
}
