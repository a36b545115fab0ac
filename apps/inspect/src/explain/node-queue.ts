import { span } from '@saltcod/display'
import type { OpenedExecutions } from '../store/open-store.ts'

/** How busy a compute node is. */
export interface NodeQueue {
  readonly running: number
  readonly waiting: number
  /** Since when the longest run goes on; `null` where nothing runs. */
  readonly runningSinceMs: number | null
  /** Since when the first in the queue waits; `null` where nothing waits. */
  readonly waitingSinceMs: number | null
}

/** Tells how busy the node of a store is, from counters and the ends of index stretches alone. */
export async function nodeQueue({ store }: OpenedExecutions): Promise<NodeQueue> {
  const counts = await store.counts({ kind: 'execution' })
  const inState = (wanted: string): number =>
    counts.filter(({ state }) => state === wanted).reduce((sum, { records }) => sum + records, 0)
  const oldest = async (state: 'Running' | 'BidAccepted'): Promise<number | null> =>
    (await store.listExecutions({ states: [state], limit: 1 })).items[0]?.stateSinceMs ?? null
  return {
    running: inState('Running'),
    waiting: inState('BidAccepted'),
    runningSinceMs: await oldest('Running'),
    waitingSinceMs: await oldest('BidAccepted'),
  }
}

/** Says how busy a node is, as part of why something waits there. */
export function queueText(
  { running, waiting, runningSinceMs, waitingSinceMs }: NodeQueue,
  nowMs: number,
): string {
  const longest = runningSinceMs === null ? '' : `, the longest for ${span(nowMs - runningSinceMs)}`
  const first = waitingSinceMs === null ? '' : `, the first for ${span(nowMs - waitingSinceMs)}`
  return `on that node ${running} run${longest}, and ${waiting} wait for their turn${first}`
}
