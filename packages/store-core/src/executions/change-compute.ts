import { requireJson, requireObject, requireOptionalFlag, requireText } from '../arguments/argument-types.ts'
import {
  checkChoice,
  checkInteger,
  checkOptionalChoice,
  checkOptionalInteger,
  checkPartition,
  checkPriority,
  checkText,
  invalid,
} from '../arguments/limits.ts'
import type { CreateComputeExecution, UpdateComputeExecution } from '../contract/execution-store.ts'
import { StoreError } from '../errors.ts'
import type {
  ChangedComputeExecution,
  ComputeExecution,
  ComputeExecutionPatch,
} from '../model/compute-execution.ts'
import type { EventInput } from '../model/history.ts'
import { checkId } from '../model/id.ts'
import { JOB_TYPES } from '../model/job.ts'
import { checkSharedPatch, executionKey, sharedFields } from '../rows/execution-rows.ts'
import { addHistoryEntry } from '../rows/history.ts'
import type { Mutation } from '../rows/mutation.ts'
import { putReclaim } from '../rows/reclaim.ts'
import { COMPUTE_MACHINE, type ComputeState } from '../states/compute-state.ts'
import { checkEndReason } from '../states/end-reason.ts'
import { checkTransition } from '../states/transitions.ts'
import {
  type ComputeRow,
  computeRows,
  computeTable,
  executionJobTable,
  type LoadedCompute,
  loadCompute,
  toChangedExecution,
  toComputeExecution,
} from './compute-row.ts'

const FIRST_STATES: readonly ComputeState[] = ['Created', 'BidAccepted']

const MAX_ATTEMPT = 1_000_000

/**
 * Creates an execution with the job that caused it. Throws `TypeError`, `INVALID_ARGUMENT`,
 * `EXECUTION_ALREADY_EXISTS`.
 */
export function createCompute<Spec>(
  mutation: Mutation,
  request: CreateComputeExecution<Spec>,
  maxSpecBytes: number,
): ComputeExecution<Spec> {
  const { rows, nowMs } = mutation
  const { id, job, requesterId, deadlineAtMs } = request
  checkNewCompute(request)
  const key = executionKey(id)
  if (rows.get('executions', key) !== undefined || rows.get('reclaim', key) !== undefined) {
    throw new StoreError('EXECUTION_ALREADY_EXISTS', `execution ${id} exists already`, { id })
  }
  const { version, namespace, name, type, priority, count, spec } = job
  const jobBytes = executionJobTable.put(rows, key, {
    id: job.id,
    version,
    namespace,
    name,
    type,
    priority,
    ...(count === undefined ? {} : { count }),
    spec: spec as never,
  })
  if (jobBytes > maxSpecBytes + 4_096) {
    throw invalid(`the job of execution ${id} takes ${jobBytes} bytes, about ${maxSpecBytes} are allowed`)
  }
  const row: ComputeRow = {
    jobId: job.id,
    jobVersion: version,
    namespace,
    requesterId,
    ...(request.partition == null ? {} : { partition: request.partition }),
    state: request.state ?? 'Created',
    stateSinceMs: mutation.steadyMs,
    ...(request.rerunnable === true ? { rerunnable: true } : {}),
    ...(request.resources == null ? {} : { resources: request.resources }),
    revision: 1,
    createdAtMs: nowMs,
    modifiedAtMs: nowMs,
    ...(deadlineAtMs == null ? {} : { deadlineSteadyMs: mutation.steady(deadlineAtMs) }),
    jobBytes,
  }
  const made = computeRows.insert(mutation, id, key, row)
  recordComputeEvent(mutation, made, null, request.event ?? { message: 'Execution created' })
  computeRows.announce(mutation, id, row, null)
  return toComputeExecution<Spec>(rows, made, mutation.aheadMs)
}

function checkNewCompute<Spec>(request: CreateComputeExecution<Spec>): void {
  const { id, job, requesterId } = request
  checkId('execution', id)
  requireObject('job of an execution', job)
  checkId('job', job.id)
  checkInteger('job version', job.version, 1)
  checkText('namespace', job.namespace)
  checkText('job name', job.name)
  checkChoice('job type', job.type, JOB_TYPES)
  checkPriority(job.priority)
  checkOptionalInteger('count', job.count, 0)
  requireJson('job.spec', job.spec)
  checkText('requester id', requesterId)
  checkOptionalChoice('first state of an execution', request.state, FIRST_STATES)
  checkPartition(request.partition)
  requireOptionalFlag('rerunnable', request.rerunnable)
  checkSharedPatch(request)
}

