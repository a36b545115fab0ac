/** What of a job says when its turn is. */
export interface Turn {
  readonly jobId: string
  readonly priority: number
  readonly createdAtMs: number
}

/** Whether one job goes before another: by priority, then by age. */
export function precedes(one: Turn, other: Turn): boolean {
  if (one.priority !== other.priority) return one.priority > other.priority
  if (one.createdAtMs !== other.createdAtMs) return one.createdAtMs < other.createdAtMs
  return one.jobId < other.jobId
}
