import type { ExecutionRetentionReport, RetentionReport } from '@saltcod/compaction'

/** What a run of retention did, as the API and the command line say it. */
export interface GcReport {
  readonly dryRun: boolean
  /** It was about executions that the requester of a compute node does not know, and not about jobs. */
  readonly unasked?: boolean
  /** How many rules it went by; without any nothing goes. */
  readonly rules: number
  /** Jobs that went, or in a dry run would go. */
  readonly removedJobs: number
  /** Bytes of everything that belonged to them, index rows left out. */
  readonly removedBytes: number
  /** For how long the oldest job that should be gone has been overdue when the run ended; in a dry run: now. */
  readonly overdueSeconds: number
  /** Of the removed jobs, those that were written to the archive before: all or none. */
  readonly archivedJobs: number
  readonly heldJobs: number
  /** Left alone, because executions of them have not ended. */
  readonly unfinishedJobs: number
  /** Left alone, because they changed meanwhile. */
  readonly changedJobs: number
  readonly failedJobs: number
  readonly failures: readonly { readonly id: string; readonly message: string }[]
  /** Records of removed jobs' executions on this node, removed with their results and logs. */
  readonly removedExecutions: number
  /** False where there is more to do. */
  readonly complete: boolean
  /** Set where nothing was done, because the clock is far from the time of the newest change. */
  readonly suspended: { readonly now: string; readonly lastChange: string } | null
}

/** Puts the reports of both stores into words. */
export function toGcReport(
  rules: number,
  jobs: RetentionReport,
  executions: ExecutionRetentionReport | null,
  archives: boolean,
): GcReport {
  const { suspended } = jobs
  return {
    dryRun: jobs.dryRun,
    rules,
    removedJobs: jobs.removed,
    removedBytes: jobs.removedBytes,
    overdueSeconds: Math.round(jobs.overdueMs / 1000),
    archivedJobs: archives && !jobs.dryRun ? jobs.removed : 0,
    heldJobs: jobs.held,
    unfinishedJobs: jobs.unfinished,
    changedJobs: jobs.changed,
    failedJobs: jobs.failed,
    failures: jobs.failures,
    removedExecutions: executions?.removed ?? 0,
    complete: jobs.complete && (executions?.complete ?? true),
    suspended: suspended && {
      now: new Date(suspended.nowMs).toISOString(),
      lastChange: new Date(suspended.lastChangeAtMs).toISOString(),
    },
  }
}
