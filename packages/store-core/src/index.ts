export type { StoreErrorCode, StoreErrorDetails, StoreErrorOptions } from './errors.ts'
export { isStoreError, STORE_ERROR_CODES, StoreError } from './errors.ts'
export type {
  ComputeExecutionQuery,
  CreateComputeExecution,
  ExecutionStore,
  FinishedExecutionQuery,
  UpdateComputeExecution,
} from './executions/execution-store.ts'
export { openExecutionStore } from './executions/open-execution-store.ts'
export { decodeStoredRecord as decodeRecord } from './fold/folded-record.ts'
export { unfoldedStore } from './fold/unfolded-store.ts'
export type {
  Claim,
  DeleteJob,
  ExecutionQuery,
  ExecutionReport,
  ExhaustedJob,
  FinishedJobQuery,
  HistoryQuery,
  ImportJob,
  JobQuery,
  JobStore,
  LabelRequirement,
  NewExecution,
  Plan,
  ReportOutcome,
  ReviseJob,
  SubmitJob,
  Submitted,
  TransitionJob,
  UpdateExecution,
} from './jobs/job-store.ts'
export { labelsMatch } from './jobs/label-match.ts'
export { openJobStore } from './jobs/open-job-store.ts'
export { MAX_PLAN_EXECUTIONS } from './jobs/plan.ts'
export { checkRewriteOptions, checkWriteOptions } from './kv/arguments.ts'
export type { KvReader, KvWriter } from './kv/body.ts'
export { KvWriteRun, runReadBody } from './kv/body.ts'
export type {
  KvCapabilities,
  KvChangedKey,
  KvFailure,
  KvRange,
  KvRewriteOptions,
  KvRewriteReport,
  KvRow,
  KvSnapshot,
  KvStatistics,
  KvStore,
  KvTableStatistics,
  KvTransaction,
  KvWriteOptions,
} from './kv/contract.ts'
export {
  MAX_KEY_BYTES,
  MAX_RANGE_ROWS,
  MAX_TRANSACTION_BYTES,
  MAX_TRANSACTION_KEYS,
} from './kv/contract.ts'
export { encodeRecord } from './kv/envelope.ts'
export type { DecodedPart } from './kv/tuple.ts'
export { decodeId, decodeTuple, idTuple, keyToHex, tuple } from './kv/tuple.ts'
export type { MigrationReport } from './migrations/migrations.ts'
export type { CheckOptions, CheckReport, Finding } from './model/check-report.ts'
export type {
  ChangedComputeExecution,
  ComputeExecution,
  ComputeExecutionPatch,
  ExecutionJob,
  ProcessIdentity,
} from './model/compute-execution.ts'
export type { DurableStore } from './model/durable-store.ts'
export type {
  Evaluation,
  EvaluationStatus,
  EvaluationTrigger,
  LeaseToken,
  NewEvaluation,
} from './model/evaluation.ts'
export { EVALUATION_STATUSES, EVALUATION_TRIGGERS } from './model/evaluation.ts'
export type { Execution, ExecutionPatch } from './model/execution.ts'
export type { Change, ChangeSet, FeedCursor, FeedPage, RecordKind } from './model/feed.ts'
export type { FinishedExecution, FinishedJob, JobSize, RecordSize } from './model/finished.ts'
export type { FoldReport, FoldRule } from './model/fold.ts'
export type { EventInput, HistoryEntry, HistoryEvent } from './model/history.ts'
export type { IdPrefix } from './model/id.ts'
export { MAX_ID_LENGTH, newId } from './model/id.ts'
export type { Job, JobDefinition, JobType } from './model/job.ts'
export { JOB_TYPES } from './model/job.ts'
export type { Json, TextMap } from './model/json.ts'
export type { OutboxMessage, OutboxRow } from './model/outbox.ts'
export type { Page, PageCursor, PageRequest } from './model/page.ts'
export type { ChangeRequest } from './model/request.ts'
export type {
  Deadline,
  Incarnation,
  QuarantinedRecord,
  ReclaimReport,
  StateCount,
  StoreInfo,
} from './model/store-info.ts'
export type { WholeJob } from './model/whole-job.ts'
export type { DroppedRow, OnDrop } from './rebuild/rebuild-run.ts'
export { REBUILT_TABLES, type RebuildOptions, rebuildStore } from './rebuild/rebuild-store.ts'
export type { ComputeState } from './states/compute-state.ts'
export { COMPUTE_MACHINE, COMPUTE_STATES, LIVE_COMPUTE_STATES } from './states/compute-state.ts'
export type { EndReason } from './states/end-reason.ts'
export { END_REASONS, isEndReason } from './states/end-reason.ts'
export type { DesiredState, ExecutionState } from './states/execution-state.ts'
export { DESIRED_STATES, EXECUTION_MACHINE, EXECUTION_STATES } from './states/execution-state.ts'
export type { JobState } from './states/job-state.ts'
export { JOB_MACHINE, JOB_STATES } from './states/job-state.ts'
export type { Expectation, StateMachine } from './states/transitions.ts'
export { checkTransition } from './states/transitions.ts'
export type { Clock } from './store/clock.ts'
export { readNewestChanges } from './store/feed-tail.ts'
export type { Fields } from './store/fields.ts'
export { checkFields } from './store/fields.ts'
export { DEFAULT_MAX_SPEC_BYTES, MAX_LABELS, MAX_MESSAGE_LENGTH, MAX_TEXT_BYTES } from './store/limits.ts'
export type { StoreKind, StoreRow } from './store/meta.ts'
export { readStoreRow, SCHEMA_VERSION } from './store/meta.ts'
export type { OpenStoreOptions } from './store/open-parts.ts'
export { checkOpenOptions } from './store/open-parts.ts'
export type { TableName } from './store/tables.ts'
export { INDEX, STORE_TABLES } from './store/tables.ts'
