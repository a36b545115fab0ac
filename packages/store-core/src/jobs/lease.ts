import { requireObject, requireOptionalFlag, requireText, wrongType } from '../arguments/argument-types.ts'
import { checkChoice, checkChoices, checkInteger, checkText, cutMessage } from '../arguments/limits.ts'
import type { Claim, ExhaustedJob, Unclaimed } from '../contract/evaluations.ts'
import { StoreError } from '../errors.ts'
import type { KvRow } from '../kv/contract.ts'
import { endOfTuple, tuple } from '../kv/tuple.ts'
import type { EvaluationStatus, LeaseToken } from '../model/evaluation.ts'
import { JOB_TYPES, type JobType } from '../model/job.ts'
import type { Mutation } from '../rows/mutation.ts'
import { INDEX } from '../rows/tables.ts'
import { JOB_MACHINE } from '../states/job-state.ts'
import { endHead, leadAgain, MAX_DELAY_MS, precedes, promoteDue, returnHead } from './evaluation-queue.ts'
import {
  type EvaluationRow,
  findByKey,
  findByValue,
  findEvaluation,
  isWaiting,
  type LeaseRow,
  type LoadedEvaluation,
  leasedKey,
  readyKey,
  readyPrefix,
  toEvaluation,
  writeEvaluation,
} from './evaluation-row.ts'
import { isReclaimed } from './execution-row.ts'
import { findUndamagedJob } from './job-row.ts'
import { isInPlace, isReady } from './ready-evaluations.ts'
import { endStranded, moveExhausted } from './stranded-job.ts'
import { turnOfSuspects } from './suspect.ts'

const MAX_LEASE_MS = 24 * 60 * 60 * 1_000
const STEP_ROWS = 100

/** What a claim asks for. */
export interface ClaimRequest {
  readonly holder: string
  readonly leaseMs: number
  readonly jobTypes?: readonly JobType[]
  readonly maxAttempts?: number
  readonly scheduler?: boolean
}

const DEFAULT_MAX_ATTEMPTS = 10
const MOST_ATTEMPTS = 1_000_000
/** One step of a claim ends so many at most that nobody should work on. */
const MOST_ENDED = 50
const ENDS_OF_WORK = ['complete', 'canceled'] as const

/**
 * Claims the next evaluation; `null` where nothing is due, and `more` where so many had to be ended that the rest is
 * left to another step.
 */
export function claimEvaluation(
  mutation: Mutation,
  incarnation: string,
  request: ClaimRequest,
): Claim | 'more' | null {
  checkText('holder', request.holder)
  checkInteger('lease time in milliseconds (leaseMs)', request.leaseMs, 1, MAX_LEASE_MS)
  const { jobTypes = JOB_TYPES, maxAttempts = DEFAULT_MAX_ATTEMPTS } = request
  checkChoices('job type', jobTypes, JOB_TYPES)
  checkInteger('most attempts (maxAttempts)', maxAttempts, 1, MOST_ATTEMPTS)
  requireOptionalFlag('scheduler', request.scheduler)
  catchUp(mutation, maxAttempts)
  for (let ended = 0; ended < MOST_ENDED; ended += 1) {
    const turn = request.scheduler === true ? undefined : turnOfSuspects(mutation, jobTypes)
    if (turn === null) return null
    const first = turn ?? firstReady(mutation, jobTypes)
    if (first === undefined) return null
    if (request.scheduler === true || !endHopeless(mutation, first, maxAttempts)) {
      return lease(mutation, first, incarnation, request)
    }
  }
  return 'more'
}

