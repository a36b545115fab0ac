import { bytesText, span } from '@saltcod/cli-kit'
import type { ComputeExecution } from '@saltcod/store-core'
import type { OpenedExecutions } from '../store/open-store.ts'

/** How busy a compute node is. */
export interface NodeQueue {
  readonly running: number
  readonly waiting: number
  /** Since when the longest run goes on; `null` where nothing runs. */
  readonly runningSinceMs: number | null
  /** Since when the first in the queue waits; `null` where nothing waits. */
  readonly waitingSinceMs: number | null
  /** What those that run were given, summed by name; as many of them as are looked at. */
  readonly held: Readonly<Record<string, number>>
}

const MAX_LOOKED_AT = 100

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
    held: sumOf((await store.listExecutions({ states: ['Running'], limit: MAX_LOOKED_AT })).items),
  }
}

function sumOf(executions: readonly Pick<ComputeExecution, 'resources'>[]): Record<string, number> {
  const sums = new Map<string, number>()
  for (const { resources } of executions) {
    for (const [name, amount] of Object.entries(resources ?? {})) {
      if (typeof amount === 'number' && amount > 0) sums.set(name, (sums.get(name) ?? 0) + amount)
    }
  }
  return Object.fromEntries(sums)
}

/** Says what an execution that waits in the queue needs, and what is taken by those that run. */
export function needText(execution: Pick<ComputeExecution, 'resources'>, { held }: NodeQueue): string {
  const amounts = (sums: Readonly<Record<string, number>>): string =>
    Object.entries(sums)
      .map(([name, amount]) => `${name} ${/memory|disk/i.test(name) ? bytesText(amount) : amount}`)
      .join(', ') || 'nothing that is counted'
  const needed = sumOf([execution])
  return `it needs ${amounts(needed)}; those that run hold ${amounts(held)}, and what the node has beyond that is free`
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
