import { isRerunnable, onlyTask } from '@saltcod/bacalhau-records'
import type {
  EndReason,
  Execution,
  ExecutionJob,
  JobState,
  Json,
  NewEvaluation,
  NewExecution,
  TextMap,
  UpdateExecution,
} from '@saltcod/store-core'
import { EXECUTION_MACHINE } from '@saltcod/store-core'
import { requestedCapacity } from '../../spec/requested-capacity.ts'
import type { AddressedCommand, Decision, JobMove, SchedulingView, WaitingShares } from './view.ts'
import { MAX_CHANGES } from './view.ts'

/** The most bytes of specifications that one plan sends. */
const MAX_COMMAND_BYTES = 2 * 1024 * 1024

/** Collects the parts of a decision and keeps its limits. */
export class PlanBuilder {
  readonly #view: SchedulingView
  readonly #newExecutions: (NewExecution & { readonly id: string })[] = []
  readonly #updates: UpdateExecution[] = []
  readonly #commands: AddressedCommand[] = []
  readonly #touched = new Set<string>()
  readonly #awaited: UpdateExecution[] = []
  readonly #choices = new Set<string>()
  readonly #maxNew: number
  #job: JobMove | null = null
  #dueMs: { atMs: number; trigger: NewEvaluation['trigger']; comment: string } | null = null
  #waiting: WaitingShares | null = null
  #overflow = false

  constructor(view: SchedulingView) {
    this.#view = view
    const bytes = JSON.stringify(view.job.spec).length
    this.#maxNew = Math.max(1, Math.min(MAX_CHANGES, Math.floor(MAX_COMMAND_BYTES / bytes)))
  }

