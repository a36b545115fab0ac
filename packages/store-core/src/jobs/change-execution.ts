import { requireList, requireObject, requireOptionalFlag, requireText } from '../arguments/argument-types.ts'
import {
  checkChoice,
  checkChoices,
  checkInteger,
  checkOptionalChoice,
  checkOptionalInteger,
  checkPartition,
  checkText,
  cutMessage,
} from '../arguments/limits.ts'
import type {
  ExecutionReport,
  FollowingMove,
  NewExecution,
  ReportOutcome,
  UpdateExecution,
} from '../contract/executions.ts'
import { StoreError } from '../errors.ts'
import type { NewEvaluation } from '../model/evaluation.ts'
import type { Execution, ExecutionPatch } from '../model/execution.ts'
import type { EventInput } from '../model/history.ts'
import { checkId, newId } from '../model/id.ts'
import { checkSharedPatch, executionKey, sharedFields } from '../rows/execution-rows.ts'
import { addHistoryEntry } from '../rows/history.ts'
import type { Mutation } from '../rows/mutation.ts'
import { checkEndReason, type EndReason } from '../states/end-reason.ts'
import { DESIRED_STATES, EXECUTION_MACHINE, type ExecutionState } from '../states/execution-state.ts'
import { JOB_MACHINE, JOB_STATES } from '../states/job-state.ts'
import { checkTransition, edgesOf } from '../states/transitions.ts'
import { moveJob } from './change-job.ts'
import { enqueueEvaluation } from './evaluation-queue.ts'
import {
  type ExecutionRow,
  executionRows,
  executionTable,
  findExecutionRow,
  type LoadedExecution,
  loadExecution,
  toExecution,
} from './execution-row.ts'
import { jobKey, type LoadedJob, loadJob, loadSpec } from './job-row.ts'
import { comesLate, completedBefore, lateRefusal, mayReturn } from './late-completion.ts'
import { endLeftBehind } from './stranded-job.ts'

/**
 * After so many changes of an execution only one of its state is taken from its node: whoever speaks for that must not
 * fill a store with a history that never ends.
 */
const MOST_UNMOVED = 1_000
const SAYS_TOO_MUCH: EventInput = {
  message: 'Its node has reported too much of it: nothing more is noted but changes of its state',
  topic: 'Execution',
}

const FIRST_STATES: readonly ExecutionState[] = ['New', 'AskForBid', 'AskForBidAccepted', 'BidAccepted']

/**
 * Creates an execution of a job. Throws `TypeError`, `INVALID_ARGUMENT`, `EXECUTION_ALREADY_EXISTS`,
 * `JOB_VERSION_NOT_FOUND`.
 */
export function createExecution(mutation: Mutation, job: LoadedJob, request: NewExecution): LoadedExecution {
  const { rows } = mutation
  const id = request.id ?? newId('e')
  checkNewExecution(request)
  if (request.id !== undefined) {
    checkId('execution', id)
    if (executionTable.get(rows, executionKey(id)) !== undefined) {
      throw new StoreError('EXECUTION_ALREADY_EXISTS', `execution ${id} exists already`, {
        id,
        hint: 'leave the id out and one is made',
      })
    }
  }
  if (request.jobVersion !== undefined && request.jobVersion !== job.row.version) {
    loadSpec(rows, job, request.jobVersion)
  }
  const row = newExecutionRow(request, job, mutation)
  const key = executionKey(id)
  const made = executionRows.insert(mutation, id, key, row)
  recordEvent(
    mutation,
    made,
    null,
    request.event ?? { message: `Requested execution on ${row.nodeId}`, topic: 'Scheduling' },
  )
  executionRows.announce(mutation, id, row, null)
  return made
}

