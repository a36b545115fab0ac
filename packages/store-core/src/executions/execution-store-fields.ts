import type { DurableStore } from '../contract/durable-store.ts'
import type { ExecutionStore } from '../contract/execution-store.ts'
import { CHECK_FIELDS } from '../durable/durable-store-fields.ts'
import { CHANGE_FIELDS, EVENT_FIELDS, PAGE_FIELDS, type RequestFields } from '../durable/request-fields.ts'
import { EXPECTATION_FIELDS } from '../states/transitions.ts'

/** The fields of the requests that an execution store has beside those of every store. */
export const EXECUTION_STORE_FIELDS: RequestFields<
  Omit<ExecutionStore, Exclude<keyof DurableStore, 'check'>>
> = {
  createExecution: {
    ...CHANGE_FIELDS,
    id: true,
    job: {
      id: true,
      version: true,
      namespace: true,
      name: true,
      type: true,
      priority: true,
      count: true,
      spec: true,
    },
    requesterId: true,
    state: true,
    partition: true,
    rerunnable: true,
    resources: true,
    deadlineAtMs: true,
    event: EVENT_FIELDS,
  },
  updateExecution: {
    ...CHANGE_FIELDS,
    ...EXPECTATION_FIELDS,
    executionId: true,
    to: true,
    endReason: true,
    message: true,
    patch: {
      attempt: true,
      process: { pid: true, startTime: true, bootId: true },
      resources: true,
      publishedResult: true,
      runOutput: true,
      deadlineAtMs: true,
    },
    event: EVENT_FIELDS,
  },
  acknowledgeExecution: { executionId: true, revision: true },
  listExecutions: { ...PAGE_FIELDS, jobId: true, states: true, inProgress: true, live: true },
  listFinishedExecutions: { ...PAGE_FIELDS, state: true },
  deleteExecution: { ...CHANGE_FIELDS, executionId: true },
  addHistory: { ...CHANGE_FIELDS, executionId: true, event: EVENT_FIELDS },
  listHistory: { ...PAGE_FIELDS, executionId: true },
  check: CHECK_FIELDS,
}