  /** Asks a node to do a share of the job, at once where it can; nothing where the plan is full. */
  ask(share: {
    readonly nodeId: string
    readonly partition: number | null
    readonly previousExecutionId: string | null
    readonly endsBefore: number
    /** Why that node; `null` where it was the only one. */
    readonly choice: string | null
  }): void {
    if (this.isFull) {
      this.overflow()
      return
    }
    const { job, newExecutionId } = this.#view
    const { nodeId, partition, previousExecutionId, endsBefore, choice } = share
    const id = newExecutionId()
    this.#newExecutions.push({
      id,
      jobId: job.id,
      nodeId,
      jobVersion: job.version,
      state: 'New',
      desiredState: 'Running',
      ...(choice === null ? {} : { desiredMessage: choice }),
      ...(partition === null ? {} : { partition }),
      ...(previousExecutionId === null ? {} : { previousExecutionId }),
      ...(endsBefore === 0 ? {} : { endsBefore }),
      resources: { ...requestedCapacity(onlyTask(job.spec).Resources) },
      event: {
        message: `Requested execution on ${shortId(nodeId)}${choice === null ? '' : `: ${choice}`}`,
        topic: 'Scheduling',
        details: { NodeID: nodeId },
      },
    })
    this.#choices.add(choice ?? '')
    this.#commands.push({
      nodeId,
      command: {
        kind: 'ask-for-bid',
        executionId: id,
        job: this.#executionJob(),
        partition,
        approved: true,
        rerunnable: isRerunnable(job.spec),
        deadlineAtMs: job.deadlineAtMs,
      },
    })
  }

  /** Lets a node start what it offered to do before it was told that it need not ask, as earlier releases had it. */
  approve(execution: Execution): void {
    const written = this.#update({
      executionId: execution.id,
      to: 'BidAccepted',
      patch: { desiredState: 'Running', desiredMessage: 'execution approved' },
      expectedRevision: execution.revision,
      event: { message: 'Bid accepted', topic: 'Scheduling', details: { NodeID: execution.nodeId } },
    })
    if (written) this.#command(execution, { kind: 'bid-accepted', executionId: execution.id })
  }

  /** Agrees with a node that began without being told to. */
  adopt(execution: Execution): void {
    this.#update({
      executionId: execution.id,
      patch: { desiredState: 'Running', desiredMessage: 'execution had begun' },
      expectedRevision: execution.revision,
      event: { message: 'Began before it was approved', topic: 'Scheduling' },
    })
  }

  /** Gives an execution whose time is up some more, since its node may know how it ended; an end outweighs that. */
  await(execution: Execution, untilMs: number): void {
    this.#awaited.push({
      executionId: execution.id,
      patch: { deadlineAtMs: untilMs },
      expectedRevision: execution.revision,
      event: {
        message: `Its time is up, and ${shortId(execution.nodeId)} is not heard: it is waited for what that has to say`,
        topic: 'Scheduling',
        details: { NodeID: execution.nodeId },
      },
    })
  }

  /** Ends an execution that is no longer wanted. */
  stop(execution: Execution, endReason: EndReason, reason: string): void {
    const rejected = execution.state === 'AskForBidAccepted'
    this.#end(execution, rejected ? 'BidRejected' : 'Cancelled', endReason, reason, {})
  }

  /** Ends an execution as failed, for instance because its time is up or its node is gone. */
  fail(execution: Execution, endReason: EndReason, reason: string): void {
    this.#end(execution, 'Failed', endReason, reason, { FailsExecution: 'true', IsError: 'true' })
  }

  /**
   * Moves the job to another state. One that is in it stays, and says `message` of it from now on, where it does not
   * already.
   */
  moveJob(to: JobState, message: string, details: TextMap = {}): void {
    const { state, stateMessage } = this.#view.job
    const stays = state === to
    if (stays && saysOf(state, stateMessage) === saysOf(state, message)) return
    const failed = to === 'Failed'
    this.#job = {
      to: stays ? null : to,
      message,
      event: {
        message: message === '' ? to : message,
        topic: 'State Update',
        details: { ...details, ...(stays ? {} : { NewState: to }), ...(failed ? { IsError: 'true' } : {}) },
      },
    }
  }

  /** Has the job looked at again at a time; of several times the first counts. */
  lookAgain(atMs: number, trigger: NewEvaluation['trigger'], comment: string): void {
    if (this.#dueMs === null || atMs < this.#dueMs.atMs) this.#dueMs = { atMs, trigger, comment }
  }

  /** Whether no further execution has a place in it. */
  get isFull(): boolean {
    return !this.#hasRoom() || this.#newExecutions.length >= this.#maxNew
  }

  /** Leaves the rest to a follow-up. */
  overflow(): void {
    this.#overflow = true
  }

  /** Has what waits for a node remembered. */
  wait(waiting: WaitingShares): void {
    this.#waiting = waiting
  }

  /** Returns the decision. */
  finish(): Decision {
    for (const update of this.#awaited) this.#update(update)
    return {
      newExecutions: this.#newExecutions,
      updates: this.#updates,
      commands: this.#commands,
      job: this.#job,
      followUps: this.#followUps(),
      waiting: this.#waiting,
      comment: this.#comment(),
    }
  }

  #followUps(): NewEvaluation[] {
    const { nowMs } = this.#view
    if (this.#overflow) return [{ trigger: 'exec-limit', comment: 'the plan was full' }]
    const due = this.#dueMs
    if (due === null) return []
    return [{ trigger: due.trigger, delayMs: Math.max(0, due.atMs - nowMs), comment: due.comment }]
  }

  #comment(): string {
    const parts = [
      ...(this.#newExecutions.length === 0
        ? []
        : [`executions asked for: ${this.#newExecutions.length}${this.#choice()}`]),
      ...(this.#updates.length === 0 ? [] : [`executions changed: ${this.#updates.length}`]),
      ...(this.#job === null ? [] : [this.#job.to === null ? 'another reason' : `job to ${this.#job.to}`]),
    ]
    return parts.join(', ')
  }

  /** Why these nodes, where one reason holds for all. */
  #choice(): string {
    const [choice = '', another] = this.#choices
    return choice === '' || another !== undefined ? '' : ` (${choice})`
  }

  #hasRoom(): boolean {
    return this.#newExecutions.length + this.#updates.length < MAX_CHANGES
  }

  /** Takes a change in; false where the plan is full or changes that execution already. */
  #update(update: UpdateExecution): boolean {
    if (this.#touched.has(update.executionId)) return false
    if (!this.#hasRoom()) {
      this.#overflow = true
      return false
    }
    this.#touched.add(update.executionId)
    this.#updates.push(update)
    return true
  }

  #end(
    execution: Execution,
    to: 'BidRejected' | 'Cancelled' | 'Failed',
    endReason: EndReason,
    reason: string,
    details: Readonly<Record<string, string>>,
  ): void {
    if (EXECUTION_MACHINE.terminal.has(execution.state)) return
    const written = this.#update({
      executionId: execution.id,
      to,
      endReason,
      message: reason,
      patch: { desiredState: 'Stopped', desiredMessage: reason, deadlineAtMs: null },
      expectedRevision: execution.revision,
      event: {
        message: reason,
        topic: 'Scheduling',
        details: { NodeID: execution.nodeId, reason: endReason, ...details },
      },
    })
    if (!written) return
    const kind = to === 'BidRejected' ? 'bid-rejected' : 'cancel'
    this.#command(execution, { kind, executionId: execution.id, reason, endReason })
  }

  #command(execution: Execution, command: AddressedCommand['command']): void {
    this.#commands.push({ nodeId: execution.nodeId, command })
  }

  #executionJob(): ExecutionJob {
    const { id, version, namespace, name, type, priority, count, spec } = this.#view.job
    const shares = type === 'batch' || type === 'service' ? { count } : {}
    return { id, version, namespace, name, type, priority, ...shares, spec: spec as Json }
  }
}

/** Who has nothing to say of a state may name it. */
function saysOf(state: JobState, message: string): string {
  return message === state ? '' : message
}

const LONG_ID = /^([a-z]-[0-9a-f]{8})-[0-9a-f-]{27}$/

/** Shortens the ids that we make to their first eight digits. */
function shortId(id: string): string {
  return LONG_ID.exec(id)?.[1] ?? id
}
