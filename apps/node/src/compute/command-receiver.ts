import {
  COMPUTE_MACHINE,
  type ComputeExecution,
  isEndReason,
  isStoreError,
  type Json,
} from '@saltcod/store-core'
import type { Delivery, ExecutionCommand } from '../link/link.ts'
import { isStoreGone } from '../store-gone.ts'
import { Pace } from '../waiting/pace.ts'
import { retry } from '../waiting/retry.ts'
import { considerAdmission } from './admission.ts'
import { changeExecution, reportMessage } from './change.ts'
import { CommandTracker } from './command-tracker.ts'
import type { ComputeContext } from './context.ts'
import type { Executor } from './executor.ts'
import { forgetJob } from './forget-job.ts'
import { linkRetry } from './link-retry.ts'
import { reportUnrecorded } from './unrecorded-report.ts'
import { writeUntilDone } from './write-retry.ts'

const POLL_LIMIT = 100
const POLL_WAIT_MS = 20_000
const MAX_PENDING = 256
/**
 * So many effects are acknowledged together as are stored meanwhile; until then they would come again after a crash.
 */
const ACKNOWLEDGE_AFTER_MS = 100

/**
 * Takes the requester's commands in: each one's effect is stored, and only then is it acknowledged. Commands of
 * different executions overlap; a command may come again after a crash, and then finds its effect there.
 */
export class CommandReceiver {
  readonly #context: ComputeContext
  readonly #executor: Executor
  readonly #tracker = new CommandTracker(MAX_PENDING)

  constructor(context: ComputeContext, executor: Executor) {
    this.#context = context
    this.#executor = executor
  }

  /** Takes commands in until the signal aborts and the last one is stored. Rejects where the store has failed. */
  async run(signal: AbortSignal): Promise<void> {
    const acknowledging = this.#acknowledge(signal)
    try {
      await this.#poll(signal)
    } catch (error) {
      // Nothing more comes, and what waits to be acknowledged must not wait for that.
      this.#tracker.breakOff(error)
    } finally {
      await this.#tracker.idle()
      await acknowledging
    }
    // A closing side breaks off what it still tried; those commands come again.
    if (!this.#context.closing.aborted) this.#tracker.throwIfBroken()
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { link, nodeId, log } = this.#context
    let afterSequence = 0
    let round: number | undefined
    const pace = new Pace()
    while (!signal.aborted && !this.#tracker.broken) {
      // What was acknowledged is gone from the requester's outbox, so every session asks for all that is left.
      if (round !== link.round) {
        round = link.round
        afterSequence = 0
        this.#tracker.renew(round)
      }
      pace.begin()
      try {
        const deliveries = await retry(
          () => link.poll({ nodeId, afterSequence, limit: POLL_LIMIT, waitMs: POLL_WAIT_MS }, signal),
          linkRetry({ log }, signal, 'no commands could be fetched from the requester; trying again'),
        )
        const behind = deliveries.filter(({ sequence }) => sequence > afterSequence)
        await pace.rest(behind.length > 0, signal)
        if (round !== link.round) continue
        for (const delivery of behind) {
          afterSequence = Math.max(afterSequence, delivery.sequence)
          const { command } = delivery
          const subject = command.kind === 'forget-job' ? null : command.executionId
          this.#tracker.begin(delivery.sequence, subject, () => this.#take(delivery))
        }
        await this.#tracker.capacity()
      } catch (error) {
        if (!signal.aborted) throw error
      }
    }
  }

  async #acknowledge(signal: AbortSignal): Promise<void> {
    const { link, nodeId, log } = this.#context
    for await (const { upToSequence, round } of this.#tracker.marks(signal, ACKNOWLEDGE_AFTER_MS)) {
      const acknowledge = async (): Promise<void> => {
        if (round === link.round) await link.acknowledge({ nodeId, upToSequence })
      }
      const again = linkRetry({ log }, signal, 'commands could not be acknowledged; trying again')
      try {
        await retry(acknowledge, again)
      } catch (error) {
        // What is not acknowledged comes again after the next start.
        log.warn({ err: error, upToSequence }, 'commands could not be acknowledged before the end')
      }
    }
  }

