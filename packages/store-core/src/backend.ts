// For authors of a backend, and of packages that work on any: the key-value contract, and the two stores that are
// written on it.

export {
  DEFAULT_MAX_SPEC_BYTES,
  MAX_DETAILS,
  MAX_LABELS,
  MAX_MESSAGE_LENGTH,
  MAX_TEXT_BYTES,
  MAX_TOPIC_LENGTH,
} from './arguments/limits.ts'
export type { OperationKind, Operations } from './contract/operations.ts'
export { EXECUTION_STORE_OPERATIONS, JOB_STORE_OPERATIONS } from './contract/operations.ts'
export type { BackendStoreOptions, StoreBackend } from './durable/backend-opening.ts'
export { openOnBackend } from './durable/backend-opening.ts'
export { DURABLE_STORE_FIELDS, WATCH_FIELDS } from './durable/durable-store-fields.ts'
export type { OpenStoreOptions } from './durable/open-parts.ts'
export { checkOpenOptions } from './durable/open-parts.ts'
export { EXECUTION_STORE_FIELDS } from './executions/execution-store-fields.ts'
export { openExecutionStore } from './executions/open-execution-store.ts'
export { JOB_STORE_FIELDS } from './jobs/job-store-fields.ts'
export { openJobStore } from './jobs/open-job-store.ts'
export { checkRewriteOptions, checkWriteOptions } from './kv/arguments.ts'
export type { KvReader, KvWriter } from './kv/body.ts'
export { KvWriteRun, runReadBody } from './kv/body.ts'
export type { BufferedChange } from './kv/change-buffer.ts'
export { KvChangeBuffer } from './kv/change-buffer.ts'
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
export { MAX_KEY_BYTES, MAX_RANGE_ROWS, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_KEYS } from './kv/contract.ts'
export type { Fields, FieldTable } from './kv/fields.ts'
export { checkFields } from './kv/fields.ts'
export { closedError, failedError, outcomeUnknownError, readOnlyError } from './kv/refusal.ts'
export type { KvStoreBaseOptions } from './kv/store-base.ts'
export { KvStoreBase } from './kv/store-base.ts'
export type { KvGroupWriter, KvWriteGroup } from './kv/write-group.ts'
export type { KvWriteQueueOptions } from './kv/write-queue.ts'
export { KvWriteQueue } from './kv/write-queue.ts'
export type { Clock } from './rows/clock.ts'
export { STORE_TABLES } from './rows/tables.ts'
