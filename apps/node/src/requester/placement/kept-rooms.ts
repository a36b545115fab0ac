import type { Capacity } from '../../link/link.ts'
import type { JobNeeds } from '../scheduler/needs.ts'
import { canDo } from '../scheduler/node-choice.ts'
import type { NodeRoom } from './node-room.ts'
import type { WaitingJob, WaitingJobs } from './waiting-jobs.ts'

/** What has waited for so long is not overtaken any more on one node, which is kept for it. */
const KEEP_AFTER_MS = 30_000
/** Of so many nodes one may be kept, and one in any case. */
const KEPT_OF = 10

/**
 * A node for each of the most urgent jobs that have waited for long: what becomes free there is left to it, so that
 * what is small cannot pass what is large for ever.
 */
export class KeptRooms {
  readonly #byJob = new Map<string, NodeRoom>()

  /** Keeps nodes for those that have none yet and have waited for long enough. */
  keep(nodes: readonly NodeRoom[], waiting: WaitingJobs, nowMs: number): void {
    for (const [jobId, { keptFor }] of this.#byJob) if (keptFor?.jobId !== jobId) this.#byJob.delete(jobId)
    const open = nodes.filter(({ closing }) => closing === null)
    const most = Math.max(1, Math.floor(open.length / KEPT_OF))
    for (const { needs, first } of waiting.groups.slice(0, most)) {
      if (this.#byJob.size >= most) return
      if (first === undefined || nowMs - first.sinceMs < KEEP_AFTER_MS || this.#byJob.has(first.jobId))
        continue
      const room = roomToKeep(open, needs, first)
      if (room === null) continue
      room.keptFor = first
      this.#byJob.set(first.jobId, room)
    }
  }

  /** Keeps none for a job any more. Returns the node; `null` where none was kept. */
  release(jobId: string): NodeRoom | null {
    const room = this.#byJob.get(jobId)
    this.#byJob.delete(jobId)
    if (room?.keptFor?.jobId !== jobId) return null
    room.keptFor = null
    return room
  }
}

/** The node of which the least has to become free. */
function roomToKeep(rooms: readonly NodeRoom[], needs: JobNeeds, { notOn }: WaitingJob): NodeRoom | null {
  let best: NodeRoom | null = null
  let least = Number.POSITIVE_INFINITY
  for (const room of rooms) {
    const { description, free, keptFor } = room
    if (keptFor !== null || notOn.has(description.nodeId)) continue
    if (!room.canHave(needs.capacity) || !canDo(needs, description)) continue
    const lack = lackOf(needs.capacity, free, description.capacity)
    if (lack >= least) continue
    best = room
    least = lack
  }
  return best
}

/** How much of a node is too little, as the sum of the shares of all that it has. */
function lackOf(needs: Capacity, free: Capacity, whole: Capacity): number {
  const share = (wants: number, there: number, all: number): number =>
    all > 0 ? Math.max(0, wants - there) / all : 0
  return (
    share(needs.cpu, free.cpu, whole.cpu) +
    share(needs.memoryBytes, free.memoryBytes, whole.memoryBytes) +
    share(needs.diskBytes, free.diskBytes, whole.diskBytes) +
    share(needs.gpu, free.gpu, whole.gpu)
  )
}