  async #take({ sequence, command }: Delivery): Promise<void> {
    const { log } = this.#context
    if (command.kind === 'forget-job') {
      log.debug({ sequence, ...command }, 'command')
      await forgetJob(this.#context, this.#executor, command.jobId)
      return
    }
    const { kind, executionId } = command
    log.debug({ sequence, kind, executionId }, 'command')
    try {
      await this.#obey(command)
    } catch (error) {
      if (isStoreGone(error) || this.#context.closing.aborted) throw error
      // One command that cannot be obeyed must not keep the others; the requester is told.
      log.error({ err: error, kind, executionId }, 'a command could not be obeyed')
      const message = error instanceof Error ? error.message : String(error)
      await reportUnrecorded(this.#context, executionId, 'node-error', message)
    }
  }

  async #obey(command: ExecutionCommand): Promise<void> {
    switch (command.kind) {
      case 'ask-for-bid':
        return await this.#askForBid(command)
      case 'bid-accepted':
        return await this.#bidAccepted(command.executionId)
      case 'bid-rejected':
        return await this.#cancel(command, 'Bidding', `Bid rejected: ${command.reason}`)
      case 'cancel':
        return await this.#cancel(command, 'Stopping', command.reason)
      case 'forget':
        return await this.#executor.forget(command.executionId)
    }
  }

  async #askForBid(command: Extract<ExecutionCommand, { kind: 'ask-for-bid' }>): Promise<void> {
    const { executionId, job, partition, approved, rerunnable, deadlineAtMs } = command
    const { store, requester, nodeId, closing, log } = this.#context
    if ((await store.getExecution(executionId)) !== null) return
    const { settings } = this.#context
    const admission = await considerAdmission(executionId, job, settings, this.#executor.ledger)
    if (!admission.ok) {
      await reportUnrecorded(this.#context, executionId, 'refused', `Bid refused: ${admission.reason}`)
      return
    }
    const state = approved ? 'BidAccepted' : 'Created'
    const message = approved ? 'Taken on' : 'Bid made'
    const event = { message, topic: 'Bidding', details: { NodeID: nodeId } }
    const resources: Json = { ...admission.needs }
    // What begins at once says so soon, and nobody has to hear before that it was taken on.
    const begins = approved && this.#executor.isFreeFor(admission.needs)
    const report = reportMessage(requester.id, executionId, 1, {
      state,
      message,
      event,
      patch: { resources },
    })
    const request = {
      id: executionId,
      job,
      requesterId: requester.id,
      state,
      partition,
      rerunnable,
      resources,
      deadlineAtMs,
      event,
      outbox: begins ? [] : [report],
    } as const
    let made: ComputeExecution | undefined
    try {
      made = await writeUntilDone(() => store.createExecution(request), {
        signal: closing,
        log,
        subject: executionId,
      })
    } catch (error) {
      // Written by a try whose outcome was unknown.
      if (!isStoreError(error, 'EXECUTION_ALREADY_EXISTS')) throw error
    }
    if (!begins) this.#context.reportWritten.advance()
    if (deadlineAtMs !== null) this.#context.deadlineWritten.advance()
    made ??= (await store.getExecution(executionId)) ?? undefined
    if (made === undefined || !approved) return
    if (begins) await this.#executor.enqueueUntold(made)
    else await this.#executor.enqueue(made, 'run')
  }

  async #bidAccepted(executionId: string): Promise<void> {
    await changeExecution(this.#context, executionId, ({ state }) =>
      state === 'Created' ? { to: 'BidAccepted', message: 'Bid accepted', topic: 'Bidding' } : null,
    )
    const execution = await this.#mustKnow(executionId)
    if (execution !== null) await this.#executor.enqueue(execution, 'run')
  }

  async #cancel(
    { executionId, endReason }: Extract<ExecutionCommand, { kind: 'cancel' | 'bid-rejected' }>,
    topic: string,
    message: string,
  ): Promise<void> {
    const known = isEndReason(endReason) ? endReason : 'stopped'
    await this.#executor.end(executionId, { to: 'Cancelled', endReason: known, message, topic })
    const execution = await this.#mustKnow(executionId)
    if (execution !== null && !COMPUTE_MACHINE.terminal.has(execution.state)) {
      throw new Error(`execution ${executionId} could not be cancelled: it is still ${execution.state}`)
    }
  }

  /** A node that lost its store must say so, or the requester would wait for a report until a deadline. */
  async #mustKnow(executionId: string): ReturnType<ComputeContext['store']['getExecution']> {
    const execution = await this.#context.store.getExecution(executionId)
    if (execution === null) {
      await reportUnrecorded(this.#context, executionId, 'record-lost', 'This node has no such execution')
    }
    return execution
  }
}