/**
 * Changes an execution's state, other fields, or both, with history. Throws `TypeError`, `INVALID_ARGUMENT` and the
 * codes of `checkTransition`.
 */
export function updateCompute(mutation: Mutation, request: UpdateComputeExecution): ChangedComputeExecution {
  const before = loadCompute(mutation.rows, request.executionId)
  const { to = null, endReason, message, patch = {}, event } = request
  checkPatch(patch)
  checkEndReason(COMPUTE_MACHINE, to, endReason)
  const { id, row: old } = before
  checkTransition(COMPUTE_MACHINE, { id, state: old.state, revision: old.revision }, request, to)
  // Named one by one: a copy of a request, which comes in many shapes, costs several times as much.
  const row = computeRows.changed(mutation, old, {
    to,
    endReason,
    message,
    event,
    fields: fieldsOf(mutation, patch),
  })
  const after = computeRows.replace(mutation, before, row)
  recordComputeEvent(mutation, after, old.state, event ?? { message: request.message ?? '' })
  return toChangedExecution(id, after.row, mutation.aheadMs)
}

/** Notes the newest revision that the requester has confirmed. It is no change of the work, so nothing else moves. */
export function acknowledgeCompute(mutation: Mutation, executionId: string, revision: number): void {
  checkInteger('revision', revision, 0)
  const before = loadCompute(mutation.rows, executionId)
  if (revision <= (before.row.acknowledgedRevision ?? 0)) return
  const row: ComputeRow = { ...before.row, acknowledgedRevision: Math.min(revision, before.row.revision) }
  const bytes = computeTable.put(mutation.rows, before.key, row)
  mutation.count('execution', row.namespace, row.state, 0, bytes - before.bytes)
}

/** Takes an ended execution out of every index and count. Throws `STATE_CONFLICT` where it has not ended. */
export function deleteCompute(mutation: Mutation, executionId: string): void {
  const { id, key, row, bytes } = loadCompute(mutation.rows, executionId)
  if (!COMPUTE_MACHINE.terminal.has(row.state)) {
    throw new StoreError('STATE_CONFLICT', `execution ${id} is ${row.state} and has not ended`, {
      id,
      actual: row.state,
      expected: [...COMPUTE_MACHINE.terminal],
      hint: 'cancel it first',
    })
  }
  for (const index of computeRows.indexRows({ id, key, row })) mutation.removeIndex(index.key)
  mutation.rows.remove('executions', key)
  mutation.count('execution', row.namespace, row.state, -1, -(bytes + row.jobBytes))
  computeRows.announce(mutation, id, row, row.state, null)
  putReclaim(mutation, key, id)
}

/** Writes an entry into an execution's history. */
export function recordComputeEvent(
  mutation: Mutation,
  { key, row }: LoadedCompute,
  previousState: ComputeState | null,
  event: EventInput,
): number {
  return addHistoryEntry(
    mutation,
    {
      ownerKey: key,
      jobVersion: row.jobVersion,
      previousState,
      newState: row.state,
      revision: row.revision,
    },
    event,
  )
}

function checkPatch(patch: ComputeExecutionPatch): void {
  requireObject('patch', patch)
  const { attempt, process } = patch
  checkOptionalInteger('attempt', attempt, 0, MAX_ATTEMPT)
  if (process != null) {
    requireObject('process', process)
    checkInteger('process id', process.pid, 0)
    requireText('start time of a process', process.startTime)
    requireText('boot id of a process', process.bootId)
  }
  checkSharedPatch(patch, 'patch.')
}

function fieldsOf(
  mutation: Mutation,
  patch: ComputeExecutionPatch,
): Partial<Record<keyof ComputeRow, unknown>> {
  const { attempt, process } = patch
  return { attempt: attempt === 0 ? null : attempt, process, ...sharedFields(mutation, patch) }
}
