import { isStoreGone } from '../store-gone.ts'
import { pause } from '../waiting/pause.ts'
import type { ComputeContext } from './context.ts'
import type { Executor } from './executor.ts'

const LONGEST_SLEEP_MS = 60_000
const SHORTEST_SLEEP_MS = 20
const RETRY_MS = 5_000
const BATCH = 100

/**
 * Fails executions whose deadline has passed, whatever they wait for, until the signal aborts. Rejects where the store
 * has failed.
 */
export async function watchDeadlines(
  context: ComputeContext,
  executor: Executor,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock, log, deadlineWritten } = context
  while (!signal.aborted) {
    const seen = deadlineWritten.count
    try {
      const due = await store.dueDeadlines({ limit: BATCH })
      await Promise.all(due.map(({ id, dueAtMs }) => failLate(executor, id, dueAtMs)))
      const next = await store.nextDeadlineMs()
      const waitMs = next === null ? LONGEST_SLEEP_MS : next - clock()
      const maxMs = Math.min(Math.max(waitMs, SHORTEST_SLEEP_MS), LONGEST_SLEEP_MS)
      await deadlineWritten.wait(seen, { maxMs, signal })
    } catch (error) {
      if (isStoreGone(error)) throw error
      if (signal.aborted) return
      log.error({ err: error }, 'deadlines could not be looked after; trying again')
      await pause(RETRY_MS, signal)
    }
  }
}

async function failLate(executor: Executor, executionId: string, dueAtMs: number): Promise<void> {
  await executor.end(executionId, {
    to: 'Failed',
    endReason: 'timed-out',
    message: `Its deadline passed at ${new Date(dueAtMs).toISOString()}`,
    topic: 'Exec Timeout',
  })
}
