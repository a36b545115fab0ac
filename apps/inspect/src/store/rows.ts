import type { ComputeExecution, Evaluation, Execution, HistoryEntry, Job, Json } from '@saltcod/store-core'
import { rfcTime } from '../cli/words.ts'
import { exitCodeOf } from './exit-code-of.ts'
import { isCompute } from './is-compute.ts'
import { redact } from './redact.ts'
import type { Secrets } from './secrets.ts'

/** A job as programs read it; times are RFC 3339 text or `null`. */
export function jobRow(job: Job): Readonly<Record<string, Json>> {
  return {
    id: job.id,
    name: job.name,
    namespace: job.namespace,
    type: job.type,
    state: job.state,
    stateMessage: job.stateMessage,
    stateSince: rfcTime(job.stateSinceMs),
    createdAt: rfcTime(job.createdAtMs),
    modifiedAt: rfcTime(job.modifiedAtMs),
    finishedAt: rfcTime(job.finishedAtMs),
    deadlineAt: rfcTime(job.deadlineAtMs),
    priority: job.priority,
    count: job.count,
    version: job.version,
    revision: job.revision,
    labels: { ...job.labels },
    submitKey: job.submitKey,
    hold: job.hold,
  }
}

/** A specification as it may be shown. */
export function specOf(spec: Json, showSecrets: boolean): Json {
  return showSecrets ? spec : redact(spec)
}

/** An execution of either store as programs read it; without the secrets of its job where these are given. */
export function executionRow(
  execution: Execution | ComputeExecution,
  secrets: Secrets | null,
): Readonly<Record<string, Json>> {
  const common = {
    id: execution.id,
    state: execution.state,
    stateMessage: execution.stateMessage,
    endReason: execution.endReason,
    stateSince: rfcTime(execution.stateSinceMs),
    createdAt: rfcTime(execution.createdAtMs),
    modifiedAt: rfcTime(execution.modifiedAtMs),
    finishedAt: rfcTime(execution.finishedAtMs),
    deadlineAt: rfcTime(execution.deadlineAtMs),
    partition: execution.partition,
    revision: execution.revision,
    resources: execution.resources,
    exitCode: exitCodeOf(execution),
    publishedResult: specOf(execution.publishedResult, secrets === null),
    runOutput: secrets === null ? execution.runOutput : secrets.blank(execution.runOutput),
  }
  if (isCompute(execution)) {
    return {
      ...common,
      jobId: execution.job.id,
      jobVersion: execution.job.version,
      jobName: execution.job.name,
      namespace: execution.job.namespace,
      type: execution.job.type,
      requesterId: execution.requesterId,
      attempt: execution.attempt,
      rerunnable: execution.rerunnable,
      process: execution.process === null ? null : { ...execution.process },
      acknowledgedRevision: execution.acknowledgedRevision,
    }
  }
  return {
    ...common,
    jobId: execution.jobId,
    jobVersion: execution.jobVersion,
    namespace: execution.namespace,
    nodeId: execution.nodeId,
    desiredState: execution.desiredState,
    desiredMessage: execution.desiredMessage,
    evaluationId: execution.evaluationId,
    previousExecutionId: execution.previousExecutionId,
    endsBefore: execution.endsBefore,
    computeRevision: execution.computeRevision,
  }
}

/** A history entry as programs read it. */
export function historyRow(entry: HistoryEntry): Readonly<Record<string, Json>> {
  const { atMs, event, ...rest } = entry
  return { ...rest, event: { ...event, details: { ...event.details } }, at: rfcTime(atMs) }
}

/** An evaluation as programs read it. */
export function evaluationRow(evaluation: Evaluation): Readonly<Record<string, Json>> {
  const { createdAtMs, modifiedAtMs, dueAtMs, lease, ...rest } = evaluation
  return {
    ...rest,
    dueAt: rfcTime(dueAtMs),
    createdAt: rfcTime(createdAtMs),
    modifiedAt: rfcTime(modifiedAtMs),
    lease:
      lease === null
        ? null
        : { holder: lease.holder, attempt: lease.attempt, expiresAt: rfcTime(lease.expiresAtMs) },
  }
}
