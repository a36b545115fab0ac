import { StoreError } from '../errors.ts'
import { decodeId, decodeIdTuple, decodeTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import type { EvaluationStatus, LeaseToken } from '../model/evaluation.ts'
import { JOB_TYPES, type JobType } from '../model/job.ts'
import { requireObject } from '../store/argument-types.ts'
import { checkChoice, checkChoices, checkInteger, checkText, cutMessage } from '../store/limits.ts'
import type { Mutation } from '../store/mutation.ts'
import { INDEX } from '../store/tables.ts'
import { endHead, promoteDue, returnHead } from './evaluation-queue.ts'
import {
  type EvaluationRow,
  findEvaluation,
  findUndamaged,
  type LoadedEvaluation,
  leasedKey,
  readyKey,
  readyPrefix,
  toEvaluation,
  writeEvaluation,
} from './evaluation-row.ts'
import { isReclaimed } from './execution-row.ts'
import type { Claim } from './job-store.ts'

const MAX_LEASE_MS = 24 * 60 * 60 * 1_000
const STEP_ROWS = 100

/** What a claim asks for. */
export interface ClaimRequest {
  readonly holder: string
  readonly leaseMs: number
  readonly jobTypes?: readonly JobType[]
  readonly maxAttempts?: number
}

const DEFAULT_MAX_ATTEMPTS = 10
const MOST_ATTEMPTS = 1_000_000
const ENDS_OF_WORK = ['complete', 'canceled'] as const

/** Claims the next evaluation; `null` where nothing is due. */
export function claimEvaluation(
  mutation: Mutation,
  incarnation: string,
  request: ClaimRequest,
): Claim | null {
  checkText('holder', request.holder)
  checkInteger('lease time in milliseconds', request.leaseMs, 1, MAX_LEASE_MS)
  const { jobTypes = JOB_TYPES, maxAttempts = DEFAULT_MAX_ATTEMPTS } = request
  checkChoices('job type', jobTypes, JOB_TYPES)
  checkInteger('most attempts', maxAttempts, 1, MOST_ATTEMPTS)
  releaseExpired(mutation, maxAttempts)
  promoteWaiting(mutation)
  const first = firstReady(mutation, jobTypes)
  return first === undefined ? null : lease(mutation, first, incarnation, request)
}

/** Returns the first of those that are ready, of all these types; damaged ones are passed over. */
function firstReady(mutation: Mutation, types: readonly JobType[]): LoadedEvaluation | undefined {
  let first: { readonly order: Uint8Array; readonly evaluation: LoadedEvaluation } | undefined
  for (const type of types) {
    const prefix = readyPrefix(type)
    const lt = endOfTuple(prefix)
    let [row] = mutation.rows.range('index', { gte: prefix, lt, limit: 1 })
    while (row !== undefined) {
      const order = row.key.subarray(prefix.length)
      if (first !== undefined && Buffer.compare(first.order, order) <= 0) break
      const evaluation = findUndamaged(mutation, decodeIdTuple('v', row.value))
      if (evaluation !== undefined) {
        first = { order, evaluation }
        break
      }
      ;[row] = mutation.rows.range('index', { gt: row.key, lt, limit: 1 })
    }
  }
  return first?.evaluation
}

function lease(
  mutation: Mutation,
  before: LoadedEvaluation,
  incarnation: string,
  request: ClaimRequest,
): Claim {
  const expiresAtMs = mutation.nowMs + request.leaseMs
  mutation.removeIndex(readyKey(before.row))
  const row: EvaluationRow = {
    ...before.row,
    a: before.row.a + 1,
    l: { h: request.holder, x: expiresAtMs, i: incarnation },
    md: mutation.nowMs,
  }
  const after = writeEvaluation(mutation, before, { ...before, row })
  mutation.putIndex(leasedKey(after, expiresAtMs))
  return {
    lease: { evaluationId: after.id, attempt: row.a, expiresAtMs, incarnation },
    evaluation: toEvaluation(after.id, row),
  }
}

function promoteWaiting(mutation: Mutation): void {
  const due = mutation.rows.range('index', {
    gte: tuple(INDEX.evaluationWaiting),
    lt: tuple(INDEX.evaluationWaiting, mutation.nowMs + 1),
    limit: STEP_ROWS,
  })
  promoteDue(mutation, due)
}

function releaseExpired(mutation: Mutation, maxAttempts: number): void {
  const expired = mutation.rows.keys('index', {
    gte: tuple(INDEX.evaluationLeased),
    lt: tuple(INDEX.evaluationLeased, mutation.nowMs + 1),
    limit: STEP_ROWS,
  })
  for (const key of expired) {
    const evaluation = findUndamaged(mutation, decodeId('v', decodeTuple(key)[2]))
    if (evaluation === undefined || evaluation.row.l === undefined) continue
    mutation.removeIndex(key)
    giveBack(mutation, evaluation, mutation.nowMs, maxAttempts, 'the lease ran out')
  }
}

/** Voids leases that an earlier incarnation gave, at most 100; their claim does not count. Returns how many there were. */
export function voidForeignLeases(mutation: Mutation, incarnation: string): number {
  const keys = mutation.rows.keys('index', {
    gte: tuple(INDEX.evaluationLeased),
    lt: tuple(INDEX.evaluationLeased + 1),
    limit: STEP_ROWS,
  })
  let voided = 0
  for (const key of keys) {
    const evaluation = findUndamaged(mutation, decodeId('v', decodeTuple(key)[2]))
    if (evaluation?.row.l === undefined || evaluation.row.l.i === incarnation) continue
    mutation.removeIndex(key)
    const { l: _lease, ...kept } = evaluation.row
    returnHead(mutation, evaluation, { ...kept, a: kept.a - 1, due: mutation.nowMs, md: mutation.nowMs })
    voided += 1
  }
  return voided
}

/** Prolongs a lease from now. */
export function extendLease(mutation: Mutation, token: LeaseToken, leaseMs: number): LeaseToken {
  checkInteger('lease time in milliseconds', leaseMs, 1, MAX_LEASE_MS)
  const before = holdLease(mutation, token)
  const expiresAtMs = mutation.nowMs + leaseMs
  mutation.removeIndex(leasedKey(before, before.row.l.x))
  const row = { ...before.row, l: { ...before.row.l, x: expiresAtMs }, md: mutation.nowMs }
  const after = writeEvaluation(mutation, before, { ...before, row })
  mutation.putIndex(leasedKey(after, expiresAtMs))
  return { ...token, expiresAtMs }
}

/** Ends the evaluation that a lease is for. */
export function completeEvaluation(
  mutation: Mutation,
  token: LeaseToken,
  status: (typeof ENDS_OF_WORK)[number],
  comment: string | undefined,
): LoadedEvaluation {
  checkChoice('end of an evaluation', status, ENDS_OF_WORK)
  const before = holdLease(mutation, token)
  mutation.removeIndex(leasedKey(before, before.row.l.x))
  const { l: _lease, cm, ...kept } = before.row
  const text = cutMessage(comment ?? cm ?? '', 'comment')
  endHead(mutation, before, {
    ...kept,
    st: status,
    md: mutation.nowMs,
    ...(text === '' ? {} : { cm: text }),
  })
  return before
}

/** Gives an evaluation back for later, or fails it after its last attempt. Returns what became of it. */
export function retryEvaluation(
  mutation: Mutation,
  token: LeaseToken,
  retry: { readonly delayMs: number; readonly maxAttempts: number; readonly comment: string },
): EvaluationStatus {
  checkInteger('delay in milliseconds', retry.delayMs, 0, 365 * MAX_LEASE_MS)
  checkInteger('most attempts', retry.maxAttempts, 1, MOST_ATTEMPTS)
  const comment = cutMessage(retry.comment, 'comment')
  const before = holdLease(mutation, token)
  mutation.removeIndex(leasedKey(before, before.row.l.x))
  return giveBack(mutation, before, mutation.nowMs + retry.delayMs, retry.maxAttempts, comment)
}

function giveBack(
  mutation: Mutation,
  before: LoadedEvaluation,
  dueMs: number,
  maxAttempts: number,
  comment: string,
): EvaluationStatus {
  const { l: _lease, ...kept } = before.row
  const row = { ...kept, cm: comment, md: mutation.nowMs }
  if (kept.a >= maxAttempts) {
    endHead(mutation, before, { ...row, st: 'failed' })
    return 'failed'
  }
  returnHead(mutation, before, { ...row, due: dueMs })
  return 'pending'
}

/** An evaluation whose lease is the presented one. */
type HeldEvaluation = LoadedEvaluation & {
  readonly row: EvaluationRow & { readonly l: NonNullable<EvaluationRow['l']> }
}

/** Checks a lease. Throws `TypeError`, or `LEASE_LOST`. */
function holdLease(mutation: Mutation, token: LeaseToken): HeldEvaluation {
  requireObject('lease', token)
  const found = findEvaluation(mutation.rows, token.evaluationId)
  const held = found?.row.l
  if (
    found !== undefined &&
    held !== undefined &&
    !isReclaimed(mutation.rows, found.row) &&
    held.i === token.incarnation &&
    found.row.a === token.attempt &&
    held.x > mutation.nowMs
  ) {
    return found as HeldEvaluation
  }
  throw new StoreError('LEASE_LOST', `the lease on evaluation ${token.evaluationId} is no longer held`, {
    id: token.evaluationId,
    expected: token.attempt,
    ...(found === undefined ? {} : { actual: found.row.a }),
    hint: 'drop what was decided; whoever claims it next decides anew',
  })
}
