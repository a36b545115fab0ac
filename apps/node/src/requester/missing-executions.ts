import { isStoreError, type Json } from '@saltcod/store-core'
import type { Command } from '../link/link.ts'
import type { RequesterContext } from './context.ts'
import type { StoreCondition } from './membership.ts'

interface Missing {
  readonly ids: Set<string>
  readonly condition: StoreCondition
  timer: NodeJS.Timeout
}

/** How a node came back that has no record of an execution, or an older one. */
const CAME_BACK: Readonly<Record<StoreCondition, string>> = {
  known: 'came back without this execution',
  wiped: 'came back with another store, without this execution',
  older: 'came back with an older copy of its store, which does not know how far this execution was',
}

/**
 * Executions that a node did not name in its handshake although we believe that it has them. It may have ended them
 * and not reported it yet, so they are given up only when its reports have been quiet for a while.
 */
export class MissingExecutions {
  readonly #context: RequesterContext
  readonly #byNode = new Map<string, Missing>()

  constructor(context: RequesterContext) {
    this.#context = context
  }

  /** Begins to wait for reports of executions. */
  expect(nodeId: string, executionIds: readonly string[], condition: StoreCondition): void {
    clearTimeout(this.#byNode.get(nodeId)?.timer)
    this.#byNode.delete(nodeId)
    if (executionIds.length === 0) return
    this.#byNode.set(nodeId, { ids: new Set(executionIds), condition, timer: this.#startTimer(nodeId) })
  }

  /** Notes that a node reported; the waiting begins anew. */
  heardOf(nodeId: string, executionId: string): void {
    const missing = this.#byNode.get(nodeId)
    if (missing === undefined) return
    missing.ids.delete(executionId)
    clearTimeout(missing.timer)
    if (missing.ids.size === 0) this.#byNode.delete(nodeId)
    else missing.timer = this.#startTimer(nodeId)
  }

  /** Gives executions up that a node has no record of, or an older one. Never rejects. */
  async giveUp(nodeId: string, executionIds: readonly string[], condition: StoreCondition): Promise<void> {
    for (const executionId of executionIds) await this.#giveUp(nodeId, executionId, condition)
  }

  /** Stops waiting. */
  close(): void {
    for (const { timer } of this.#byNode.values()) clearTimeout(timer)
    this.#byNode.clear()
  }

  #startTimer(nodeId: string): NodeJS.Timeout {
    return setTimeout(() => {
      const missing = this.#byNode.get(nodeId)
      this.#byNode.delete(nodeId)
      if (missing !== undefined) void this.giveUp(nodeId, [...missing.ids], missing.condition)
    }, this.#context.settings.missingAfterMs)
  }

  async #giveUp(nodeId: string, executionId: string, condition: StoreCondition): Promise<void> {
    const { store, nodes, log, ends, placement } = this.#context
    const message = `node ${nodeId} ${CAME_BACK[condition]}`
    const cancel: Command = { kind: 'cancel', executionId, reason: message, endReason: 'record-lost' }
    try {
      await store.updateExecution({
        executionId,
        to: 'Failed',
        endReason: 'record-lost',
        message,
        patch: { desiredState: 'Stopped', desiredMessage: message, deadlineAtMs: null },
        event: {
          message,
          topic: 'Scheduling',
          details: { NodeID: nodeId, reason: 'record-lost', IsError: 'true', FailsExecution: 'true' },
        },
        evaluation: { trigger: 'exec-failure', coalesce: true },
        // Should the node have it all the same, it must not run beside its replacement.
        outbox: condition === 'wiped' ? [] : [{ destination: nodeId, body: cancel as unknown as Json }],
      })
      nodes.commandsFor(nodeId).advance()
      ends.add('record-lost')
      placement.givenUp(executionId)
      log.warn({ node: nodeId, execution: executionId }, 'execution is missing on its node and was given up')
    } catch (error) {
      if (isStoreError(error, 'ALREADY_TERMINAL', 'EXECUTION_NOT_FOUND', 'STORE_CLOSED')) return
      log.error({ err: error, execution: executionId }, 'cannot give up a missing execution')
    }
  }
}
