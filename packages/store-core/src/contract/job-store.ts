import type { DurableStore } from './durable-store.ts'
import type { EvaluationQueue } from './evaluations.ts'
import type { JobExecutions } from './executions.ts'
import type { JobHistory } from './history.ts'
import type { JobRecords } from './jobs.ts'
import type { JobNodes } from './nodes.ts'

/**
 * The requester's memory: jobs, their executions, evaluations and history. Every method is one transaction;
 * every change resolves once it is durable.
 */
export interface JobStore<Spec = unknown>
  extends DurableStore,
    JobRecords<Spec>,
    JobExecutions,
    EvaluationQueue,
    JobHistory,
    JobNodes {}
