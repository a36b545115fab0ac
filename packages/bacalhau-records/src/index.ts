// What a job, an execution and an entry of the history are in Bacalhau's words: what its API reads and answers, and
// what its files hold.

export type { ComputeHead, EvaluationHead, ExecutionHead, JobHead } from './read/head.ts'
export { readComputeHead, readEvaluationHead, readExecutionHead, readJobHead } from './read/head.ts'
export type { HistoryRecord } from './read/history-chain.ts'
export { JobInParts } from './read/job-in-parts.ts'
export type { ComputeGeneration, FileLayout } from './read/layout.ts'
export { layoutOf } from './read/layout.ts'
export type { Note, Tell } from './read/note.ts'
export type { NumberingFacts } from './read/numbering.ts'
export type { StoredComputeExecution, WholeComputeExecution } from './read/read-compute.ts'
export { readComputeExecution } from './read/read-compute.ts'
export type { HistoryBucket } from './read/read-history.ts'
export { HISTORY_LEVELS, isBefore } from './read/read-history.ts'
export type { WholeBacalhauJob } from './read/read-job.ts'
export { executionsNamedIn, lastNumbersOf, readJob } from './read/read-job.ts'
export type { Offers } from './read/settle.ts'
export { settleComputeExecution, settleJob } from './read/settle.ts'
export type { Bucket, JobParts, StoredJob, StoredValue, ValueVisitor } from './read/stored-job.ts'
export { keyText, orDamaged, takeJobHead, takeStoredJob, valuesOf, wrongRow } from './read/stored-job.ts'
export { flag, text, trimmed, whole } from './spec/field.ts'
export type {
  Constraint,
  InputSource,
  JobSpec,
  NetworkAccess,
  RequestedResources,
  ResultPath,
  SpecConfig,
  Task,
} from './spec/job-spec.ts'
export {
  executionTimeoutMs,
  failsOnExitCode,
  inputSourceSchema,
  isLongRunning,
  isRerunnable,
  jobSchema,
  OPERATORS,
  onlyTask,
  resultFolder,
  specOf,
} from './spec/job-spec.ts'
export { looseField } from './spec/loose-field.ts'
export { outlivesNode } from './spec/standing-engine.ts'
export type { ClientVersion } from './wire/client-version.ts'
export {
  NEWEST_CLIENT,
  OLDEST_CLIENT,
  OWN_CLIENT_VERSION,
  readClientVersion,
  VERSION_HEADER,
} from './wire/client-version.ts'
export { executionToWire, resourcesToWire, specConfigToWire } from './wire/execution-output.ts'
export { historyToWire } from './wire/history-output.ts'
export { jobToWire } from './wire/job-output.ts'
export type {
  WireBuildVersion,
  WireError,
  WireExecution,
  WireGetJobAnswer,
  WireHistory,
  WireJob,
  WireLogMessage,
  WireNodeInfo,
  WireNodeRecord,
  WireNodeState,
  WirePage,
  WirePutJobAnswer,
  WireRerunAnswer,
  WireResources,
  WireSpecConfig,
} from './wire/models.ts'
export { HOLD_META, isReservedMeta } from './wire/reserved-meta.ts'
export { desiredStateName, executionStateName } from './wire/state-number.ts'
export { fromNanoseconds, toRfc3339, ZERO_TIME } from './wire/time.ts'
