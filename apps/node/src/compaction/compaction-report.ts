/** Which of a node's stores. */
export type StoreName = 'jobs' | 'executions'

/** What became of one store. */
export interface StoreCompaction {
  readonly store: StoreName
  /** Length of the file; 0 for a store in memory. */
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** The longest that writers had to wait. */
  readonly pauseMs: number
  readonly durationMs: number
  /** Why nothing was done; `null` where it was rewritten. */
  readonly skipped: string | null
}

/** What a compaction did, as the API and the command line say it. */
export interface CompactionReport {
  /** Of all stores together. */
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** The longest that writers of any store had to wait. */
  readonly pauseMs: number
  /** Of all stores together; they are rewritten one after the other. */
  readonly durationMs: number
  readonly stores: readonly StoreCompaction[]
}

/** How far a compaction is. */
export interface CompactionStatus {
  /** Counts the compactions since the node started; 0 before the first. */
  readonly run: number
  readonly running: boolean
  /** Where it stands; `null` where none runs. */
  readonly progress: {
    readonly store: StoreName
    readonly copiedRows: number
    readonly totalRows: number
  } | null
  /**
   * What the last one did, also where it failed at a later store; `null` before its end, and where nothing was done.
   */
  readonly report: CompactionReport | null
  /** Why the last one failed; `null` where it did not. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null
}

/** Adds the reports of the stores up. */
export function sumUp(stores: readonly StoreCompaction[]): CompactionReport {
  const sum = (value: (store: StoreCompaction) => number): number =>
    stores.reduce((total, store) => total + value(store), 0)
  return {
    bytesBefore: sum(({ bytesBefore }) => bytesBefore),
    bytesAfter: sum(({ bytesAfter }) => bytesAfter),
    pauseMs: Math.max(0, ...stores.map(({ pauseMs }) => pauseMs)),
    durationMs: sum(({ durationMs }) => durationMs),
    stores,
  }
}
