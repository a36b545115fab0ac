import { isStoreError } from '@saltcod/store-core'
import { pause } from '../waiting/pause.ts'
import { allItems } from './all-items.ts'
import type { RequesterContext } from './context.ts'
import { requestEvaluation } from './evaluation-request.ts'
import type { PlacementKeeper } from './placement/placement-keeper.ts'

const AT_A_TIME = 64
/** What comes meanwhile, such as the end of a job, waits behind no more than so many. */
const MOST_AHEAD = 256
const LOOK_MS = 20
/** For so long one is waited for that is not decided, before the next ones are added all the same. */
const PATIENCE_MS = 10_000

/**
 * Brings back all work after a start: every job in progress, and every job with an execution in progress, that nobody
 * is about to look at is looked at. Resolves with how many there were.
 */
export async function restoreWork(context: RequesterContext, keeper: PlacementKeeper): Promise<number> {
  const { store, stopping } = context
  const waiting = new Set<string>()
  const pending = allItems((cursor) => store.listEvaluations({ status: 'pending', limit: 200, cursor }))
  // One that is due later will not see in time what went wrong while nobody was here.
  for await (const { jobId, dueAtMs } of pending) {
    if (dueAtMs <= context.clock()) waiting.add(jobId)
  }
  let restored = 0
  let batch: string[] = []
  const ahead: string[] = []
  const flush = async (): Promise<void> => {
    const evaluations = await Promise.all(
      batch.map((jobId) => requestEvaluation(context, jobId, 'node-restart')),
    )
    restored += batch.length
    batch = []
    for (const evaluation of evaluations) if (evaluation !== null) ahead.push(evaluation.id)
    for (const id of ahead.splice(0, ahead.length - MOST_AHEAD)) await decided(context, id)
  }
  const add = async (jobId: string): Promise<void> => {
    if (waiting.has(jobId)) return
    waiting.add(jobId)
    batch.push(jobId)
    if (batch.length >= AT_A_TIME) await flush()
  }
  for await (const job of allItems((cursor) => store.listJobs({ inProgress: true, limit: 200, cursor }))) {
    if (stopping.aborted) return restored
    // What waits for a node with room is looked at when there is one, so that it need not be now.
    if (!keeper.remember(job)) await add(job.id)
  }
  const executions = allItems((cursor) => store.listExecutions({ inProgress: true, limit: 200, cursor }))
  for await (const execution of executions) {
    if (stopping.aborted) return restored
    await add(execution.jobId)
  }
  await flush()
  return restored
}

/** Waits until an evaluation has been decided, or is due later, or for as long as there is patience. */
async function decided({ store, clock, stopping }: RequesterContext, id: string): Promise<void> {
  for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs && !stopping.aborted; ) {
    if (!(await isDue(store, id, clock()))) return
    await pause(LOOK_MS, stopping)
  }
}

async function isDue(store: RequesterContext['store'], id: string, nowMs: number): Promise<boolean> {
  try {
    const evaluation = await store.getEvaluation(id)
    return evaluation?.status === 'pending' && evaluation.dueAtMs <= nowMs
  } catch (error) {
    // Nobody decides about a damaged one.
    if (!isStoreError(error, 'RECORD_CORRUPT')) throw error
    return false
  }
}
