import { COMPUTE_MACHINE, type ComputeExecution, isStoreError, type TextMap } from '@saltcod/store-core'
import { CapacityLedger } from '../capacity-ledger.ts'
import type { Capacity, NodeLoad } from '../link/link.ts'
import { requestedCapacity } from '../spec/requested-capacity.ts'
import { considerAdmission } from './admission.ts'
import { changeExecution, type ExecutionChange } from './change.ts'
import type { ComputeContext } from './context.ts'
import { readHeadroom } from './headroom.ts'
import { taskOf } from './job-task.ts'
import { workDirOf } from './layout.ts'
import { Pressure } from './pressure.ts'
import { type QueueEntry, RunQueue } from './queue.ts'
import { clearWork, removeRunFiles } from './run-files.ts'
import { CONTINUES_FROM, type Continuation, Runner } from './runner.ts'
import { stuckText } from './stuck-text.ts'

/** The requester hears no later than this that a run is taken on which has not begun. */
const TELL_AFTER_MS = 250

const NOTHING = { cpu: 0, memoryBytes: 0, diskBytes: 0, gpu: 0 }

/** Executes what the node has accepted: the queue, the capacity and the runner behind one door. */
export class Executor {
  readonly ledger: CapacityLedger
  readonly #context: ComputeContext
  readonly #runner: Runner
  readonly #queue: RunQueue
  /** Those whose history says that the machine held them back, so that each says so once. */
  readonly #toldHeld = new Set<string>()
  /** Those whose history says what they wait for. */
  readonly #toldStuck = new Set<string>()
  /** How each waiting execution goes on. */
  readonly #how = new Map<string, Continuation>()
  /** What is being put into the queue, so that one that begins at once is not read again. */
  #entering: ComputeExecution | undefined