function checkNewExecution(request: NewExecution): void {
  checkText('node id', request.nodeId)
  checkOptionalChoice('first state of an execution', request.state, FIRST_STATES)
  checkOptionalChoice('desired state', request.desiredState, DESIRED_STATES)
  checkOptionalInteger('job version', request.jobVersion, 1)
  checkPartition(request.partition)
  if (request.evaluationId !== undefined) checkId('evaluation', request.evaluationId)
  if (request.previousExecutionId !== undefined) checkId('execution', request.previousExecutionId)
  checkOptionalInteger('endsBefore', request.endsBefore, 0)
  checkSharedPatch(request)
}

function newExecutionRow(request: NewExecution, job: LoadedJob, mutation: Mutation): ExecutionRow {
  const { nowMs } = mutation
  const { evaluationId, partition, desiredMessage, previousExecutionId, resources, deadlineAtMs } = request
  const { endsBefore = 0 } = request
  return {
    jobId: job.id,
    jobVersion: request.jobVersion ?? job.row.version,
    namespace: job.row.namespace,
    nodeId: request.nodeId,
    ...(evaluationId === undefined ? {} : { evaluationId }),
    ...(partition == null ? {} : { partition }),
    state: request.state ?? 'New',
    stateSinceMs: mutation.steadyMs,
    desiredState: request.desiredState ?? 'Pending',
    ...(desiredMessage === undefined
      ? {}
      : { desiredMessage: cutMessage(desiredMessage, 'desired message') }),
    ...(previousExecutionId === undefined ? {} : { previousExecutionId }),
    ...(endsBefore === 0 ? {} : { endsBefore }),
    ...(resources == null ? {} : { resources }),
    revision: 1,
    createdAtMs: nowMs,
    modifiedAtMs: nowMs,
    ...(deadlineAtMs == null ? {} : { deadlineSteadyMs: mutation.steady(deadlineAtMs) }),
  }
}

/** Changes an execution's state, other fields, or both, with history. */
export function updateExecution(mutation: Mutation, request: UpdateExecution): LoadedExecution {
  const before = loadExecution(mutation.rows, request.executionId)
  const { to = null, endReason, message, patch, event } = request
  checkPatch(patch)
  checkEndReason(EXECUTION_MACHINE, to, endReason)
  checkTransition(EXECUTION_MACHINE, subjectOf(before), request, to)
  return applyExecutionChange(mutation, before, {
    to,
    ...(endReason === undefined ? {} : { endReason }),
    ...(message === undefined ? {} : { message }),
    ...(patch === undefined ? {} : { patch }),
    ...(event === undefined ? {} : { event }),
  })
}

function checkPatch(patch: ExecutionPatch | undefined): void {
  if (patch === undefined) return
  requireObject('patch', patch)
  const { desiredState, desiredMessage } = patch
  checkOptionalChoice('desired state', desiredState, DESIRED_STATES)
  if (desiredMessage != null) requireText('desired message', desiredMessage)
  checkSharedPatch(patch, 'patch.')
}

interface ExecutionChange {
  readonly to: ExecutionState | null
  /** `null` where it had one and has none any more. */
  readonly endReason?: EndReason | null
  readonly message?: string
  readonly patch?: ExecutionPatch
  readonly event?: EventInput
  readonly computeRevision?: number
}

function applyExecutionChange(
  mutation: Mutation,
  before: LoadedExecution,
  change: ExecutionChange,
): LoadedExecution {
  const { to, endReason, message, patch = {}, event, computeRevision } = change
  const fields = { ...fieldsOf(mutation, patch), ...(endReason === null ? { endReason } : {}) }
  const reason = endReason ?? undefined
  const changed = executionRows.changed(mutation, before.row, {
    to,
    endReason: reason,
    message,
    event,
    fields,
  })
  const row = computeRevision === undefined ? changed : { ...changed, computeRevision }
  const after = executionRows.replace(mutation, before, row)
  recordEvent(
    mutation,
    after,
    before.row.state,
    event ?? (to === null ? {} : { message: change.message ?? '', topic: 'Execution' }),
  )
  return after
}

