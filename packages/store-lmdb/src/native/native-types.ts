import type { NativeStat } from './tree-size.ts'

/** What lmdb's declarations leave out of an open file, at the pinned version. */
export interface NativeRoot {
  readonly status: string
  readonly env: { info(): { readonly lastPageNumber: number; readonly lastTxnId: number } }
  getWriteTxnId(): number
}

/** What they leave out of a table. */
export interface NativeTable {
  readonly db: { stat(): NativeStat }
  ensureReadTxn(): void
}

/** The sizes of a file's own two trees, beside those of a table. */
export interface NativeStats extends NativeStat {
  readonly root: NativeStat
  readonly free: NativeStat
}