/** Ends one that nobody should work on. Returns whether it was one. */
function endHopeless(mutation: Mutation, evaluation: LoadedEvaluation, maxAttempts: number): boolean {
  const { row } = evaluation
  const losses = row.lostLeases ?? 0
  if (losses >= maxAttempts) {
    const comment = `lease lost: its process died ${losses} times while it was worked on`
    return endReady(mutation, evaluation, 'failed', comment)
  }
  const job = findUndamagedJob(mutation, row.jobId)
  if (job === undefined) return false
  if (JOB_MACHINE.terminal.has(job.row.state)) {
    return endReady(mutation, evaluation, 'canceled', `the job is ${job.row.state}`)
  }
  if (job.row.deadlineSteadyMs === undefined || job.row.deadlineSteadyMs > mutation.steadyMs) return false
  return endReady(mutation, evaluation, 'failed', 'the deadline of the job has passed')
}

function endReady(
  mutation: Mutation,
  before: LoadedEvaluation,
  status: 'failed' | 'canceled',
  comment: string,
): true {
  mutation.removeIndex(readyKey(before.row))
  const { suspectedDeaths: _suspect, ...kept } = before.row
  endHead(mutation, before, { ...kept, status, comment, modifiedAtMs: mutation.nowMs })
  if (status === 'failed') endStranded(mutation, before.row.jobId, comment)
  return true
}

/** Returns the first of those that are ready, of all these types; damaged ones are passed over. */
function firstReady(mutation: Mutation, types: readonly JobType[]): LoadedEvaluation | undefined {
  let first: LoadedEvaluation | undefined
  for (const type of types) {
    const prefix = readyPrefix(type)
    const found = firstUndamaged(mutation, prefix, endOfTuple(prefix))
    if (found === undefined) continue
    if (first === undefined || precedes(found.row, first.row)) first = found
  }
  return first
}

function firstUndamaged(mutation: Mutation, gte: Uint8Array, lt: Uint8Array): LoadedEvaluation | undefined {
  let [found] = mutation.rows.range('index', { gte, lt, limit: 1 })
  while (found !== undefined) {
    const evaluation = putInPlace(mutation, found)
    if (evaluation !== undefined) return evaluation
    ;[found] = mutation.rows.range('index', { gt: found.key, lt, limit: 1 })
  }
  return undefined
}

/** Returns the ready evaluation that a row of the index names, at its place; `undefined` where it names none. */
function putInPlace(mutation: Mutation, { key, value }: KvRow): LoadedEvaluation | undefined {
  const evaluation = findByValue(mutation, value)
  if (evaluation === undefined || isInPlace(key, evaluation.row)) return evaluation
  // One with a damaged key would be found for ever, also when it has ended.
  mutation.removeIndex(key)
  return isWaiting(evaluation.row) && leadAgain(mutation, evaluation) ? evaluation : undefined
}

function lease(
  mutation: Mutation,
  before: LoadedEvaluation,
  incarnation: string,
  request: ClaimRequest,
): Claim {
  const { nowMs, steadyMs } = mutation
  const endMs = steadyMs + request.leaseMs
  mutation.removeIndex(readyKey(before.row))
  const row: EvaluationRow = {
    ...before.row,
    attempt: before.row.attempt + 1,
    lease: {
      holder: request.holder,
      expiresSteadyMs: endMs,
      incarnation,
      givenSteadyMs: steadyMs,
      ...(request.scheduler === true ? { isLossFree: true } : {}),
    },
    modifiedAtMs: nowMs,
  }
  const after = writeEvaluation(mutation, before, { ...before, row })
  mutation.putIndex(leasedKey(after, endMs))
  return {
    lease: {
      evaluationId: after.id,
      attempt: row.attempt,
      expiresAtMs: nowMs + request.leaseMs,
      incarnation,
    },
    evaluation: toEvaluation(after.id, row, mutation.aheadMs),
  }
}

function promoteWaiting(mutation: Mutation): void {
  const due = mutation.rows.range('index', {
    gte: tuple(INDEX.evaluationWaiting),
    lt: tuple(INDEX.evaluationWaiting, mutation.steadyMs + 1),
    limit: STEP_ROWS,
  })
  promoteDue(mutation, due)
}

