import {
  type Evaluation,
  EXECUTION_MACHINE,
  type Execution,
  type ExecutionReport,
  JOB_MACHINE,
  type Job,
  type JobState,
  type NewEvaluation,
  type NewExecution,
  type Plan,
  type ReportOutcome,
  type ReviseJob,
  type SubmitJob,
  type TransitionJob,
  type UpdateExecution,
} from '@saltcod/store-core'
import { EvaluationModel } from './evaluation-model.ts'
import { JobModelState, type ModelEntry } from './job-model-state.ts'
import { NodeModel } from './node-model.ts'
import { expectMove, Refusal, refuseReason } from './refusal.ts'

/** An evaluation whose id the caller chose, so that model and store agree on it. */
export type NamedEvaluation = NewEvaluation & { readonly id: string }

/** An execution whose id the caller chose. */
export type NamedExecution = NewExecution & { readonly id: string }

/** A job store in plain maps: what a real one must do, without any way of doing it fast or durably. */
export class JobModel {
  state: JobModelState = new JobModelState()
  nowMs = 0
  /** By how much a clock that was never set would be ahead. */
  aheadMs = 0

  /** Carries a change out wholly or, where it is refused, not at all. */
  change<T>(body: () => T): T {
    const before = this.state
    this.state = before.copy()
    try {
      return body()
    } catch (error) {
      this.state = before
      throw error
    }
  }

  /** Moves all that somebody waits for, or counts from, with the clock when it is set. */
  followClock(byMs: number): void {
    const { jobs, executions } = this.state
    this.aheadMs -= byMs
    for (const job of jobs.values()) jobs.set(job.id, movedBy(byMs, job))
    for (const execution of executions.values()) executions.set(execution.id, movedBy(byMs, execution))
    this.evaluations.followClock(byMs)
    this.nodes.followClock(byMs)
  }

  get nodes(): NodeModel {
    return new NodeModel(this.state, this.nowMs)
  }

  get evaluations(): EvaluationModel {
    return new EvaluationModel(this.state, this.nowMs, (jobId, message) => {
      this.transition({ jobId, to: 'Failed', message })
    })
  }

  submit(request: SubmitJob & { readonly id: string; readonly evaluation: NamedEvaluation | null }): unknown {
    const { id, namespace = 'default', name = id, submitKey, type, spec } = request
    const { jobs, versions, deleted } = this.state
    const definition = {
      name,
      type,
      priority: request.priority ?? 0,
      count: 1,
      labels: request.labels ?? {},
      spec,
    }
    for (const job of jobs.values()) {
      if (submitKey === undefined || job.submitKey !== submitKey || job.namespace !== namespace) continue
      const asked = request.name === undefined ? { ...definition, name: job.name } : definition
      const same = JSON.stringify(versions.get(job.id)?.[0]) === JSON.stringify(asked)
      if (!same) throw new Refusal('SUBMIT_KEY_CONFLICT')
      return { job, evaluationId: null, created: false }
    }
    if (jobs.has(id) || deleted.has(id)) throw new Refusal('JOB_ALREADY_EXISTS')
    if (this.byName(namespace, name) !== undefined) throw new Refusal('JOB_NAME_TAKEN')
    const job: Job = {
      ...definition,
      id,
      namespace,
      version: 1,
      revision: 1,
      state: 'Pending',
      stateMessage: '',
      stateSinceMs: this.nowMs,
      createdAtMs: this.nowMs,
      modifiedAtMs: this.nowMs,
      finishedAtMs: null,
      deadlineAtMs: request.deadlineAtMs ?? null,
      submitKey: submitKey ?? null,
      hold: null,
    }
    jobs.set(id, job)
    versions.set(id, [definition])
    this.#note(id, [null, null, 'Pending', 1, 'Job submitted'])
    const { evaluation } = request
    return { job, evaluationId: evaluation && this.evaluations.add(job, evaluation), created: true }
  }

  revise(request: ReviseJob & { readonly evaluation: NamedEvaluation | null }): unknown {
    const before = this.job(request.jobId)
    expectMove({ ...JOB_MACHINE, terminal: new Set<JobState>() }, before, request, undefined)
    const definition = {
      name: before.name,
      type: before.type,
      priority: request.priority ?? before.priority,
      count: 1,
      labels: request.labels ?? before.labels,
      spec: request.spec ?? before.spec,
    }
    const job: Job = {
      ...before,
      ...definition,
      version: before.version + 1,
      revision: before.revision + 1,
      state: 'Pending',
      stateMessage: '',
      stateSinceMs: this.nowMs,
      modifiedAtMs: this.nowMs,
      finishedAtMs: null,
      deadlineAtMs: request.deadlineAtMs === undefined ? before.deadlineAtMs : request.deadlineAtMs,
    }
    this.state.jobs.set(job.id, job)
    this.state.versions.set(job.id, [...(this.state.versions.get(job.id) ?? []), definition])
    this.#note(job.id, [null, before.state, 'Pending', job.revision, 'Job updated'])
    const { evaluation } = request
    return { job, evaluationId: evaluation && this.evaluations.add(job, evaluation), created: true }
  }

