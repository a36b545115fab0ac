import { countOf } from '@saltcod/cli-kit'
import type { Execution, Job } from '@saltcod/store-core'
import { DIMENSIONS, fitsIn, leftOf } from '../../capacity-ledger.ts'
import type { Capacity } from '../../link/link.ts'
import type { JobNeeds } from './needs.ts'
import { precedes, type Turn } from './precedence.ts'
import type { SchedulableNode } from './view.ts'

/** A node that was chosen, and why, for people. */
export interface NodeChoice {
  readonly nodeId: string
  /** `null` where it was the only one. */
  readonly choice: string | null
}

/** What a node still has in a plan that is being made. */
interface Candidate {
  readonly node: SchedulableNode
  free: Capacity
  ahead: number
  /** Executions of the job there. */
  ofJob: number
}

/** How well a node fits; of two the one with the smaller number at the first difference fits better. */
type Rank = readonly [
  /** 0 where it has room, 1 where the execution has to wait there for others to end. */
  waits: number,
  /** 1 where the share failed there last. */
  avoided: number,
  /** 1 where its machine has too little left to begin what it has. */
  heldBack: number,
  /** Executions of the job there. */
  ofJob: number,
  /** The shares of the node that would be left over, summed. */
  left: number,
]

/**
 * Chooses nodes for the shares of a job, one after another, counting what it has chosen. Of those with room it takes
 * one with the fewest executions of the job, so that a job suffers little from the loss of a node; of those the one
 * that would have the least left, so that what is large finds whole nodes free.
 */
export class NodePicker {
  readonly #turn: Turn
  readonly #needs: JobNeeds
  readonly #candidates: readonly Candidate[]

  /** `live` are the executions of the job that have not ended. */
  constructor(
    job: Pick<Job, 'id' | 'priority' | 'createdAtMs'>,
    needs: JobNeeds,
    suitable: readonly SchedulableNode[],
    live: readonly Pick<Execution, 'nodeId'>[],
  ) {
    this.#turn = { jobId: job.id, priority: job.priority, createdAtMs: job.createdAtMs }
    this.#needs = needs
    const counts = new Map<string, number>()
    for (const { nodeId } of live) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1)
    this.#candidates = suitable.map((node) => ({
      node,
      free: node.free,
      ahead: node.ahead,
      ofJob: counts.get(node.description.nodeId) ?? 0,
    }))
  }

  /** Chooses a node that none of `refusals` names; `null` where none has room. */
  pick(refusals: ReadonlyMap<string, string>, avoid: string | null): NodeChoice | null {
    let best: Candidate | null = null
    let rank: Rank | null = null
    let withRoom = 0
    for (const candidate of this.#candidates) {
      if (refusals.has(candidate.node.description.nodeId)) continue
      const found = this.#rankOf(candidate, avoid)
      if (found === null) continue
      withRoom += 1
      if (rank !== null && !isBetter(found, rank)) continue
      best = candidate
      rank = found
    }
    if (best === null || rank === null) return null
    const choice = this.#why(rank, withRoom, avoid)
    if (rank[0] === 0) best.free = leftOf(best.free, this.#needs.capacity)
    else best.ahead -= 1
    best.ofJob += 1
    return { nodeId: best.node.description.nodeId, choice }
  }

  /** Returns how well a node fits; `null` where it takes no more. */
  #rankOf({ node, free, ahead, ofJob }: Candidate, avoid: string | null): Rank | null {
    const { keptFor, description, load } = node
    const { capacity } = this.#needs
    if (keptFor !== null && precedes(keptFor, this.#turn)) return null
    const waits = fitsIn(capacity, free) ? 0 : 1
    if (waits === 1 && ahead <= 0) return null
    const avoided = description.nodeId === avoid ? 1 : 0
    const left = waits === 0 ? leftShares(free, capacity, description.capacity) : -ahead
    return [waits, avoided, load.heldBack > 0 ? 1 : 0, ofJob, left]
  }

  #why([waits, avoided, , ofJob]: Rank, withRoom: number, avoid: string | null): string | null {
    const all = this.#candidates.length
    if (all === 1) return null
    const have = withRoom === all ? 'all have room' : `${withRoom} ${withRoom === 1 ? 'has' : 'have'} room`
    const among = `of ${countOf(all, 'node')} that can do it ${have}`
    if (waits === 1) return `${among}: it waits there, where executions end fast`
    const there =
      avoided === 1 ? '; it did not complete there last' : `; not ${avoid}, where it did not complete last`
    const last = avoid === null ? '' : there
    if (withRoom === 1) return `${among}${last}`
    const fewest = ofJob === 0 ? 'without an execution of this job' : 'with the fewest executions of this job'
    return `${among}: of those ${fewest} the one with the least to spare${last}`
  }
}

function isBetter(one: Rank, other: Rank): boolean {
  for (let index = 0; index < one.length; index += 1) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** How much of a node would be left over, as the sum of the shares of all that it has. */
function leftShares(free: Capacity, taken: Capacity, whole: Capacity): number {
  let sum = 0
  for (const dimension of DIMENSIONS) {
    if (whole[dimension] > 0) sum += (free[dimension] - taken[dimension]) / whole[dimension]
  }
  return sum
}
