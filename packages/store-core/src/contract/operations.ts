import type { DurableStore } from './durable-store.ts'
import type { ExecutionStore } from './execution-store.ts'
import type { JobStore } from './job-store.ts'

/**
 * What a method does to the store. A read may note a damaged record that it met, and that the clock was set, and
 * changes nothing else.
 */
export type OperationKind = 'read' | 'write'

/**
 * What each method of a store does that returns a promise, less its closing. The compiler refuses a table that leaves
 * one out.
 */
export type Operations<Store> = {
  readonly [Name in keyof Store as Store[Name] extends (...args: never) => Promise<unknown>
    ? Exclude<Name, 'close'>
    : never]: OperationKind
}

const DURABLE_STORE_OPERATIONS: Operations<DurableStore> = {
  info: 'read',
  counts: 'read',
  dueDeadlines: 'read',
  nextDeadlineMs: 'read',
  changes: 'read',
  latestCursor: 'read',
  getNamedCursor: 'read',
  setNamedCursor: 'write',
  trimFeed: 'write',
  readOutbox: 'read',
  outboxDestinations: 'read',
  acknowledgeOutbox: 'write',
  replaceOutbox: 'write',
  getPeer: 'read',
  setPeer: 'write',
  fold: 'write',
  reclaim: 'write',
  listQuarantine: 'read',
  check: 'read',
}

/** What each method of a job store does. */
export const JOB_STORE_OPERATIONS: Operations<JobStore> = {
  ...DURABLE_STORE_OPERATIONS,
  submitJob: 'write',
  reviseJob: 'write',
  transitionJob: 'write',
  getJob: 'read',
  getJobByName: 'read',
  findJob: 'read',
  listJobVersions: 'read',
  listJobs: 'read',
  holdJob: 'write',
  listFinishedJobs: 'read',
  measureJob: 'read',
  deleteJob: 'write',
  importJob: 'write',
  createExecution: 'write',
  updateExecution: 'write',
  recordExecution: 'write',
  forgetExecutions: 'write',
  getExecution: 'read',
  findExecution: 'read',
  listExecutions: 'read',
  createEvaluation: 'write',
  getEvaluation: 'read',
  listEvaluations: 'read',
  claimEvaluation: 'write',
  nextEvaluations: 'write',
  nextEvaluationMs: 'read',
  extendLease: 'write',
  completeEvaluation: 'write',
  retryEvaluation: 'write',
  applyPlan: 'write',
  trimEvaluations: 'write',
  addHistory: 'write',
  listHistory: 'read',
  recordNode: 'write',
  seeNodes: 'write',
  changeNode: 'write',
  deleteNode: 'write',
  getNode: 'read',
  findNode: 'read',
  listNodes: 'read',
}

/** What each method of an execution store does. */
export const EXECUTION_STORE_OPERATIONS: Operations<ExecutionStore> = {
  ...DURABLE_STORE_OPERATIONS,
  createExecution: 'write',
  updateExecution: 'write',
  acknowledgeExecution: 'write',
  getExecution: 'read',
  findExecution: 'read',
  listExecutions: 'read',
  listFinishedExecutions: 'read',
  measureExecution: 'read',
  deleteExecution: 'write',
  addHistory: 'write',
  listHistory: 'read',
  getCheckpoint: 'read',
  setCheckpoint: 'write',
}
