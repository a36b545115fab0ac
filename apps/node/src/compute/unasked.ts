import {
  COMPUTE_MACHINE,
  type ComputeState,
  type FinishedExecution,
  type PageCursor,
} from '@saltcod/store-core'
import type { Orphans } from '../link/link.ts'
import { isStoreGone } from '../store-gone.ts'
import { pause } from '../waiting/pause.ts'
import type { ComputeContext } from './context.ts'
import type { Executor } from './executor.ts'

const AT_A_TIME = 100
const MOST_NAMED = 100
const FIRST_AFTER_MS = 60_000
const EVERY_MS = 3_600_000
/** A requester that has the wrong store by mistake costs nobody a result before somebody has noticed. */
const KEPT_MS = 86_400_000

/** What is asked of one look. */
export interface UnaskedRequest {
  /** How long after their end executions are kept that nobody asks for. Default: a day. */
  readonly keptMs?: number | undefined
  /** Removes nothing. Default false. */
  readonly dryRun?: boolean
}

/** What a look for executions that nobody asks for found. */
export interface UnaskedReport {
  /** Those that went, or in a dry run would go. */
  readonly removed: number
  /** Those that are kept for a while yet. */
  readonly orphans: Orphans
  readonly failures: readonly { readonly id: string; readonly message: string }[]
}

const ENDS: readonly ComputeState[] = [...COMPUTE_MACHINE.terminal]

/**
 * Asks the requester of all executions that have ended whether it knows them, and removes those that it does not, with
 * their results, logs and rows, once they have been kept for long enough. Rejects where the requester does not answer.
 */
export async function removeUnasked(
  context: ComputeContext,
  executor: Executor,
  { keptMs = KEPT_MS, dryRun = false }: UnaskedRequest,
): Promise<UnaskedReport> {
  const { store, clock, log } = context
  const failures: { id: string; message: string }[] = []
  const kept: string[] = []
  let removed = 0
  for (const state of ENDS) {
    for (let cursor: PageCursor | null = null; ; ) {
      const page = await store.listFinishedExecutions({ state, limit: AT_A_TIME, cursor })
      for (const { id, finishedAtMs } of await unknownOf(context, page.items)) {
        if (finishedAtMs > clock() - keptMs) {
          kept.push(id)
          continue
        }
        try {
          if (!dryRun) await executor.forget(id)
          removed += 1
        } catch (error) {
          if (isStoreGone(error)) throw error
          failures.push({ id, message: error instanceof Error ? error.message : String(error) })
        }
      }
      cursor = page.next
      if (cursor === null) break
    }
  }
  if (removed > 0 && !dryRun)
    log.info({ removed }, 'executions that the requester does not know were removed')
  const orphans = { count: kept.length, ids: kept.slice(0, MOST_NAMED) }
  context.orphans.now = orphans
  return { removed, orphans, failures }
}

/** A report without a state and of no revision asks whether the execution is known, and changes nothing. */
async function unknownOf(
  { link, nodeId }: ComputeContext,
  executions: readonly FinishedExecution[],
): Promise<readonly FinishedExecution[]> {
  if (executions.length === 0) return []
  const reports = executions.map(({ id }) => ({ executionId: id, revision: 0 }))
  const answers = await link.report({ nodeId, reports })
  return executions.filter((_, index) => answers[index] === 'unknown')
}

/** Looks for executions that nobody asks for until the signal aborts: soon after the start, then once an hour. */
export async function watchUnasked(
  context: ComputeContext,
  executor: Executor,
  signal: AbortSignal,
): Promise<void> {
  for (let waitMs = FIRST_AFTER_MS; ; waitMs = EVERY_MS) {
    await pause(waitMs, signal, { ref: false })
    if (signal.aborted) return
    try {
      const { failures } = await removeUnasked(context, executor, {})
      for (const failure of failures) context.log.error(failure, 'an execution could not be removed')
    } catch (error) {
      if (isStoreGone(error)) return
      context.log.debug({ err: error }, 'the requester could not be asked what it knows; asked again later')
    }
  }
}
