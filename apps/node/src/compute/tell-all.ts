import { COMPUTE_MACHINE, type ComputeExecution, type PageCursor } from '@saltcod/store-core'
import type { Report } from '../link/link.ts'
import { isStoreGone } from '../store-gone.ts'
import { retry } from '../waiting/retry.ts'
import type { ComputeContext } from './context.ts'
import type { Executor } from './executor.ts'
import { linkRetry } from './link-retry.ts'
import { removeUnasked } from './unasked.ts'

/** The number in the store that is 1 while there is something to tell. */
const PENDING = 'tell-all'
const AT_A_TIME = 100

/** Has the requester told of every execution, once hands were shaken; also by the next start. */
export async function tellAllLater({ store, toTellAll }: ComputeContext): Promise<void> {
  await store.setCheckpoint(PENDING, 1)
  toTellAll.advance()
}

/** Tells the requester of every execution where that is due, until the signal aborts. */
export async function watchTellAll(
  context: ComputeContext,
  executor: Executor,
  signal: AbortSignal,
): Promise<void> {
  const { store, toTellAll, log } = context
  while (!signal.aborted) {
    const seen = toTellAll.count
    try {
      if ((await store.getCheckpoint(PENDING)) > 0) {
        const again = linkRetry(
          { log },
          signal,
          'the requester could not be told of all executions; trying again',
        )
        await retry(() => tellAll(context, executor), again)
        if (seen === toTellAll.count) await store.setCheckpoint(PENDING, 0)
        continue
      }
    } catch (error) {
      if (isStoreGone(error) || signal.aborted) return
      log.error({ err: error }, 'the requester could not be told of all executions')
    }
    await toTellAll.wait(seen, { signal })
  }
}

/**
 * Reports every execution as it is now, ended ones too, to a requester whose store is another one than it was: it
 * takes what is newer than what it knows. What it does not know of is ended, and kept for a while.
 */
async function tellAll(context: ComputeContext, executor: Executor): Promise<void> {
  const { store, link, nodeId, log } = context
  let told = 0
  let unknown = 0
  for (let cursor: PageCursor | null = null; ; ) {
    const page = await store.listExecutions({ limit: AT_A_TIME, cursor })
    if (page.items.length > 0) {
      const answers = await link.report({
        nodeId,
        reports: page.items.map((item) => wholeReport(item, nodeId)),
      })
      told += page.items.length
      for (const [index, { id, state }] of page.items.entries()) {
        if (answers[index] !== 'unknown') continue
        unknown += 1
        if (!COMPUTE_MACHINE.terminal.has(state)) await executor.disown(id)
      }
    }
    cursor = page.next
    if (cursor === null) break
  }
  log.info({ executions: told, unknown }, 'the requester was told of all executions')
  await removeUnasked(context, executor, {})
}

function wholeReport(execution: ComputeExecution, nodeId: string): Report {
  const { id: executionId, revision, state, stateMessage, endReason } = execution
  const { resources, publishedResult, runOutput } = execution
  return {
    executionId,
    revision,
    state,
    ...(endReason === null ? {} : { endReason }),
    message: stateMessage,
    patch: {
      ...(resources === null ? {} : { resources }),
      ...(publishedResult === null ? {} : { publishedResult }),
      ...(runOutput === null ? {} : { runOutput }),
    },
    event: {
      message: stateMessage === '' ? state : stateMessage,
      topic: 'Reconciliation',
      details: { NodeID: nodeId, toldAgain: 'true' },
    },
  }
}