function releaseExpired(mutation: Mutation, maxAttempts: number): void {
  const expired = mutation.rows.keys('index', {
    gte: tuple(INDEX.evaluationLeased),
    lt: tuple(INDEX.evaluationLeased, mutation.steadyMs + 1),
    limit: STEP_ROWS,
  })
  for (const key of expired) {
    const evaluation = findByKey(mutation, key)
    if (evaluation === undefined) continue
    mutation.removeIndex(key)
    const expiresAtMs = evaluation.row.lease?.expiresSteadyMs
    if (expiresAtMs === undefined) continue
    const place = leasedKey(evaluation, expiresAtMs)
    if (expiresAtMs > mutation.steadyMs) {
      // Its key is damaged.
      mutation.putIndex(place)
      continue
    }
    mutation.removeIndex(place)
    giveBack(mutation, { before: evaluation, row: evaluation.row }, 0, maxAttempts, 'the lease ran out')
  }
}

/** Prolongs a lease from now. */
export function extendLease(mutation: Mutation, token: LeaseToken, leaseMs: number): LeaseToken {
  checkInteger('lease time in milliseconds (leaseMs)', leaseMs, 1, MAX_LEASE_MS)
  const before = holdLease(mutation, token)
  const endMs = mutation.steadyMs + leaseMs
  mutation.removeIndex(leasedKey(before, before.row.lease.expiresSteadyMs))
  const row: EvaluationRow = {
    ...before.row,
    lease: { ...before.row.lease, expiresSteadyMs: endMs },
    modifiedAtMs: mutation.nowMs,
  }
  const after = writeEvaluation(mutation, before, { ...before, row })
  mutation.putIndex(leasedKey(after, endMs))
  return { ...token, expiresAtMs: mutation.nowMs + leaseMs }
}

/** Ends the evaluation that a lease is for, or one that nobody holds. */
export function completeEvaluation(
  mutation: Mutation,
  token: LeaseToken | Unclaimed,
  status: (typeof ENDS_OF_WORK)[number],
  comment: string | undefined,
): LoadedEvaluation {
  checkChoice('end of an evaluation', status, ENDS_OF_WORK)
  const { before, row } = takeUp(mutation, token)
  const { lease: _lease, suspectedDeaths: _suspect, comment: old, ...kept } = row
  const text = cutMessage(comment ?? old ?? '', 'comment')
  endHead(mutation, before, {
    ...kept,
    status,
    modifiedAtMs: mutation.nowMs,
    ...(text === '' ? {} : { comment: text }),
  })
  return before
}

/** What gives an evaluation back. */
export interface RetryRequest {
  readonly delayMs: number
  readonly maxAttempts: number
  readonly comment: string
  readonly exhausted?: ExhaustedJob
}

/** Gives an evaluation back for later, or fails it after its last attempt. Returns what became of it. */
export function retryEvaluation(
  mutation: Mutation,
  token: LeaseToken | Unclaimed,
  retry: RetryRequest,
): EvaluationStatus {
  checkInteger('delay in milliseconds (delayMs)', retry.delayMs, 0, MAX_DELAY_MS)
  checkInteger('most attempts (maxAttempts)', retry.maxAttempts, 1, MOST_ATTEMPTS)
  const comment = cutMessage(retry.comment, 'comment')
  const work = takeUp(mutation, token)
  return giveBack(mutation, work, retry.delayMs, retry.maxAttempts, comment, retry.exhausted)
}

function giveBack(
  mutation: Mutation,
  { before, row: worked }: Work,
  delayMs: number,
  maxAttempts: number,
  comment: string,
  exhausted?: ExhaustedJob,
): EvaluationStatus {
  const { lease: _lease, suspectedDeaths: _suspect, ...kept } = worked
  const row: EvaluationRow = { ...kept, comment, modifiedAtMs: mutation.nowMs }
  if (kept.attempt >= maxAttempts) {
    endHead(mutation, before, { ...row, status: 'failed' })
    if (exhausted === undefined) endStranded(mutation, row.jobId, comment)
    else moveExhausted(mutation, row.jobId, exhausted)
    return 'failed'
  }
  returnHead(mutation, before, { ...row, dueSteadyMs: mutation.steadyMs + delayMs })
  return 'pending'
}

