import { decodeFolded, isFolded, rowValue } from '../fold/folded-record.ts'
import { layoutOf } from '../fold/layout.ts'
import type { StoreKind } from '../rows/meta.ts'
import type { RebuildRun } from './rebuild-run.ts'

/**
 * Puts the rows of all folded records back into their tables, over what is there: a change of a row takes the folded
 * record away, so a row beside it is older.
 */
export async function rebuildFolded(run: RebuildRun, kind: StoreKind): Promise<void> {
  const layout = layoutOf(kind)
  // A record may have hundreds of rows.
  await run.each(
    layout.home,
    ({ key, value }, rows) => {
      if (!isFolded(value)) return
      for (const row of decodeFolded(layout, key, value)) rows.put(row.table, row.key, rowValue(row))
    },
    4,
  )
}
