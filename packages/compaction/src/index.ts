export type {
  Archive,
  ArchiveNotice,
  ArchiveOptions,
  ArchiveTotals,
  ArchiveWriter,
} from './archive/archive.ts'
export { openArchive } from './archive/archive.ts'
export type { ArchivedJob } from './archive/archived-job.ts'
export { readArchivedJob } from './archive/archived-job.ts'
export { findInArchive } from './archive/find-in-archive.ts'
export type { ArchiveEntry } from './archive/manifest.ts'
export type { FoldOptions, FoldSums } from './fold/fold-finished.ts'
export { DEFAULT_FOLD_AFTER_MS, foldFinished } from './fold/fold-finished.ts'
export type { ClockStep } from './retention/clock-step.ts'
export { findClockStep, MAX_CLOCK_STEP_MS } from './retention/clock-step.ts'
export type {
  ExecutionRetentionOptions,
  ExecutionRetentionReport,
  ExecutionRetentionRule,
  FinishedExecutionState,
  RetentionExecutionStore,
} from './retention/execution-retention.ts'
export { applyExecutionRetention } from './retention/execution-retention.ts'
export type {
  CommonRetentionOptions,
  FinishedJobState,
  JobRetentionRule,
  RetentionJobStore,
  RetentionOptions,
  RetentionReport,
} from './retention/job-retention.ts'
export { applyRetention } from './retention/job-retention.ts'
export type { PaceOptions } from './retention/pace.ts'
export type { RetentionRule } from './retention/rule.ts'
export type { RetentionFailure, SweepReport } from './retention/sweep.ts'
export type { FeedRule } from './retention/upkeep.ts'
export { DEFAULT_EVALUATION_AGE_MS, DEFAULT_FEED_RULE } from './retention/upkeep.ts'
export type { CompactOptions, CompactReport } from './rewrite/compact.ts'
export { compact } from './rewrite/compact.ts'
export { deadShare, rewrite } from './rewrite/rewrite.ts'