  constructor(context: ComputeContext) {
    const { capacity, maxRunning } = context.settings
    this.#context = context
    this.ledger = new CapacityLedger(capacity)
    this.#runner = new Runner(context)
    const pressure = new Pressure(context.settings.leastFree, () => readHeadroom(context.dataDir))
    this.#queue = new RunQueue(this.ledger, maxRunning, (entry) => this.#begin(entry), {
      reason: () => pressure.holding(),
      tell: (reason, executionIds) => void this.#tellHeld(reason, executionIds),
      tellStuck: (next) => void this.#tellStuck(next),
    })
  }

  /** Begins to run what waits. */
  open(): void {
    this.#queue.open()
  }

  /** Begins nothing more. */
  close(): void {
    this.#queue.close()
  }

  /** Returns how busy the node is. */
  load(): NodeLoad {
    return {
      available: this.ledger.available(),
      runningExecutions: this.#runner.active.length,
      enqueuedExecutions: this.#queue.length,
      heldBack: this.#queue.held ? this.#queue.length : 0,
    }
  }

  /** The executions that are being worked on. */
  get active(): readonly string[] {
    return this.#runner.active
  }

  /** Tells whether something is being done for an execution at this moment. */
  isActive(executionId: string): boolean {
    return this.#runner.isActive(executionId)
  }

  /**
   * Puts an execution into the queue; nothing happens where it is in another state than it should be, also by the
   * time it is its turn, or where it is being worked on. Who has just written its record hands that over.
   */
  async enqueue(known: ComputeExecution | string, how: Continuation): Promise<void> {
    const execution = typeof known === 'string' ? await this.#context.store.getExecution(known) : known
    const executionId = typeof known === 'string' ? known : known.id
    if (execution?.state !== CONTINUES_FROM[how] || this.#runner.isActive(executionId)) return
    const task = taskOf(execution.job)
    // Only a run needs what was asked for.
    const runs = how === 'run' || how === 'rerun'
    const needs = task !== null && runs ? requestedCapacity(task.Resources) : NOTHING
    this.#how.set(executionId, how)
    const { job, createdAtMs } = execution
    this.#entering = execution
    this.#queue.add({ executionId, priority: job.priority, createdAtMs, needs })
    this.#entering = undefined
  }

  /** Goes on with a run that outlived an earlier process of the node; it has what it needs already. */
  async reattach(executionId: string): Promise<void> {
    const execution = await this.#context.store.getExecution(executionId)
    if (execution?.state !== CONTINUES_FROM.reattach || this.#runner.isActive(executionId)) return
    const { job, createdAtMs } = execution
    const task = taskOf(job)
    const needs = task === null ? NOTHING : requestedCapacity(task.Resources)
    this.#how.set(executionId, 'reattach')
    this.#entering = execution
    this.#queue.beginNow({ executionId, priority: job.priority, createdAtMs, needs })
    this.#entering = undefined
  }

  /** Tells whether an execution that asks for so much would begin at once. */
  isFreeFor(needs: Capacity): boolean {
    return this.#queue.isFreeFor(needs)
  }

  /**
   * Puts an execution into the queue that was taken on without a word to the requester, because its beginning says as
   * much; one that does not begin at once is told of.
   */
  async enqueueUntold(execution: ComputeExecution): Promise<void> {
    await this.enqueue(execution, 'run')
    if (!this.#runner.isActive(execution.id)) return await this.#tellTaken(execution)
    setTimeout(() => {
      if (this.#runner.isActive(execution.id)) void this.#tellTakenLate(execution.id)
    }, TELL_AFTER_MS).unref()
  }

  /** Looks at the admission of an execution again, after a restart with perhaps other settings. */
  async readmit(executionId: string): Promise<void> {
    const execution = await this.#context.store.getExecution(executionId)
    if (execution?.state !== 'Created') return
    const { settings } = this.#context
    const admission = await considerAdmission(executionId, execution.job, settings, this.ledger)
    if (admission.ok) return
    await changeExecution(this.#context, executionId, ({ state }) =>
      state === 'Created'
        ? {
            to: 'Failed',
            endReason: 'refused',
            message: `Bid refused: ${admission.reason}`,
            topic: 'Bidding',
          }
        : null,
    )
  }

  /**
   * Ends an execution, wherever it stands: takes it out of the queue, or stops its run and waits until no process
   * of it is left. One that ends by itself meanwhile keeps its own end.
   */
  async end(executionId: string, change: ExecutionChange): Promise<void> {
    this.#queue.remove(executionId)
    this.#toldHeld.delete(executionId)
    this.#toldStuck.delete(executionId)
    this.#how.delete(executionId)
    await this.#runner.stop(executionId, change)
    await this.endStanding(executionId)
    await clearWork(this.#context, executionId)
    await changeExecution(this.#context, executionId, ({ state }) =>
      COMPUTE_MACHINE.terminal.has(state) ? null : change,
    )
  }

  /** Ends a run that nobody looks after, as where a start finds that it is wanted no more. */
  async endStanding(executionId: string): Promise<void> {
    const { store, settings, log, dataDir } = this.#context
    const execution = await store.getExecution(executionId)
    const type = execution?.state === 'Running' ? taskOf(execution.job)?.Engine.Type : undefined
    if (execution === null || type === undefined) return
    const unwanted = { executionId, attempt: execution.attempt, workDir: workDirOf(dataDir, executionId) }
    try {
      await settings.engines.get(type)?.standing?.end({ ...unwanted, logBytes: settings.logBytes })
    } catch (error) {
      log.warn({ err: error, executionId }, 'a run could not be ended yet; it is when its engine answers')
    }
  }

  /**
   * Ends an execution that the requester does not know. What there is of it is kept for a while: the requester may
   * have another store than it should.
   */
  async disown(executionId: string): Promise<void> {
    await this.end(executionId, {
      to: 'Cancelled',
      endReason: 'stopped',
      message: 'The requester does not know it',
      topic: 'Forgetting',
      unreported: true,
    })
  }

  /** Ends an execution that is not wanted any more, and removes all that is left of it. */
  async forget(executionId: string): Promise<void> {
    const { store, refused } = this.#context
    await this.disown(executionId)
    await refused.drop(executionId)
    await removeRunFiles(this.#context, executionId)
    try {
      await store.deleteExecution({ executionId })
    } catch (error) {
      if (!isStoreError(error, 'EXECUTION_NOT_FOUND')) throw error
    }
    while ((await store.reclaim()).more) {
      // In steps, so that other writers get their turn.
    }
  }

  /**
   * Stops what would run for ever, and resolves when nothing else runs any more either, or after `graceMs`. Their
   * records are left for the next start.
   */
  async drain(graceMs: number): Promise<void> {
    this.#runner.interruptLongRunning()
    await this.#runner.drain(graceMs)
  }

  /** Stops all runs and leaves their records as they are, for the next start; resolves when no process is left. */
  async interrupt(): Promise<void> {
    await this.#runner.interrupt()
  }

  async #tellTaken(known: ComputeExecution | string): Promise<void> {
    const details = { NodeID: this.#context.nodeId }
    await changeExecution(this.#context, known, ({ state, resources }) =>
      state === 'BidAccepted'
        ? {
            untold: 'BidAccepted',
            message: 'Taken on',
            topic: 'Bidding',
            details,
            ...(resources === null ? {} : { patch: { resources } }),
          }
        : null,
    )
  }

  async #tellTakenLate(executionId: string): Promise<void> {
    try {
      await this.#tellTaken(executionId)
    } catch (error) {
      // Its beginning or its end will say it.
      this.#context.log.warn(
        { err: error, executionId },
        'the requester could not be told of a run that is prepared',
      )
    }
  }

  /** Writes into the history of what waits that the machine holds it back, where that lasts. */
  async #tellHeld(reason: string, executionIds: readonly string[]): Promise<void> {
    const untold = executionIds.filter((id) => !this.#toldHeld.has(id))
    if (untold.length === 0) return
    this.#context.log.warn({ waiting: this.#queue.length, reason }, 'no run begins for now')
    for (const executionId of untold) {
      this.#toldHeld.add(executionId)
      if (!(await this.#tell(executionId, reason, { held: 'true' }))) return
    }
  }

  /** Writes into the history of what waits what it waits for, where that lasts; once each. */
  async #tellStuck(next: readonly QueueEntry[]): Promise<void> {
    for (const [before, { executionId, needs }] of next.entries()) {
      if (this.#toldStuck.has(executionId)) continue
      this.#toldStuck.add(executionId)
      const { ledger } = this
      if (
        !(await this.#tell(executionId, stuckText(needs, ledger, this.#context.settings.maxRunning, before)))
      )
        return
    }
  }

  /** Returns whether it could be written down. */
  async #tell(executionId: string, reason: string, details: TextMap = {}): Promise<boolean> {
    try {
      await changeExecution(this.#context, executionId, ({ state }) =>
        state === 'BidAccepted'
          ? { message: `It waits on its node: ${reason}`, topic: 'Queueing', details }
          : null,
      )
      return true
    } catch (error) {
      this.#context.log.warn(
        { err: error, executionId },
        'it could not be written down that an execution waits',
      )
      return false
    }
  }

  async #begin({ executionId }: QueueEntry): Promise<void> {
    this.#toldHeld.delete(executionId)
    this.#toldStuck.delete(executionId)
    const how = this.#how.get(executionId)
    this.#how.delete(executionId)
    const known = this.#entering?.id === executionId ? this.#entering : undefined
    if (how !== undefined) await this.#runner.carryOut(known ?? executionId, how)
  }
}
