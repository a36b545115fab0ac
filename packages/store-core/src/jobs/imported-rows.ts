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
    ns: job.namespace,
    t: job.type,
    p: job.priority,
    v: job.version,
    r: job.revision,
    s: job.state,
    ...(job.stateMessage === '' ? {} : { m: job.stateMessage }),
    ss: job.stateSinceMs,
    c: job.createdAtMs,
    md: job.modifiedAtMs,
    ...(job.finishedAtMs === null ? {} : { f: job.finishedAtMs }),
    ...(job.submitKey === null ? {} : { k: job.submitKey }),
    ...(job.hold === null ? {} : { h: job.hold }),
    b: specBytes,
  }
}

/** The row of one version of a job. */
export function specRowOf(version: Job, atMs: number): SpecRow {
  return {
    n: version.name,
    p: version.priority,
    c: version.count,
    ...(Object.keys(version.labels).length === 0 ? {} : { l: version.labels }),
    spec: version.spec as Json,
    at: atMs,
  }
}

/** The row of an execution that has ended. */
export function executionRowOf(execution: Execution): ExecutionRow {
  return {
    j: execution.jobId,
    v: execution.jobVersion,
    ns: execution.namespace,
    n: execution.nodeId,
    ...(execution.evaluationId === null ? {} : { ev: execution.evaluationId }),
    ...(execution.partition === null ? {} : { pt: execution.partition }),
    s: execution.state,
    ...(execution.stateMessage === '' ? {} : { m: execution.stateMessage }),
    ss: execution.stateSinceMs,
    ...(execution.endReason == null ? {} : { er: execution.endReason }),
    d: execution.desiredState,
    ...(execution.desiredMessage === '' ? {} : { dm: execution.desiredMessage }),
    ...(execution.previousExecutionId === null ? {} : { pe: execution.previousExecutionId }),
    ...(execution.resources === null ? {} : { rs: execution.resources }),
    ...(execution.publishedResult === null ? {} : { pr: execution.publishedResult }),
    ...(execution.runOutput === null ? {} : { ro: execution.runOutput }),
    ...(execution.computeRevision === 0 ? {} : { cr: execution.computeRevision }),
    r: execution.revision,
    c: execution.createdAtMs,
    md: execution.modifiedAtMs,
    ...(execution.finishedAtMs === null ? {} : { f: execution.finishedAtMs }),
  }
}

/** The row of an evaluation that is not to be worked on; one that was pending is canceled. `aheadMs` is by how much steady time is ahead. */
export function evaluationRowOf(evaluation: Evaluation, sequence: number, aheadMs: number): EvaluationRow {
  return {
    j: evaluation.jobId,
    ns: evaluation.namespace,
    t: evaluation.jobType,
    p: evaluation.priority,
    tr: evaluation.trigger,
    st: evaluation.status === 'pending' ? 'canceled' : evaluation.status,
    ...(evaluation.comment === '' ? {} : { cm: evaluation.comment }),
    due: shiftTime(evaluation.dueAtMs, aheadMs),
    a: evaluation.attempt,
    ...((evaluation.lostLeases ?? 0) === 0 ? {} : { ll: evaluation.lostLeases }),
    q: sequence,
    c: evaluation.createdAtMs,
    md: evaluation.modifiedAtMs,
  }
}
