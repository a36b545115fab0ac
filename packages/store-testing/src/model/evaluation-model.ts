import {
  type Claim,
  type Evaluation,
  EXECUTION_MACHINE,
  type Execution,
  JOB_MACHINE,
  JOB_TYPES,
  type Job,
  type JobType,
  type LeaseToken,
  type NewEvaluation,
  type Plan,
} from '@saltcod/store-core'
import type { JobModelState } from './job-model-state.ts'
import { Refusal } from './refusal.ts'

type Hold = Plan['lease']

/** Claims after which leases that run out fail their evaluation. */
const MAX_CLAIMS = 10

/** The queue of evaluations over the state of a model, at one moment. */
export class EvaluationModel {
  readonly #state: JobModelState
  readonly #nowMs: number

  readonly #endJob: (jobId: string, message: string) => void

  /** `endJob` fails a job that has not ended. */
  constructor(state: JobModelState, nowMs: number, endJob: (jobId: string, message: string) => void) {
    this.#state = state
    this.#nowMs = nowMs
    this.#endJob = endJob
  }

  /** Adds an evaluation and returns its id, or that of one that will do instead. */
  add(job: Job, request: NewEvaluation & { readonly id: string }): string {
    const state = this.#state
    state.sequence += 1
    const made: Evaluation = {
      id: request.id,
      jobId: job.id,
      namespace: job.namespace,
      jobType: job.type,
      priority: request.priority ?? job.priority,
      trigger: request.trigger,
      status: 'pending',
      comment: request.comment ?? '',
      dueAtMs: request.dueAtMs ?? this.#nowMs + (request.delayMs ?? 0),
      attempt: 0,
      lostLeases: 0,
      lease: null,
      sequence: state.sequence,
      createdAtMs: this.#nowMs,
      modifiedAtMs: this.#nowMs,
    }
    if (request.coalesce === true) {
      const other = this.#substitute(made)
      if (other !== undefined) return other.id
    }
    const left = [...state.deleted.values()].some(({ evaluations }) => evaluations.includes(made.id))
    if (left || state.evaluations.has(made.id)) throw new Refusal('EVALUATION_ALREADY_EXISTS')
    state.evaluations.set(made.id, made)
    this.#place(made)
    return made.id
  }

