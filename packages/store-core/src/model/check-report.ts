/** A broken rule of the store. */
export interface Finding {
  /** Stable name of the rule, for instance `index-without-record`. */
  readonly rule: string
  readonly table: string
  /** Key of the row as hexadecimal text; empty where the finding is not about one row. */
  readonly key: string
  /** The record concerned; empty where it has none. */
  readonly id: string
  readonly message: string
  /** What to do about it. */
  readonly fix: string
}

/** What an integrity check found. */
export interface CheckReport {
  readonly findings: readonly Finding[]
  /** True where there were more findings than the limit. */
  readonly truncated: boolean
  /** Rows looked at, by table. */
  readonly examined: Readonly<Record<string, number>>
  /**
   * Jobs that nothing in the store will move: the last evaluation of each has failed, none is pending, and no
   * execution lives. No rule is broken by them, since a caller may still do something about them. At most 100.
   */
  readonly strandedJobIds: readonly string[]
}

/** Options of an integrity check. */
export interface CheckOptions {
  readonly signal?: AbortSignal
  /** Stops listing findings after so many. Default 1,000. */
  readonly maxFindings?: number
  /** Rows read in one snapshot. Default 1,000. */
  readonly batchRows?: number
  /** Called now and then with how many rows have been looked at. */
  readonly onProgress?: (rows: number) => void
}