  transition(request: Omit<TransitionJob, 'evaluation'> & { readonly evaluation?: NamedEvaluation }): Job {
    const before = this.job(request.jobId)
    const { to, message = '', deadlineAtMs, evaluation } = request
    expectMove(JOB_MACHINE, before, request, to)
    const state = to ?? before.state
    const ends = JOB_MACHINE.terminal.has(state)
    const job: Job = {
      ...before,
      state,
      stateMessage: message,
      stateSinceMs: to === undefined ? before.stateSinceMs : this.nowMs,
      modifiedAtMs: this.nowMs,
      revision: before.revision + 1,
      finishedAtMs: ends ? this.nowMs : null,
      deadlineAtMs: ends ? null : deadlineAtMs === undefined ? before.deadlineAtMs : deadlineAtMs,
    }
    this.state.jobs.set(job.id, job)
    this.#note(job.id, [null, before.state, state, job.revision, message === '' ? state : message])
    if (evaluation !== undefined) this.evaluations.add(job, evaluation)
    return job
  }

  hold(jobId: string, reason: string | null): Job {
    const before = this.job(jobId)
    const job = { ...before, hold: reason, revision: before.revision + 1, modifiedAtMs: this.nowMs }
    this.state.jobs.set(jobId, job)
    const message = reason === null ? 'Hold released' : `Held: ${reason}`
    this.#note(jobId, [null, job.state, job.state, job.revision, message])
    return job
  }

  delete(jobId: string): void {
    const job = this.job(jobId)
    if (!JOB_MACHINE.terminal.has(job.state)) throw new Refusal('JOB_NOT_TERMINAL')
    if (job.hold !== null) throw new Refusal('JOB_HELD')
    const { jobs, versions, history, executions, evaluations, deleted } = this.state
    const take = (records: Map<string, Execution> | Map<string, Evaluation>): string[] => {
      const ids = [...records.values()].filter((record) => record.jobId === jobId).map(({ id }) => id)
      for (const id of ids) records.delete(id)
      return ids
    }
    deleted.set(jobId, { executions: take(executions), evaluations: take(evaluations) })
    for (const map of [jobs, versions, history]) map.delete(jobId)
  }

  reclaim(): string[] {
    const ids = [...this.state.deleted.keys()]
    this.state.deleted.clear()
    return ids.sort()
  }

  createExecution(request: NamedExecution): Execution {
    const job = this.job(request.jobId)
    const { id, nodeId, state = 'New', desiredState = 'Pending', evaluationId = null } = request
    const left = [...this.state.deleted.values()].some(({ executions }) => executions.includes(id))
    if (left || this.state.executions.has(id)) throw new Refusal('EXECUTION_ALREADY_EXISTS')
    const jobVersion = request.jobVersion ?? job.version
    if (jobVersion > job.version) throw new Refusal('JOB_VERSION_NOT_FOUND')
    const execution: Execution = {
      id,
      jobId: job.id,
      jobVersion,
      namespace: job.namespace,
      nodeId,
      evaluationId,
      partition: null,
      state,
      stateMessage: '',
      stateSinceMs: this.nowMs,
      endReason: null,
      desiredState,
      desiredMessage: '',
      previousExecutionId: null,
      endsBefore: 0,
      resources: null,
      publishedResult: null,
      runOutput: null,
      computeRevision: 0,
      revision: 1,
      createdAtMs: this.nowMs,
      modifiedAtMs: this.nowMs,
      finishedAtMs: null,
      deadlineAtMs: request.deadlineAtMs ?? null,
    }
    this.state.executions.set(id, execution)
    this.#note(job.id, [id, null, state, 1, `Requested execution on ${nodeId}`])
    return execution
  }

  updateExecution(request: UpdateExecution): Execution {
    const before = this.state.executions.get(request.executionId)
    if (before === undefined) throw new Refusal('EXECUTION_NOT_FOUND')
    refuseReason(EXECUTION_MACHINE, request.to, request.endReason ?? null)
    expectMove(EXECUTION_MACHINE, before, request, request.to)
    return this.#changeExecution(before, request, before.computeRevision)
  }

