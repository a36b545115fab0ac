import type { CheckOptions, CheckReport } from '../model/check-report.ts'
import type { FoldReport, FoldRule } from '../model/fold.ts'
import type { QuarantinedRecord, ReclaimReport } from '../model/store-info.ts'

/** What keeps a store small and sound. */
export interface Upkeep {
  /**
   * Makes one compressed record of all rows of each finished record, oldest first: of a job with its versions,
   * executions and history, or of an execution whose end the requester has acknowledged. No reader sees a difference,
   * and a change of such a record puts its rows back first. Call it until `more` is false. Throws `INVALID_ARGUMENT`.
   */
  fold(rule?: FoldRule): Promise<FoldReport>
  /** Removes rows of what was deleted, at most 500; call it until `more` is false. */
  reclaim(): Promise<ReclaimReport>
  /** Returns the damaged records that were found so far. */
  listQuarantine(): Promise<QuarantinedRecord[]>
  /** Checks every rule of the store in bounded snapshots, while it is being used. Throws `INVALID_ARGUMENT`. */
  check(options?: CheckOptions): Promise<CheckReport>
}
