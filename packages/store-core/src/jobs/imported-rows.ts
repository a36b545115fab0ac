import type { Json } from '../kv/json.ts'
import type { Evaluation } from '../model/evaluation.ts'
import type { Execution } from '../model/execution.ts'
import type { Job } from '../model/job.ts'
import { shiftTime } from '../rows/steady-clock.ts'
import type { EvaluationRow } from './evaluation-row.ts'
import type { ExecutionRow } from './execution-row.ts'
import type { JobRow, SpecRow } from './job-row.ts'

/** The row of a job that has ended; `specBytes` is the length of all its versions. */
export function jobRowOf(job: Job, specBytes: number): JobRow {
  return {
    namespace: job.namespace,
    type: job.type,
    priority: job.priority,
    version: job.version,
    revision: job.revision,
    state: job.state,
    ...(job.stateMessage === '' ? {} : { stateMessage: job.stateMessage }),
    stateSinceMs: job.stateSinceMs,
    createdAtMs: job.createdAtMs,
    modifiedAtMs: job.modifiedAtMs,
    ...(job.finishedAtMs === null ? {} : { finishedAtMs: job.finishedAtMs }),
    ...(job.submitKey === null ? {} : { submitKey: job.submitKey }),
    ...(job.hold === null ? {} : { hold: job.hold }),
    specBytes,
  }
}

/** The row of one version of a job. */
export function specRowOf(version: Job, atMs: number): SpecRow {
  return {
    name: version.name,
    priority: version.priority,
    count: version.count,
    ...(Object.keys(version.labels).length === 0 ? {} : { labels: version.labels }),
    spec: version.spec as Json,
    atMs,
  }
}

/** The row of an execution that has ended. */
export function executionRowOf(execution: Execution): ExecutionRow {
  return {
    jobId: execution.jobId,
    jobVersion: execution.jobVersion,
    namespace: execution.namespace,
    nodeId: execution.nodeId,
    ...(execution.evaluationId === null ? {} : { evaluationId: execution.evaluationId }),
    ...(execution.partition === null ? {} : { partition: execution.partition }),
    state: execution.state,
    ...(execution.stateMessage === '' ? {} : { stateMessage: execution.stateMessage }),
    stateSinceMs: execution.stateSinceMs,
    ...(execution.endReason == null ? {} : { endReason: execution.endReason }),
    desiredState: execution.desiredState,
    ...(execution.desiredMessage === '' ? {} : { desiredMessage: execution.desiredMessage }),
    ...(execution.previousExecutionId === null ? {} : { previousExecutionId: execution.previousExecutionId }),
    // Archives of earlier releases have none.
    ...((execution.endsBefore ?? 0) === 0 ? {} : { endsBefore: execution.endsBefore }),
    ...(execution.resources === null ? {} : { resources: execution.resources }),
    ...(execution.publishedResult === null ? {} : { publishedResult: execution.publishedResult }),
    ...(execution.runOutput === null ? {} : { runOutput: execution.runOutput }),
    ...(execution.computeRevision === 0 ? {} : { computeRevision: execution.computeRevision }),
    revision: execution.revision,
    createdAtMs: execution.createdAtMs,
    modifiedAtMs: execution.modifiedAtMs,
    ...(execution.finishedAtMs === null ? {} : { finishedAtMs: execution.finishedAtMs }),
  }
}

/**
 * The row of an evaluation that is not to be worked on; one that was pending is canceled. `aheadMs` is by how much
 * steady time is ahead.
 */
export function evaluationRowOf(evaluation: Evaluation, sequence: number, aheadMs: number): EvaluationRow {
  return {
    jobId: evaluation.jobId,
    namespace: evaluation.namespace,
    jobType: evaluation.jobType,
    priority: evaluation.priority,
    trigger: evaluation.trigger,
    status: evaluation.status === 'pending' ? 'canceled' : evaluation.status,
    ...(evaluation.comment === '' ? {} : { comment: evaluation.comment }),
    dueSteadyMs: shiftTime(evaluation.dueAtMs, aheadMs),
    attempt: evaluation.attempt,
    ...((evaluation.lostLeases ?? 0) === 0 ? {} : { lostLeases: evaluation.lostLeases }),
    sequence,
    createdAtMs: evaluation.createdAtMs,
    modifiedAtMs: evaluation.modifiedAtMs,
  }
}
