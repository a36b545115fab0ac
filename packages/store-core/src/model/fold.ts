/** Which finished records to fold, and how many in one go. */
export interface FoldRule {
  /** Only what ended at least so long ago, in milliseconds. Default 0. */
  readonly olderThanMs?: number
  /** The most records that are folded, 1 to 500. Default 50. */
  readonly limit?: number
  /**
   * Begins at the oldest again, also where what lies behind was looked at already. That happens by itself once a day,
   * for what has changed since. Default false.
   */
  readonly anew?: boolean
}

/** What one step of folding did. */
export interface FoldReport {
  /** Finished records that were looked at. */
  readonly examined: number
  /** Records that became one row. */
  readonly folded: number
  /** Bytes of keys and values of their rows before and after. */
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Whether there may be more to do. */
  readonly more: boolean
}
