import type { Claim } from '../../jobs/job-store.ts'
import type { Evaluation, LeaseToken, NewEvaluation } from '../../model/evaluation.ts'
import type { Job, JobType } from '../../model/job.ts'
import type { JobModelState } from './job-model-state.ts'
import { Refusal } from './refusal.ts'

/** Claims after which leases that run out fail their evaluation. */
const MAX_CLAIMS = 10

/** The queue of evaluations over the state of a model, at one moment. */
export class EvaluationModel {
  readonly #state: JobModelState
  readonly #nowMs: number

  constructor(state: JobModelState, nowMs: number) {
    this.#state = state
    this.#nowMs = nowMs
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
      dueAtMs: request.dueAtMs ?? this.#nowMs,
      attempt: 0,
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
    const head = this.#head(job.id)
    if (head === undefined || (head.lease === null && this.#precedes(made, head))) this.#lead(made)
    return made.id
  }

  /** Removes an evaluation that nobody holds. */
  remove(id: string): void {
    const evaluation = this.#state.evaluations.get(id)
    if (evaluation === undefined) throw new Refusal('EVALUATION_NOT_FOUND')
    if (evaluation.lease !== null) throw new Refusal('LEASE_LOST')
    this.#state.evaluations.delete(id)
    if (this.#state.heads.get(evaluation.jobId)?.id === id) this.#next(evaluation.jobId)
  }

  /** Claims the next evaluation; `incarnation` is only known to the store. */
  claim(
    holder: string,
    leaseMs: number,
    types: readonly JobType[] | undefined,
    incarnation: string,
  ): Claim | null {
    for (const evaluation of this.#pending()) {
      if (evaluation.lease === null || evaluation.lease.expiresAtMs > this.#nowMs) continue
      this.#giveBack(evaluation, this.#nowMs, MAX_CLAIMS, 'the lease ran out')
    }
    this.#promote()
    const [best] = this.#ready().filter(({ jobType }) => types === undefined || types.includes(jobType))
    if (best === undefined) return null
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

  /** Prolongs a lease. */
  extend(token: LeaseToken, leaseMs: number): LeaseToken {
    const held = this.#held(token)
    const expiresAtMs = this.#nowMs + leaseMs
    this.#replace(held, { lease: { ...held.lease, expiresAtMs } })
    return { ...token, expiresAtMs }
  }

  /** Ends an evaluation and returns its job. */
  complete(token: LeaseToken, status: 'complete' | 'canceled', comment: string | undefined): string {
    const held = this.#held(token)
    this.#replace(held, { status, lease: null, comment: comment ?? held.comment })
    this.#next(held.jobId)
    return held.jobId
  }

  /** Gives an evaluation back, or fails it. */
  retry(token: LeaseToken, delayMs: number, maxAttempts: number, comment: string): 'pending' | 'failed' {
    return this.#giveBack(this.#held(token), this.#nowMs + delayMs, maxAttempts, comment)
  }

  /** Voids all leases, as opening again does. */
  voidLeases(): void {
    for (const evaluation of this.#pending()) {
      if (evaluation.lease === null) continue
      this.#replace(evaluation, { lease: null, attempt: evaluation.attempt - 1, dueAtMs: this.#nowMs })
      this.#next(evaluation.jobId)
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
    const heads = [...this.#state.heads.values()]
    const times: number[] = []
    for (const { id, ready } of heads) {
      const head = this.#state.evaluations.get(id)
      if (head === undefined) continue
      if (head.lease !== null) times.push(head.lease.expiresAtMs)
      else if (!ready) times.push(head.dueAtMs)
    }
    const [first] = this.#ready()
    if (first !== undefined) times.push(first.dueAtMs)
    return times.length === 0 ? null : Math.min(...times)
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

  #giveBack(before: Evaluation, dueAtMs: number, maxAttempts: number, comment: string): 'pending' | 'failed' {
    const failed = before.attempt >= maxAttempts
    this.#replace(before, { lease: null, comment, ...(failed ? { status: 'failed' } : { dueAtMs }) })
    this.#next(before.jobId)
    return failed ? 'failed' : 'pending'
  }

  #replace(before: Evaluation, changes: Partial<Evaluation>): Evaluation {
    const after = { ...before, ...changes, modifiedAtMs: this.#nowMs }
    this.#state.evaluations.set(after.id, after)
    return after
  }

  #pending(): Evaluation[] {
    return [...this.#state.evaluations.values()].filter(({ status }) => status === 'pending')
  }

  #head(jobId: string): Evaluation | undefined {
    return this.#state.evaluations.get(this.#state.heads.get(jobId)?.id ?? '')
  }

  #lead(evaluation: Evaluation): void {
    const { id, jobId, dueAtMs } = evaluation
    this.#state.heads.set(jobId, { id, ready: dueAtMs <= this.#nowMs })
  }

  /** Chooses a job's next head among all that wait. */
  #next(jobId: string): void {
    this.#state.heads.delete(jobId)
    const [best] = this.#pending()
      .filter((evaluation) => evaluation.jobId === jobId)
      .sort((a, b) => (this.#precedes(a, b) ? -1 : 1))
    if (best !== undefined) this.#lead(best)
  }

  #promote(): void {
    for (const [jobId, { id, ready }] of this.#state.heads) {
      const head = this.#state.evaluations.get(id)
      if (ready || head === undefined || head.lease !== null || head.dueAtMs > this.#nowMs) continue
      this.#state.heads.set(jobId, { id, ready: true })
    }
  }

  #ready(): Evaluation[] {
    return [...this.#state.heads.values()]
      .filter(({ ready }) => ready)
      .map(({ id }) => this.#state.evaluations.get(id))
      .filter((head): head is Evaluation => head !== undefined && head.lease === null)
      .sort((a, b) => b.priority - a.priority || a.dueAtMs - b.dueAtMs || a.sequence - b.sequence)
  }

  #precedes(a: Evaluation, b: Evaluation): boolean {
    const [dueA, dueB] = [a.dueAtMs <= this.#nowMs, b.dueAtMs <= this.#nowMs]
    if (dueA !== dueB) return dueA
    if (dueA && a.priority !== b.priority) return a.priority > b.priority
    return a.dueAtMs !== b.dueAtMs ? a.dueAtMs < b.dueAtMs : a.sequence < b.sequence
  }

  #substitute(made: Evaluation): Evaluation | undefined {
    const head = this.#head(made.jobId)
    if (head === undefined) return undefined
    const others = this.#pending()
      .filter(({ jobId, id }) => jobId === made.jobId && id !== head.id)
      .sort((a, b) => a.dueAtMs - b.dueAtMs || a.sequence - b.sequence)
    return [head, ...others].find(
      ({ lease, dueAtMs, priority }) =>
        lease === null && dueAtMs <= made.dueAtMs && priority >= made.priority,
    )
  }
}
