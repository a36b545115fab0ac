import type { ComputeExecution } from '../model/compute-execution.ts'
import type { ComputeRow } from './compute-row.ts'

/** The row of an execution from another place; `jobBytes` is the length of its job. */
export function computeRowOf(execution: ComputeExecution, jobBytes: number): ComputeRow {
  const { job } = execution
  return {
    jobId: job.id,
    jobVersion: job.version,
    namespace: job.namespace,
    requesterId: execution.requesterId,
    ...(execution.partition === null ? {} : { partition: execution.partition }),
    state: execution.state,
    ...(execution.stateMessage === '' ? {} : { stateMessage: execution.stateMessage }),
    stateSinceMs: execution.stateSinceMs,
    ...(execution.endReason === null ? {} : { endReason: execution.endReason }),
    ...(execution.attempt === 0 ? {} : { attempt: execution.attempt }),
    ...(execution.rerunnable ? { rerunnable: true } : {}),
    ...(execution.process === null ? {} : { process: execution.process }),
    ...(execution.resources === null ? {} : { resources: execution.resources }),
    ...(execution.publishedResult === null ? {} : { publishedResult: execution.publishedResult }),
    ...(execution.runOutput === null ? {} : { runOutput: execution.runOutput }),
    ...(execution.acknowledgedRevision === 0 ? {} : { acknowledgedRevision: execution.acknowledgedRevision }),
    revision: execution.revision,
    createdAtMs: execution.createdAtMs,
    modifiedAtMs: execution.modifiedAtMs,
    ...(execution.finishedAtMs === null ? {} : { finishedAtMs: execution.finishedAtMs }),
    jobBytes,
  }
}
