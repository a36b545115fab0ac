import {
  type ChangedComputeExecution,
  COMPUTE_MACHINE,
  type ComputeExecution,
  type CreateComputeExecution,
  type UpdateComputeExecution,
} from '@saltcod/store-core'
import type { ModelEntry } from './job-model-state.ts'
import { expectMove, Refusal, refuseReason } from './refusal.ts'

/** An execution store in plain maps; a refusal changes nothing, since every check comes first. */
export class ExecutionModel {
  readonly executions: Map<string, ComputeExecution> = new Map()
  readonly history: Map<string, readonly ModelEntry[]> = new Map()
  readonly deleted: Set<string> = new Set()
  readonly checkpoints: Map<string, number> = new Map()
  readonly requests: Map<string, unknown> = new Map()
  nowMs = 0

  create(request: CreateComputeExecution): ComputeExecution {
    const { id, job, requesterId, state = 'Created' } = request
    if (this.executions.has(id) || this.deleted.has(id)) throw new Refusal('EXECUTION_ALREADY_EXISTS')
    const execution: ComputeExecution = {
      id,
      job,
      requesterId,
      partition: request.partition ?? null,
      state,
      stateMessage: '',
      stateSinceMs: this.nowMs,
      endReason: null,
      attempt: 0,
      rerunnable: request.rerunnable ?? false,
      process: null,
      resources: request.resources ?? null,
      publishedResult: null,
      runOutput: null,
      acknowledgedRevision: 0,
      revision: 1,
      createdAtMs: this.nowMs,
      modifiedAtMs: this.nowMs,
      finishedAtMs: null,
      deadlineAtMs: request.deadlineAtMs ?? null,
    }
    this.executions.set(id, execution)
    this.history.set(id, [[id, null, state, 1, 'Execution created']])
    return execution
  }

  update(request: UpdateComputeExecution): ChangedComputeExecution {
    const before = this.execution(request.executionId)
    const { to, endReason = null, message = '', patch = {} } = request
    refuseReason(COMPUTE_MACHINE, to, endReason)
    expectMove(COMPUTE_MACHINE, before, request, to)
    const ends = to !== undefined && COMPUTE_MACHINE.terminal.has(to)
    const execution: ComputeExecution = {
      ...before,
      ...(to === undefined ? {} : { state: to, stateMessage: message, stateSinceMs: this.nowMs }),
      ...patch,
      ...(ends ? { endReason, finishedAtMs: this.nowMs, deadlineAtMs: null } : {}),
      revision: before.revision + 1,
      modifiedAtMs: this.nowMs,
    }
    this.executions.set(execution.id, execution)
    this.#note(execution.id, [execution.id, before.state, execution.state, execution.revision, message])
    const { job: _job, ...changed } = execution
    return changed
  }

  acknowledge(id: string, revision: number): void {
    const before = this.execution(id)
    const acknowledgedRevision = Math.max(before.acknowledgedRevision, Math.min(revision, before.revision))
    this.executions.set(id, { ...before, acknowledgedRevision })
  }

  delete(id: string): void {
    const { state } = this.execution(id)
    if (!COMPUTE_MACHINE.terminal.has(state)) throw new Refusal('STATE_CONFLICT')
    this.executions.delete(id)
    this.history.delete(id)
    this.deleted.add(id)
  }

  reclaim(): string[] {
    const ids = [...this.deleted].sort()
    this.deleted.clear()
    return ids
  }

  addHistory(id: string, message: string): void {
    const { state, revision } = this.execution(id)
    this.#note(id, [id, state, state, revision, message])
  }

  execution(id: string): ComputeExecution {
    const found = this.executions.get(id)
    if (found === undefined) throw new Refusal('EXECUTION_NOT_FOUND')
    return found
  }

  #note(id: string, entry: ModelEntry): void {
    this.history.set(id, [...(this.history.get(id) ?? []), entry])
  }
}
