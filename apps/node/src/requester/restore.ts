import { allItems } from './all-items.ts'
import type { RequesterContext } from './context.ts'
import { requestEvaluation } from './evaluation-request.ts'
import type { PlacementKeeper } from './placement/placement-keeper.ts'

const AT_A_TIME = 64

/**
 * Brings back all work after a start: every job in progress, and every job with an execution in progress, that nobody
 * is about to look at is looked at. Resolves with how many there were.
 */
export async function restoreWork(context: RequesterContext, keeper: PlacementKeeper): Promise<number> {
  const { store, stopping } = context
  const waiting = new Set<string>()
  const pending = allItems((cursor) => store.listEvaluations({ status: 'pending', limit: 1000, cursor }))
  // One that is due later will not see in time what went wrong while nobody was here.
  for await (const { jobId, dueAtMs } of pending) {
    if (dueAtMs <= context.clock()) waiting.add(jobId)
  }
  let restored = 0
  let batch: string[] = []
  const flush = async (): Promise<void> => {
    await Promise.all(batch.map((jobId) => requestEvaluation(context, jobId, 'node-restart')))
    restored += batch.length
    batch = []
  }
  const add = async (jobId: string): Promise<void> => {
    if (waiting.has(jobId)) return
    waiting.add(jobId)
    batch.push(jobId)
    if (batch.length >= AT_A_TIME) await flush()
  }
  for await (const job of allItems((cursor) => store.listJobs({ inProgress: true, limit: 1000, cursor }))) {
    if (stopping.aborted) return restored
    // What waits for a node with room is looked at when there is one, so that it need not be now.
    if (!keeper.remember(job)) await add(job.id)
  }
  const executions = allItems((cursor) => store.listExecutions({ inProgress: true, limit: 1000, cursor }))
  for await (const execution of executions) {
    if (stopping.aborted) return restored
    await add(execution.jobId)
  }
  await flush()
  return restored
}
