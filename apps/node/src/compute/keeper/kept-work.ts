/** A run that the keeper looks after. */
export interface KeptWork {
  /** Starts the job's own code. */
  go(): void
  /** Ends the job politely, where it can be told. */
  cancel(): void
  /** Ends the job at once, because nobody is left to answer for it; one that has not begun leaves nothing. */
  orphan(): void
  /** Kills the job's processes as far as they are known, without waiting. */
  kill(): void
}