/** An evaluation as it stands, and as whoever works on it sees it. */
interface Work {
  readonly before: LoadedEvaluation
  readonly row: EvaluationRow
}

/**
 * Takes an evaluation out of the queue for whoever holds it, or needs no lease. Throws `TypeError`, or `LEASE_LOST`.
 */
function takeUp(mutation: Mutation, token: LeaseToken | Unclaimed): Work {
  requireObject('lease', token)
  if (!('unclaimed' in token)) {
    const before = holdLease(mutation, token)
    mutation.removeIndex(leasedKey(before, before.row.lease.expiresSteadyMs))
    return { before, row: before.row }
  }
  if (token.unclaimed !== true)
    throw wrongType('field unclaimed of a lease', 'true or absent', token.unclaimed)
  requireText('evaluation id', token.evaluationId)
  const before = findEvaluation(mutation.rows, token.evaluationId)
  if (before === undefined || !isReady(mutation, before)) throw leaseLost(token.evaluationId, before)
  mutation.removeIndex(readyKey(before.row))
  return { before, row: { ...before.row, attempt: before.row.attempt + 1 } }
}

/** Brings the queue up to the time, as a claim does, and the first of each type that are ready to their places. */
export function tidyQueue(mutation: Mutation, types: readonly JobType[]): void {
  catchUp(mutation, DEFAULT_MAX_ATTEMPTS)
  for (const type of types) {
    const prefix = readyPrefix(type)
    const rows = mutation.rows.range('index', { gte: prefix, lt: endOfTuple(prefix), limit: STEP_ROWS })
    for (const row of rows) putInPlace(mutation, row)
  }
}

/** Leases that ran out are given back, and what waited until now is ready. */
function catchUp(mutation: Mutation, maxAttempts: number): void {
  releaseExpired(mutation, maxAttempts)
  promoteWaiting(mutation)
}

/** An evaluation whose lease is the presented one. */
type HeldEvaluation = LoadedEvaluation & {
  readonly row: EvaluationRow & { readonly lease: LeaseRow }
}

/** Checks a lease. Throws `TypeError`, or `LEASE_LOST`. */
function holdLease(mutation: Mutation, token: LeaseToken): HeldEvaluation {
  requireObject('lease', token)
  requireText('evaluation id of a lease', token.evaluationId)
  requireText('incarnation of a lease', token.incarnation)
  if (typeof token.attempt !== 'number') throw wrongType('attempt of a lease', 'a number', token.attempt)
  const found = findEvaluation(mutation.rows, token.evaluationId)
  const held = found?.row.lease
  if (
    found !== undefined &&
    held !== undefined &&
    !isReclaimed(mutation.rows, found.row) &&
    held.incarnation === token.incarnation &&
    found.row.attempt === token.attempt &&
    held.expiresSteadyMs > mutation.steadyMs
  ) {
    return found as HeldEvaluation
  }
  throw leaseLost(token.evaluationId, found, token.attempt)
}

function leaseLost(id: string, found: LoadedEvaluation | undefined, attempt?: number): StoreError {
  const actual = found?.row.attempt
  return new StoreError('LEASE_LOST', `${whyLost(id, found, attempt)}: it is no longer yours`, {
    id,
    ...(attempt === undefined || attempt === actual ? {} : { expected: attempt }),
    ...(actual === undefined || attempt === actual ? {} : { actual }),
    hint:
      found?.row.status === 'pending'
        ? 'drop what was decided; whoever works on it next decides anew'
        : 'drop what was decided; nothing is to be decided any more',
  })
}

function whyLost(id: string, found: LoadedEvaluation | undefined, attempt: number | undefined): string {
  if (found === undefined) return `there is no evaluation ${id} any more`
  if (found.row.status !== 'pending') return `evaluation ${id} has ended as ${found.row.status}`
  if (attempt === undefined) return `evaluation ${id} is not the next of its job, or is worked on`
  return `the lease on evaluation ${id} ran out or was given to another`
}