function fieldsOf(mutation: Mutation, patch: ExecutionPatch): Partial<Record<keyof ExecutionRow, unknown>> {
  const { desiredState, desiredMessage } = patch
  const message = desiredMessage === '' ? null : desiredMessage
  return {
    desiredState,
    desiredMessage: typeof message === 'string' ? cutMessage(message) : message,
    ...sharedFields(mutation, patch),
  }
}

/**
 * Applies a compute node's report once. What does not fit what is known is stale and fails nothing; a report that
 * makes no sense in itself is a mistake of whoever wrote it. Throws `TypeError` or `INVALID_ARGUMENT`.
 */
export function recordExecution(mutation: Mutation, report: ExecutionReport): ReportOutcome {
  checkInteger('compute revision (computeRevision)', report.computeRevision, 0)
  requireText('node id', report.nodeId)
  if (report.to !== undefined) requireText('new state', report.to)
  checkPatch(report.patch)
  checkEndReason(EXECUTION_MACHINE, report.to ?? null, report.endReason)
  checkFollowingMove(report.job)
  requireOptionalFlag('doneOnce', report.doneOnce)
  requireOptionalFlag('goesOn', report.goesOn)
  const before = findExecutionRow(mutation.rows, report.executionId)
  if (before === undefined || before.row.nodeId !== report.nodeId) return 'unknown'
  const { state, computeRevision: known = 0 } = before.row
  if (report.goesOn === true && report.computeRevision >= known) return takeBack(mutation, before, report)
  if (report.computeRevision <= known) return 'stale'
  const isOnce = report.doneOnce === true
  if (isOnce && comesLate(mutation.rows, before.row, report.to)) return takeLate(mutation, before, report)
  if (EXECUTION_MACHINE.terminal.has(state)) return 'stale'
  const to = report.to === state ? null : (report.to ?? null)
  if (to === null ? saysTooMuch(before) : !edgesOf(EXECUTION_MACHINE, state).includes(to)) return 'stale'
  if (report.job !== undefined) moveAlong(mutation, before.row, report.job)
  const done = isOnce && to === 'Completed' ? completedBefore(mutation.rows, before.row) : null
  if (done !== null) return endAsSurplus(mutation, before, report, done)
  const { endReason, message, patch, computeRevision } = report
  const isLast = to === null && before.row.revision === MOST_UNMOVED - 1
  const event = isLast ? SAYS_TOO_MUCH : report.event
  const after = applyExecutionChange(mutation, before, {
    to,
    computeRevision,
    ...(endReason === undefined ? {} : { endReason }),
    ...(message === undefined ? {} : { message }),
    ...(patch === undefined ? {} : { patch }),
    ...(event === undefined ? {} : { event }),
  })
  followChange(mutation, after, report.evaluation)
  return 'applied'
}

function saysTooMuch({ row }: LoadedExecution): boolean {
  return row.revision >= MOST_UNMOVED
}

/** What was given up with its node and had been done all the same is taken, or dropped with the reason. */
function takeLate(mutation: Mutation, before: LoadedExecution, report: ExecutionReport): ReportOutcome {
  const { computeRevision, patch, message = '' } = report
  const why = lateRefusal(mutation.rows, before)
  const topic = 'Reconciliation'
  if (why !== null) {
    if (saysTooMuch(before)) return 'stale'
    const text = `Its node came back with the result, which is dropped: ${why}`
    applyExecutionChange(mutation, before, { to: null, computeRevision, event: { message: text, topic } })
    return 'stale'
  }
  const text = 'Its node came back with the result, which is taken: it was not done again'
  const after = applyExecutionChange(mutation, before, {
    to: 'Completed',
    endReason: null,
    computeRevision,
    message: message === '' ? text : message,
    ...(patch === undefined ? {} : { patch }),
    event: { message: text, topic, details: { ...report.event?.details } },
  })
  followChange(mutation, after, report.evaluation)
  return 'applied'
}

