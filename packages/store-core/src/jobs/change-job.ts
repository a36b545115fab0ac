import { requireObject, requireText } from '../arguments/argument-types.ts'
import { checkText, checkTime } from '../arguments/limits.ts'
import type { ReviseJob, Submitted, TransitionJob } from '../contract/jobs.ts'
import { StoreError } from '../errors.ts'
import type { Json } from '../kv/json.ts'
import type { EventInput } from '../model/history.ts'
import type { Job } from '../model/job.ts'
import { addHistoryEntry } from '../rows/history.ts'
import type { Mutation } from '../rows/mutation.ts'
import { inState, setFields } from '../rows/state-row.ts'
import { JOB_MACHINE, type JobState } from '../states/job-state.ts'
import { checkTransition, type Expectation } from '../states/transitions.ts'
import { enqueueEvaluation } from './evaluation-queue.ts'
import {
  type JobRow,
  type LoadedJob,
  labelIndexKeys,
  loadJob,
  loadSpec,
  replaceJobRow,
  type SpecRow,
  toJob,
} from './job-row.ts'
import { checkDefinition, putSpec } from './submit-job.ts'

/** Changes a job's state, or what is said of it, with history, and with an evaluation where one is asked for. */
export function transitionJob<Spec>(mutation: Mutation, request: TransitionJob): Job<Spec> {
  const before = loadJob(mutation.rows, request.jobId)
  const after = moveJob(mutation, before, request)
  if (request.evaluation !== undefined) enqueueEvaluation(mutation, after, request.evaluation)
  return toJob<Spec>(after.id, after.row, loadSpec(mutation.rows, after), mutation.aheadMs)
}

/** The move itself, as a plan makes it too. */
export function moveJob(
  mutation: Mutation,
  before: LoadedJob,
  move: Omit<TransitionJob, 'jobId' | 'evaluation' | 'requestId' | 'outbox'>,
): LoadedJob {
  requireObject('move of a job', move)
  const { to, event = {}, deadlineAtMs } = move
  // One that is there and undefined is a mistake, not a wish to stay.
  if ('to' in move) requireText('new state', to)
  requireObject('event', event)
  checkTime('deadline', deadlineAtMs)
  checkTransition(
    JOB_MACHINE,
    { id: before.id, state: before.row.state, revision: before.row.revision },
    move,
    to ?? null,
  )
  const { nowMs } = mutation
  const row = inState(
    JOB_MACHINE,
    before.row,
    to ?? before.row.state,
    move.message ?? event.message ?? '',
    mutation,
  )
  if (to === undefined) row.stateSinceMs = before.row.stateSinceMs
  setFields(row, { deadlineSteadyMs: mutation.steadyDeadline(deadlineAtMs) })
  row.modifiedAtMs = nowMs
  row.revision = before.row.revision + 1
  const after = replaceJobRow(mutation, before, row)
  const said = { topic: 'State Update', message: row.stateMessage ?? row.state }
  recordJobEvent(mutation, after, before.row.state, { ...said, ...event })
  return after
}

/** Writes an entry into a job's history. */
export function recordJobEvent(
  mutation: Mutation,
  job: LoadedJob,
  previousState: JobState,
  event: EventInput,
): number {
  const { key, row } = job
  return addHistoryEntry(
    mutation,
    { ownerKey: key, jobVersion: row.version, previousState, newState: row.state, revision: row.revision },
    event,
  )
}

/** Opens a new version of a job: the only way out of an end. */
export function reviseJob<Spec>(
  mutation: Mutation,
  request: ReviseJob<Spec>,
  maxSpecBytes: number,
): Submitted<Spec> {
  const before = loadJob(mutation.rows, request.jobId)
  checkRevisable(before, request)
  const old = loadSpec(mutation.rows, before)
  const labels = request.labels ?? old.labels ?? {}
  const spec: SpecRow = {
    name: old.name,
    priority: request.priority ?? old.priority,
    count: request.count ?? old.count,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    spec: request.spec === undefined ? old.spec : (request.spec as Json),
    atMs: mutation.nowMs,
  }
  checkDefinition({ priority: spec.priority, count: spec.count, labels })
  checkTime('deadline', request.deadlineAtMs)
  const version = before.row.version + 1
  const { spec: written, bytes } = putSpec(mutation, before.key, version, spec, maxSpecBytes)
  for (const key of labelIndexKeys(before.key, before.row, old.labels ?? {})) mutation.removeIndex(key)
  const {
    stateMessage: _message,
    finishedAtMs: _finished,
    deadlineSteadyMs: oldDeadline,
    ...kept
  } = before.row
  const { deadlineAtMs } = request
  const deadline = deadlineAtMs === undefined ? oldDeadline : mutation.steadyDeadline(deadlineAtMs)
  const after = replaceJobRow(mutation, before, {
    ...kept,
    priority: spec.priority,
    version,
    revision: kept.revision + 1,
    state: 'Pending',
    stateSinceMs: mutation.steadyMs,
    modifiedAtMs: mutation.nowMs,
    specBytes: kept.specBytes + bytes,
    ...(deadline == null ? {} : { deadlineSteadyMs: deadline }),
  })
  for (const key of labelIndexKeys(after.key, after.row, labels)) mutation.putIndex(key)
  recordJobEvent(
    mutation,
    after,
    before.row.state,
    request.event ?? { message: 'Job updated', topic: 'Submission' },
  )
  const first = request.evaluation === undefined ? ({ trigger: 'job-update' } as const) : request.evaluation
  const evaluationId = first === null ? null : enqueueEvaluation(mutation, after, first)
  return { job: toJob<Spec>(after.id, after.row, written, mutation.aheadMs), evaluationId, created: true }
}

/** A new version may leave any state, so only the caller's expectations are checked. */
function checkRevisable(job: LoadedJob, expectation: Expectation<JobState>): void {
  const open = { ...JOB_MACHINE, terminal: new Set<JobState>() }
  checkTransition(open, { id: job.id, state: job.row.state, revision: job.row.revision }, expectation, null)
}

/** Holds a job against retention, or lets it go. */
export function holdJob<Spec>(mutation: Mutation, jobId: string, reason: string | null): Job<Spec> {
  if (reason !== null) checkText('reason', reason)
  const before = loadJob(mutation.rows, jobId)
  const { hold: _hold, ...kept } = before.row
  const row: JobRow = {
    ...kept,
    modifiedAtMs: mutation.nowMs,
    revision: kept.revision + 1,
    ...(reason === null ? {} : { hold: reason }),
  }
  const after = replaceJobRow(mutation, before, row)
  const message = reason === null ? 'Hold released' : `Held: ${reason}`
  recordJobEvent(mutation, after, row.state, { message, topic: 'Retention' })
  return toJob<Spec>(after.id, after.row, loadSpec(mutation.rows, after), mutation.aheadMs)
}

/** Makes the error for a job that must have ended first. */
export function notTerminal(job: LoadedJob): StoreError {
  return new StoreError('JOB_NOT_TERMINAL', `job ${job.id} is ${job.row.state} and has not ended`, {
    id: job.id,
    actual: job.row.state,
    hint: 'stop it first',
  })
}
