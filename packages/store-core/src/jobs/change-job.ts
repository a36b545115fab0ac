import { requireObject, requireText } from '../arguments/argument-types.ts'
import { checkText, checkTime } from '../arguments/limits.ts'
import type { ReviseJob, Submitted, TransitionJob } from '../contract/jobs.ts'
import { StoreError } from '../errors.ts'
import type { Json } from '../kv/json.ts'
import type { EventInput } from '../model/history.ts'
import type { Job } from '../model/job.ts'
import { addHistoryEntry } from '../rows/history.ts'
import type { Mutation } from '../rows/mutation.ts'
import { inState, withFields } from '../rows/state-row.ts'
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

/** Moves a job to another state, with history, and with an evaluation where one is asked for. */
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
  requireText('new state', to)
  requireObject('event', event)
  checkTime('deadline', deadlineAtMs)
  checkTransition(JOB_MACHINE, { id: before.id, state: before.row.s, revision: before.row.r }, move, to)
  const { nowMs } = mutation
  const moved = inState(JOB_MACHINE, before.row, to, move.message ?? event.message ?? '', mutation)
  const row: JobRow = {
    ...withFields(moved, { dl: mutation.steadyDeadline(deadlineAtMs) }),
    md: nowMs,
    r: before.row.r + 1,
  }
  const after = replaceJobRow(mutation, before, row)
  const said = { topic: 'State Update', message: row.m ?? to }
  recordJobEvent(mutation, after, before.row.s, { ...said, ...event })
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
    { ownerKey: key, jobVersion: row.v, previousState, newState: row.s, revision: row.r },
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
  const labels = request.labels ?? old.l ?? {}
  const spec: SpecRow = {
    n: old.n,
    p: request.priority ?? old.p,
    c: request.count ?? old.c,
    ...(Object.keys(labels).length > 0 ? { l: labels } : {}),
    spec: request.spec === undefined ? old.spec : (request.spec as Json),
    at: mutation.nowMs,
  }
  checkDefinition({ priority: spec.p, count: spec.c, labels })
  checkTime('deadline', request.deadlineAtMs)
  const version = before.row.v + 1
  const { spec: written, bytes } = putSpec(mutation, before.key, version, spec, maxSpecBytes)
  for (const key of labelIndexKeys(before.key, before.row, old.l ?? {})) mutation.removeIndex(key)
  const { m: _message, f: _finished, dl: oldDeadline, ...kept } = before.row
  const { deadlineAtMs } = request
  const deadline = deadlineAtMs === undefined ? oldDeadline : mutation.steadyDeadline(deadlineAtMs)
  const after = replaceJobRow(mutation, before, {
    ...kept,
    p: spec.p,
    v: version,
    r: kept.r + 1,
    s: 'Pending',
    ss: mutation.steadyMs,
    md: mutation.nowMs,
    b: kept.b + bytes,
    ...(deadline == null ? {} : { dl: deadline }),
  })
  for (const key of labelIndexKeys(after.key, after.row, labels)) mutation.putIndex(key)
  recordJobEvent(
    mutation,
    after,
    before.row.s,
    request.event ?? { message: 'Job updated', topic: 'Submission' },
  )
  const first = request.evaluation === undefined ? ({ trigger: 'job-update' } as const) : request.evaluation
  const evaluationId = first === null ? null : enqueueEvaluation(mutation, after, first)
  return { job: toJob<Spec>(after.id, after.row, written, mutation.aheadMs), evaluationId, created: true }
}

/** A new version may leave any state, so only the caller's expectations are checked. */
function checkRevisable(job: LoadedJob, expectation: Expectation<JobState>): void {
  const open = { ...JOB_MACHINE, terminal: new Set<JobState>() }
  checkTransition(open, { id: job.id, state: job.row.s, revision: job.row.r }, expectation, null)
}

/** Holds a job against retention, or lets it go. */
export function holdJob<Spec>(mutation: Mutation, jobId: string, reason: string | null): Job<Spec> {
  if (reason !== null) checkText('reason', reason)
  const before = loadJob(mutation.rows, jobId)
  const { h: _hold, ...kept } = before.row
  const row: JobRow = {
    ...kept,
    md: mutation.nowMs,
    r: kept.r + 1,
    ...(reason === null ? {} : { h: reason }),
  }
  const after = replaceJobRow(mutation, before, row)
  const message = reason === null ? 'Hold released' : `Held: ${reason}`
  recordJobEvent(mutation, after, row.s, { message, topic: 'Retention' })
  return toJob<Spec>(after.id, after.row, loadSpec(mutation.rows, after), mutation.aheadMs)
}

/** Makes the error for a job that must have ended first. */
export function notTerminal(job: LoadedJob): StoreError {
  return new StoreError('JOB_NOT_TERMINAL', `job ${job.id} is ${job.row.s} and has not ended`, {
    id: job.id,
    actual: job.row.s,
    hint: 'stop it first',
  })
}