  /** An update that no evaluation follows. */
  updateAlone(request: UpdateExecution): Execution {
    const execution = this.updateExecution(request)
    this.evaluations.endLeftBehind(execution)
    return execution
  }

  record(report: ExecutionReport & { readonly evaluation?: NamedEvaluation }): ReportOutcome {
    refuseReason(EXECUTION_MACHINE, report.to, report.endReason ?? null)
    const before = this.state.executions.get(report.executionId)
    if (before === undefined || before.nodeId !== report.nodeId) return 'unknown'
    const { to, computeRevision, evaluation, ...rest } = report
    if (computeRevision <= before.computeRevision || EXECUTION_MACHINE.terminal.has(before.state))
      return 'stale'
    const moves = to !== undefined && to !== before.state
    if (moves && !EXECUTION_MACHINE.edges[before.state].includes(to)) return 'stale'
    if (report.job !== undefined) this.#moveAlong(before, report.job)
    const execution = this.#changeExecution(before, moves ? { ...rest, to } : rest, computeRevision)
    if (evaluation === undefined) this.evaluations.endLeftBehind(execution)
    else this.evaluations.add(this.job(before.jobId), evaluation)
    return 'applied'
  }

  #moveAlong({ jobId, jobVersion }: Execution, { to, from }: NonNullable<ExecutionReport['job']>): void {
    const { state, version } = this.job(jobId)
    if (version === jobVersion && from.includes(state) && JOB_MACHINE.edges[state].includes(to))
      this.transition({ jobId, to })
  }

  #changeExecution(
    before: Execution,
    {
      to,
      endReason,
      message = '',
      patch = {},
    }: Pick<UpdateExecution, 'to' | 'endReason' | 'message' | 'patch'>,
    computeRevision: number,
  ): Execution {
    const ends = to !== undefined && EXECUTION_MACHINE.terminal.has(to)
    const moved = to === undefined ? {} : { state: to, stateMessage: message, stateSinceMs: this.nowMs }
    const execution: Execution = {
      ...before,
      ...moved,
      ...patch,
      endReason: endReason ?? null,
      finishedAtMs: ends ? this.nowMs : null,
      revision: before.revision + 1,
      modifiedAtMs: this.nowMs,
      computeRevision,
    }
    const final = ends ? { ...execution, deadlineAtMs: null } : execution
    this.state.executions.set(final.id, final)
    const text = to === undefined ? '' : message
    this.#note(final.jobId, [final.id, before.state, final.state, final.revision, text])
    return final
  }

  applyPlan(plan: Plan): unknown {
    const { lease, newExecutions = [], updates = [], followUps = [], job: move } = plan
    const jobId = this.evaluations.complete(lease, 'complete', plan.comment)
    if (move !== undefined) this.transition({ ...move, jobId })
    for (const update of updates) {
      if (this.updateExecution(update).jobId !== jobId) throw new Refusal('INVALID_ARGUMENT')
    }
    const executionIds = newExecutions.map((request) => {
      if (request.jobId !== jobId) throw new Refusal('INVALID_ARGUMENT')
      return this.createExecution({ evaluationId: lease.evaluationId, ...(request as NamedExecution) }).id
    })
    const job = this.job(jobId)
    const evaluationIds = followUps.map((request) => this.evaluations.add(job, request as NamedEvaluation))
    return { executionIds, evaluationIds }
  }

  addHistory(jobId: string, message: string): void {
    const { state, revision } = this.job(jobId)
    this.#note(jobId, [null, state, state, revision, message])
  }

  job(id: string): Job {
    const job = this.state.jobs.get(id)
    if (job === undefined) throw new Refusal('JOB_NOT_FOUND')
    return job
  }

  byName(namespace: string, name: string): Job | undefined {
    return [...this.state.jobs.values()].find((job) => job.namespace === namespace && job.name === name)
  }

  #note(jobId: string, entry: ModelEntry): void {
    this.state.history.set(jobId, [...(this.state.history.get(jobId) ?? []), entry])
  }
}

function movedBy<Kept extends Pick<Job, 'finishedAtMs' | 'stateSinceMs' | 'deadlineAtMs'>>(
  byMs: number,
  kept: Kept,
): Kept {
  if (kept.finishedAtMs !== null) return kept
  const { stateSinceMs, deadlineAtMs } = kept
  return {
    ...kept,
    stateSinceMs: stateSinceMs + byMs,
    deadlineAtMs: deadlineAtMs === null ? null : deadlineAtMs + byMs,
  }
}
