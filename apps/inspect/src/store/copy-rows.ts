import { type KvRow, type KvStore, STORE_TABLES } from '@saltcod/store-core'
import { eachRow } from './bucket-rows.ts'
import type { RowSink } from './new-store.ts'

/** Copies tables row by row in the order of their keys, which leaves a file without gaps. */
export async function copyRows(
  from: KvStore,
  sink: RowSink,
  tables: readonly string[] = STORE_TABLES,
): Promise<void> {
  for (const table of tables) {
    let last: Uint8Array | null = null
    for (let more = true; more; ) {
      more = false
      const bucket = { table, prefix: new Uint8Array(0) }
      eachRow(from, bucket, last, ({ key, value }: KvRow) => {
        last = key
        more = sink.add({ table, key, value })
        return !more
      })
      await sink.flush()
    }
  }
}
