// For users of a store: its contracts, what it keeps, the states, and the errors.
export type { DurableStore } from './contract/durable-store.ts'
export type { Claim, ExhaustedJob, Plan } from './contract/evaluations.ts'
export type {
  ComputeExecutionQuery,
  CreateComputeExecution,
  ExecutionStore,
  UpdateComputeExecution,
} from './contract/execution-store.ts'
export type {
  ExecutionChange,
  ExecutionQuery,
  ExecutionReport,
  NewExecution,
  ReportOutcome,
  UpdateExecution,
} from './contract/executions.ts'
export type { HistoryQuery } from './contract/history.ts'
export type { JobStore } from './contract/job-store.ts'
export type {
  JobQuery,
  LabelRequirement,
  ReviseJob,
  SubmitJob,
  Submitted,
  TransitionJob,
} from './contract/jobs.ts'
export type { RecordNode } from './contract/nodes.ts'
export type { StoreErrorCode } from './errors.ts'
export { isStoreError, STORE_ERROR_CODES, StoreError } from './errors.ts'
export { labelsMatch } from './jobs/label-match.ts'
export { parseLabelSelector } from './jobs/label-selector.ts'
export type { Json, TextMap } from './kv/json.ts'
export type { CheckReport, Finding } from './model/check-report.ts'
export type {
  ChangedComputeExecution,
  ComputeExecution,
  ComputeExecutionPatch,
  ExecutionJob,
  ProcessIdentity,
} from './model/compute-execution.ts'
export type {
  Evaluation,
  EvaluationStatus,
  EvaluationTrigger,
  LeaseToken,
  NewEvaluation,
} from './model/evaluation.ts'
export { EVALUATION_STATUSES } from './model/evaluation.ts'
export type { Execution, ExecutionPatch } from './model/execution.ts'
export type { Change, ChangeSet, FeedCursor, FeedPage, RecordKind } from './model/feed.ts'
export type { FinishedExecution, FinishedJob, RecordSize } from './model/finished.ts'
export type { FoldReport } from './model/fold.ts'
export type { EventInput, HistoryEntry } from './model/history.ts'
export { newId } from './model/id.ts'
export type { Job, JobDefinition, JobType } from './model/job.ts'
export { JOB_TYPES } from './model/job.ts'
export type { KnownNode, NodeStore } from './model/node.ts'
export { NODE_MEMBERSHIPS } from './model/node.ts'
export type { OutboxMessage, OutboxRow } from './model/outbox.ts'
export type { Page, PageCursor, PageRequest } from './model/page.ts'
export type { Peer } from './model/peer.ts'
export type { Deadline, StateCount, StoreInfo } from './model/store-info.ts'
export type { WholeJob } from './model/whole-job.ts'
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
