import type { DurableStore } from '../contract/durable-store.ts'
import type { Unclaimed } from '../contract/evaluations.ts'
import type { ExecutionChange, NewExecution } from '../contract/executions.ts'
import type { JobStore } from '../contract/job-store.ts'
import type { JobChange } from '../contract/jobs.ts'
import { CHECK_FIELDS } from '../durable/durable-store-fields.ts'
import {
  CHANGE_FIELDS,
  EVENT_FIELDS,
  NEW_EVALUATION_FIELDS,
  PAGE_FIELDS,
  type RequestFields,
} from '../durable/request-fields.ts'
import type { Fields } from '../kv/fields.ts'
import type { LeaseToken } from '../model/evaluation.ts'
import { EXPECTATION_FIELDS } from '../states/transitions.ts'
import { LABEL_FIELDS } from './label-match.ts'
import { WHOLE_JOB_FIELDS } from './whole-job-fields.ts'

const LEASE_FIELDS: Fields<LeaseToken> = {
  evaluationId: true,
  attempt: true,
  expiresAtMs: true,
  incarnation: true,
}

const HOLD_FIELDS: Fields<LeaseToken | Unclaimed> = { ...LEASE_FIELDS, unclaimed: true }

const NEW_EXECUTION_FIELDS: Fields<NewExecution> = {
  id: true,
  jobId: true,
  nodeId: true,
  jobVersion: true,
  state: true,
  desiredState: true,
  desiredMessage: true,
  evaluationId: true,
  partition: true,
  previousExecutionId: true,
  endsBefore: true,
  resources: true,
  deadlineAtMs: true,
  event: EVENT_FIELDS,
}

const UPDATE_FIELDS = {
  ...EXPECTATION_FIELDS,
  executionId: true,
  to: true,
  endReason: true,
  message: true,
  patch: {
    desiredState: true,
    desiredMessage: true,
    resources: true,
    publishedResult: true,
    runOutput: true,
    deadlineAtMs: true,
  },
  event: EVENT_FIELDS,
} as const satisfies Fields<ExecutionChange>

const MOVE_FIELDS = {
  ...EXPECTATION_FIELDS,
  to: true,
  message: true,
  deadlineAtMs: true,
  event: EVENT_FIELDS,
} as const satisfies Fields<JobChange>

/** The fields of what a caller may say of a new job and of a new version. */
const DEFINITION_FIELDS = {
  ...CHANGE_FIELDS,
  priority: true,
  count: true,
  labels: true,
  spec: true,
  deadlineAtMs: true,
  evaluation: NEW_EVALUATION_FIELDS,
  event: EVENT_FIELDS,
} as const

/** The fields of the requests that a job store has beside those of every store. */
export const JOB_STORE_FIELDS: RequestFields<Omit<JobStore, Exclude<keyof DurableStore, 'check'>>> = {
  submitJob: { ...DEFINITION_FIELDS, id: true, namespace: true, name: true, type: true, submitKey: true },
  reviseJob: { ...DEFINITION_FIELDS, ...EXPECTATION_FIELDS, jobId: true },
  transitionJob: { ...CHANGE_FIELDS, ...MOVE_FIELDS, jobId: true, evaluation: NEW_EVALUATION_FIELDS },
  listJobs: {
    ...PAGE_FIELDS,
    namespace: true,
    states: true,
    type: true,
    inProgress: true,
    labels: [LABEL_FIELDS],
    sinceMs: true,
    untilMs: true,
  },
  holdJob: { ...CHANGE_FIELDS, jobId: true, reason: true },
  listFinishedJobs: { ...PAGE_FIELDS, namespace: true, state: true },
  deleteJob: { ...CHANGE_FIELDS, jobId: true, expectedRevision: true, expectedHistorySequence: true },
  importJob: { ...WHOLE_JOB_FIELDS, hold: true },
  createExecution: { ...CHANGE_FIELDS, ...NEW_EXECUTION_FIELDS, evaluation: NEW_EVALUATION_FIELDS },
  updateExecution: { ...CHANGE_FIELDS, ...UPDATE_FIELDS, evaluation: NEW_EVALUATION_FIELDS },
  recordExecution: {
    ...CHANGE_FIELDS,
    executionId: true,
    nodeId: true,
    computeRevision: true,
    doneOnce: true,
    goesOn: true,
    to: true,
    endReason: true,
    message: true,
    patch: UPDATE_FIELDS.patch,
    event: EVENT_FIELDS,
    evaluation: NEW_EVALUATION_FIELDS,
    job: { to: true, from: true, message: true, event: EVENT_FIELDS },
  },
  forgetExecutions: { ...CHANGE_FIELDS, jobId: true, executionIds: true },
  listExecutions: {
    ...PAGE_FIELDS,
    jobId: true,
    jobVersion: true,
    nodeId: true,
    states: true,
    inProgress: true,
  },
  createEvaluation: { ...CHANGE_FIELDS, ...NEW_EVALUATION_FIELDS, jobId: true },
  listEvaluations: { ...PAGE_FIELDS, jobId: true, status: true },
  claimEvaluation: { holder: true, leaseMs: true, jobTypes: true, maxAttempts: true, scheduler: true },
  nextEvaluations: { jobTypes: true, limit: true },
  extendLease: { lease: LEASE_FIELDS, leaseMs: true },
  completeEvaluation: { ...CHANGE_FIELDS, lease: HOLD_FIELDS, status: true, comment: true },
  trimEvaluations: { olderThanMs: true },
  retryEvaluation: {
    ...CHANGE_FIELDS,
    lease: HOLD_FIELDS,
    delayMs: true,
    maxAttempts: true,
    comment: true,
    exhausted: { to: true, message: true, event: EVENT_FIELDS, evaluation: NEW_EVALUATION_FIELDS },
  },
  applyPlan: {
    ...CHANGE_FIELDS,
    lease: HOLD_FIELDS,
    newExecutions: [NEW_EXECUTION_FIELDS],
    updates: [UPDATE_FIELDS],
    job: MOVE_FIELDS,
    events: [EVENT_FIELDS],
    followUps: [NEW_EVALUATION_FIELDS],
    comment: true,
  },
  addHistory: { ...CHANGE_FIELDS, jobId: true, executionId: true, event: EVENT_FIELDS },
  listHistory: {
    ...PAGE_FIELDS,
    jobId: true,
    jobVersion: true,
    level: true,
    executionIdPrefix: true,
    nodeIdPrefix: true,
    sinceMs: true,
    afterSequence: true,
  },
  recordNode: {
    ...CHANGE_FIELDS,
    id: true,
    labels: true,
    engines: true,
    details: true,
    version: true,
    credentialHash: true,
    store: { storeId: true, incarnation: true, firstSequence: true, sequence: true },
    membership: true,
  },
  seeNodes: { seen: [{ id: true, atMs: true, sequence: true }] },
  changeNode: {
    ...CHANGE_FIELDS,
    nodeId: true,
    membership: true,
    scheduling: true,
    drainDeadlineAtMs: true,
    message: true,
    labels: true,
    expectedRevision: true,
  },
  deleteNode: { ...CHANGE_FIELDS, nodeId: true, expectedRevision: true },
  listNodes: { ...PAGE_FIELDS, membership: true },
  check: CHECK_FIELDS,
}
