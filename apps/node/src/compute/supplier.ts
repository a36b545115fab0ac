import type { ExecutionStore } from '@saltcod/store-core'
import type { Chunk, Demand, ExecutionOnNode } from '../link/link.ts'
import { Pace } from '../waiting/pace.ts'
import { retry } from '../waiting/retry.ts'
import type { ComputeContext } from './context.ts'
import { describeResults, readResults } from './kept-results.ts'
import { linkRetry } from './link-retry.ts'
import { readLog } from './logs.ts'

const WAIT_MS = 20_000

async function* describeExecution(
  store: ExecutionStore,
  executionId: string,
): AsyncGenerator<ExecutionOnNode, void, undefined> {
  const execution = await store.getExecution(executionId)
  if (execution === null) return
  const { state, stateMessage, stateSinceMs, endReason, attempt, revision } = execution
  yield { state, stateMessage, stateSinceMs, endReason, attempt, revision }
}

/** Supplies what the requester wants to read of what this node keeps: logs, results, and its records. */
export class Supplier {
  readonly #context: ComputeContext
  readonly #supplies = new Set<Promise<void>>()

  constructor(context: ComputeContext) {
    this.#context = context
  }

  /** Takes demands until the compute side closes, and breaks off then what is not supplied yet. Never rejects. */
  async run(): Promise<void> {
    const { link, nodeId, closing, handsShaken, log } = this.#context
    // A requester that does not know the node yet would take it for a stranger, and log that.
    await handsShaken.wait(0, { signal: closing })
    let afterNumber = 0
    const pace = new Pace()
    while (!closing.aborted) {
      pace.begin()
      try {
        const demands = await retry(
          () => link.demands({ nodeId, afterNumber, waitMs: WAIT_MS }, closing),
          linkRetry({ log }, closing, 'the requester does not say what it wants to read; trying again'),
        )
        const behind = demands.filter(({ number }) => number > afterNumber)
        for (const demand of behind) {
          afterNumber = Math.max(afterNumber, demand.number)
          this.#begin(demand)
        }
        await pace.rest(behind.length > 0, closing)
      } catch {
        // Only the end of this node ends the trying.
      }
    }
    await Promise.all(this.#supplies)
  }

  #begin(demand: Demand): void {
    const supply = this.#supply(demand).finally(() => this.#supplies.delete(supply))
    this.#supplies.add(supply)
  }

  async #supply(demand: Demand): Promise<void> {
    const { link, nodeId, closing, log } = this.#context
    const { number, kind, executionId } = demand
    try {
      await link.supply({ nodeId, number }, (unwanted) => this.#chunks(demand, unwanted), closing)
    } catch (error) {
      // Whoever reads it sees the same, and asks again.
      log.debug({ err: error, kind, executionId }, 'what the requester wanted to read could not be supplied')
    }
  }

  #chunks(demand: Demand, signal: AbortSignal): AsyncIterable<Chunk> {
    const { resultsDir } = this.#context.settings
    switch (demand.kind) {
      case 'log':
        return readLog(this.#context, demand, signal)
      case 'archive':
        return describeResults(resultsDir, demand)
      case 'results':
        return readResults(resultsDir, demand, signal)
      case 'execution':
        return describeExecution(this.#context.store, demand.executionId)
    }
  }
}