/** What was given up with its node goes on there, as far as nobody else was asked for it. */
function takeBack(mutation: Mutation, before: LoadedExecution, report: ExecutionReport): ReportOutcome {
  const { to, patch = {}, job, evaluation } = report
  if (to === undefined || !mayReturn(mutation.rows, before, to)) return 'stale'
  if (job !== undefined) moveAlong(mutation, before.row, job)
  const message = 'Its node came back with it, where it goes on: nobody else was asked for it'
  // What its node has reported of it until now is still to come.
  const after = applyExecutionChange(mutation, before, {
    to,
    endReason: null,
    message,
    patch: { ...patch, desiredState: 'Running', desiredMessage: message },
    event: { message, topic: 'Reconciliation', details: { NodeID: before.row.nodeId } },
  })
  followChange(mutation, after, evaluation)
  return 'applied'
}

/** Its share counts once. */
function endAsSurplus(
  mutation: Mutation,
  before: LoadedExecution,
  { computeRevision, patch, evaluation }: ExecutionReport,
  done: string,
): ReportOutcome {
  const message = `It completed when ${done} had done the same`
  const after = applyExecutionChange(mutation, before, {
    to: 'Cancelled',
    endReason: 'surplus',
    computeRevision,
    message,
    ...(patch === undefined ? {} : { patch }),
    event: { message, topic: 'Reconciliation', details: { reason: 'surplus' } },
  })
  followChange(mutation, after, evaluation)
  return 'applied'
}

function checkFollowingMove(move: FollowingMove | undefined): void {
  if (move === undefined) return
  requireObject('move of the job', move)
  checkChoice('new state of the job', move.to, JOB_STATES)
  requireList('states of the job', move.from)
  checkChoices('state of the job', move.from, JOB_STATES)
}

/** What a report says of one version is nothing to another, and no reason to refuse the report. */
function moveAlong(mutation: Mutation, { jobId, jobVersion }: ExecutionRow, move: FollowingMove): void {
  const job = loadJob(mutation.rows, jobId)
  const { state, version } = job.row
  if (version !== jobVersion || !move.from.includes(state) || !edgesOf(JOB_MACHINE, state).includes(move.to))
    return
  const { from: _from, ...rest } = move
  moveJob(mutation, job, rest)
}

/**
 * Adds the evaluation that a change of an execution asks for; without one an end may have been all that its job waited
 * for.
 */
export function followChange(
  mutation: Mutation,
  { row }: LoadedExecution,
  evaluation: NewEvaluation | undefined,
): void {
  if (evaluation !== undefined) enqueueEvaluation(mutation, loadJob(mutation.rows, row.jobId), evaluation)
  else if (EXECUTION_MACHINE.terminal.has(row.state)) endLeftBehind(mutation, row.jobId)
}

/** Writes an entry into the history of an execution's job. */
export function recordEvent(
  mutation: Mutation,
  execution: LoadedExecution,
  previousState: ExecutionState | null,
  event: EventInput,
): number {
  const { id, row } = execution
  return addHistoryEntry(
    mutation,
    {
      ownerKey: jobKey(row.jobId),
      jobVersion: row.jobVersion,
      executionId: id,
      nodeId: row.nodeId,
      previousState,
      newState: row.state,
      revision: row.revision,
    },
    event,
  )
}

/** Restores the public form of a loaded execution. */
export function publicExecution({ aheadMs }: Mutation, execution: LoadedExecution): Execution {
  return toExecution(execution.id, execution.row, aheadMs)
}

function subjectOf({ id, row }: LoadedExecution): { id: string; state: ExecutionState; revision: number } {
  return { id, state: row.state, revision: row.revision }
}

/** Tells whether a change of an execution ends it, or asks for its end. */
export function isEnd({ to, patch }: UpdateExecution): boolean {
  return (to !== undefined && EXECUTION_MACHINE.terminal.has(to)) || patch?.desiredState === 'Stopped'
}