  /** Claims the next evaluation; `incarnation` is only known to the store. */
  claim(
    holder: string,
    leaseMs: number,
    types: readonly JobType[] | undefined,
    incarnation: string,
  ): Claim | null {
    this.#catchUp()
    let best: Evaluation | undefined
    do {
      best = this.#ready()
        .filter(({ jobType }) => types === undefined || types.includes(jobType))
        .sort(inOrder)[0]
      if (best === undefined) return null
    } while (this.#endHopeless(best))
    const attempt = best.attempt + 1
    const lease: LeaseToken = {
      evaluationId: best.id,
      attempt,
      expiresAtMs: this.#nowMs + leaseMs,
      incarnation,
    }
    const evaluation = this.#replace(best, { attempt, lease: { ...lease, holder } })
    return { lease, evaluation }
  }

  /** What a scheduler would claim next. */
  next(types: readonly JobType[] = JOB_TYPES, limit = 100): Evaluation[] {
    this.#catchUp()
    return this.#ready()
      .filter(({ jobType }) => types.includes(jobType))
      .sort(inOrder)
      .slice(0, limit)
  }

  #catchUp(): void {
    for (const evaluation of this.#pending()) {
      if (evaluation.lease === null || evaluation.lease.expiresAtMs > this.#nowMs) continue
      this.#giveBack(evaluation, 0, MAX_CLAIMS, 'the lease ran out')
    }
    for (const evaluation of this.#pending()) if (!this.#state.due.has(evaluation.id)) this.#place(evaluation)
  }

  /** Prolongs a lease. */
  extend(token: LeaseToken, leaseMs: number): LeaseToken {
    const held = this.#held(token)
    const expiresAtMs = this.#nowMs + leaseMs
    this.#replace(held, { lease: { ...held.lease, expiresAtMs } })
    return { ...token, expiresAtMs }
  }

  /** Ends an evaluation and returns its job. */
  complete(token: Hold, status: 'complete' | 'canceled', comment: string | undefined): string {
    const held = this.#takeUp(token)
    this.#replace(held, { status, lease: null, comment: comment ?? held.comment })
    return held.jobId
  }

  /** Gives an evaluation back, or fails it. */
  retry(token: Hold, delayMs: number, maxAttempts: number, comment: string): 'pending' | 'failed' {
    return this.#giveBack(this.#takeUp(token), delayMs, maxAttempts, comment)
  }

  /** Moves due times and leases with the clock when it is set. */
  followClock(byMs: number): void {
    for (const evaluation of this.#state.evaluations.values()) {
      const { id, lease, dueAtMs } = evaluation
      const moved = lease === null ? null : { ...lease, expiresAtMs: lease.expiresAtMs + byMs }
      this.#state.evaluations.set(id, { ...evaluation, dueAtMs: dueAtMs + byMs, lease: moved })
    }
  }

  /** Voids all leases, as opening again does. */
  voidLeases(): void {
    for (const evaluation of this.#pending()) {
      if (evaluation.lease === null) continue
      this.#place(
        this.#replace(evaluation, { lease: null, attempt: evaluation.attempt - 1, dueAtMs: this.#nowMs }),
      )
    }
  }

  /** Removes what ended long enough ago and returns how many. */
  trim(olderThanMs: number): number {
    const before = Math.max(0, this.#nowMs - olderThanMs)
    const old = [...this.#state.evaluations.values()].filter(
      ({ status, modifiedAtMs }) => status !== 'pending' && modifiedAtMs < before,
    )
    for (const { id } of old) this.#state.evaluations.delete(id)
    return old.length
  }

  /** When work is due next. */
  nextMs(): number | null {
    const times: number[] = []
    for (const { id, lease, dueAtMs } of this.#pending()) {
      if (lease !== null) times.push(lease.expiresAtMs)
      else if (!this.#state.due.has(id)) times.push(dueAtMs)
    }
    for (const type of JOB_TYPES) {
      const first = this.#ready().find(({ jobType }) => jobType === type)
      if (first !== undefined) times.push(Math.min(first.dueAtMs, this.#nowMs))
    }
    return times.length === 0 ? null : Math.min(...times)
  }

  #takeUp(token: Hold): Evaluation {
    if (!('unclaimed' in token)) return this.#held(token)
    const found = this.#ready().find(({ id }) => id === token.evaluationId)
    if (found === undefined) throw new Refusal('LEASE_LOST')
    return { ...found, attempt: found.attempt + 1 }
  }

  #held(token: LeaseToken): Evaluation & { readonly lease: NonNullable<Evaluation['lease']> } {
    const found = this.#state.evaluations.get(token.evaluationId)
    const lease = found?.lease
    const holds =
      lease != null &&
      lease.incarnation === token.incarnation &&
      lease.attempt === token.attempt &&
      lease.expiresAtMs > this.#nowMs
    if (found === undefined || !holds) throw new Refusal('LEASE_LOST')
    return { ...found, lease }
  }

  #giveBack(before: Evaluation, delayMs: number, maxAttempts: number, comment: string): 'pending' | 'failed' {
    const failed = before.attempt >= maxAttempts
    const dueAtMs = this.#nowMs + delayMs
    this.#place(
      this.#replace(before, { lease: null, comment, ...(failed ? { status: 'failed' } : { dueAtMs }) }),
    )
    if (failed) this.#endStranded(before.jobId, comment)
    return failed ? 'failed' : 'pending'
  }

  /** Ends one whose job has ended or is overdue. */
  #endHopeless(evaluation: Evaluation): boolean {
    const job = this.#state.jobs.get(evaluation.jobId)
    if (job === undefined) return false
    if (JOB_MACHINE.terminal.has(job.state)) {
      this.#replace(evaluation, { status: 'canceled', comment: `the job is ${job.state}` })
      return true
    }
    if (job.deadlineAtMs === null || job.deadlineAtMs > this.#nowMs) return false
    const comment = 'the deadline of the job has passed'
    this.#replace(evaluation, { status: 'failed', comment })
    this.#endStranded(job.id, comment)
    return true
  }

  /** Ends the job of an execution that has ended, where its newest evaluation has failed. */
  endLeftBehind({ jobId, state }: Execution): void {
    if (!EXECUTION_MACHINE.terminal.has(state)) return
    const newest = [...this.#state.evaluations.values()]
      .filter((evaluation) => evaluation.jobId === jobId)
      .sort((a, b) => b.sequence - a.sequence)[0]
    if (newest?.status === 'failed') this.#endStranded(jobId, newest.comment)
  }

  #endStranded(jobId: string, comment: string): void {
    const job = this.#state.jobs.get(jobId)
    if (job === undefined || JOB_MACHINE.terminal.has(job.state)) return
    if (this.#pending().some((other) => other.jobId === jobId)) return
    const lives = [...this.#state.executions.values()].some(
      (execution) => execution.jobId === jobId && !EXECUTION_MACHINE.terminal.has(execution.state),
    )
    if (!lives) this.#endJob(jobId, `given up: ${comment}`)
  }

  #replace(before: Evaluation, changes: Partial<Evaluation>): Evaluation {
    const after = { ...before, ...changes, modifiedAtMs: this.#nowMs }
    this.#state.evaluations.set(after.id, after)
    return after
  }

  #pending(): Evaluation[] {
    return [...this.#state.evaluations.values()].filter(({ status }) => status === 'pending')
  }

  /** Finds out whether an evaluation is due; once it was, it stays so where the clock goes back a little. */
  #place({ id, dueAtMs }: Evaluation): void {
    if (dueAtMs <= this.#nowMs) this.#state.due.add(id)
    else this.#state.due.delete(id)
  }

  /** The first of each job that nobody works on. */
  #ready(): Evaluation[] {
    const held = new Set(this.#pending().flatMap(({ lease, jobId }) => (lease === null ? [] : [jobId])))
    const firsts = new Map<string, Evaluation>()
    for (const evaluation of this.#pending().sort(inOrder)) {
      const { id, jobId } = evaluation
      if (!this.#state.due.has(id) || held.has(jobId) || firsts.has(jobId)) continue
      firsts.set(jobId, evaluation)
    }
    return [...firsts.values()]
  }

  #substitute(made: Evaluation): Evaluation | undefined {
    const head = this.#ready().find(({ jobId }) => jobId === made.jobId)
    const others = this.#pending().filter(
      ({ id, jobId, lease }) => jobId === made.jobId && lease === null && id !== head?.id,
    )
    const due = others.filter(({ id }) => this.#state.due.has(id)).sort(inOrder)
    const later = others
      .filter(({ id }) => !this.#state.due.has(id))
      .sort((a, b) => a.dueAtMs - b.dueAtMs || a.sequence - b.sequence)
    return [...due, ...later].find(
      ({ dueAtMs, priority }) => dueAtMs <= made.dueAtMs && priority >= made.priority,
    )
  }
}

/** The order in which what is due is worked on. */
function inOrder(a: Evaluation, b: Evaluation): number {
  return b.priority - a.priority || a.dueAtMs - b.dueAtMs || a.sequence - b.sequence
}
