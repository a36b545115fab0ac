import type { DurableStore, FoldReport } from '@saltcod/store-core'

/** Folds all that can be folded, also what was passed over before, and returns how many records became one row. */
export async function foldAll(store: DurableStore, limit: number = 100): Promise<number> {
  let folded = 0
  for (let anew = true; ; anew = false) {
    const report: FoldReport = await store.fold({ limit, anew })
    folded += report.folded
    if (!report.more) return folded
  }
}
