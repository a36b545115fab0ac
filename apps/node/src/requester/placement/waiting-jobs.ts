import type { JobNeeds } from '../scheduler/needs.ts'
import { precedes, type Turn } from '../scheduler/precedence.ts'
import type { WaitingShares } from '../scheduler/view.ts'

/** A job of which something waits for a node with room. */
export interface WaitingJob extends Turn {
  /** Since when, by the time that passes. */
  readonly sinceMs: number
  /** Not woken before. */
  readonly notBeforeMs: number
  /** What its job says of why it waits is of these nodes, by the number of their list. */
  readonly saidOf: number
  readonly shares: number
  /** Nodes that it is not woken for. */
  readonly notOn: ReadonlySet<string>
}

/** Jobs that need the same and are equally urgent. */
export interface WaitingGroup {
  readonly needs: JobNeeds
  readonly impatient: boolean
  /** Those that wait, the oldest first. */
  readonly jobs: Iterable<WaitingJob>
  readonly first: WaitingJob | undefined
}

/** So many rows of those that are gone may be left in a group beyond as many as are there. */
const MOST_GONE = 64

/** A group, from which jobs are taken without moving all behind them. */
class Group implements WaitingGroup {
  readonly key: string
  readonly needs: JobNeeds
  readonly impatient: boolean
  readonly members = new Set<WaitingJob>()
  #rows: WaitingJob[] = []
  #begin = 0

  constructor(key: string, { needs, impatient }: Pick<WaitingShares, 'needs' | 'impatient'>) {
    this.key = key
    this.needs = needs
    this.impatient = impatient
  }

  get first(): WaitingJob | undefined {
    for (; this.#begin < this.#rows.length; this.#begin += 1) {
      const row = this.#rows[this.#begin]
      if (row !== undefined && this.members.has(row)) return row
    }
    return undefined
  }

  get jobs(): Iterable<WaitingJob> {
    return this.#list()
  }

  add(job: WaitingJob): void {
    const rows = this.#rows
    this.members.add(job)
    const last = rows.at(-1)
    if (last === undefined || precedes(last, job)) {
      rows.push(job)
      return
    }
    const index = placeIn(rows, job, precedes)
    const there = rows[index]
    // Where it was before, mostly.
    const isGone = there !== undefined && !this.members.has(there)
    rows.splice(index, isGone ? 1 : 0, job)
    this.#begin = Math.min(this.#begin, index)
  }

  remove(job: WaitingJob): void {
    this.members.delete(job)
    if (this.#rows.length <= 2 * this.members.size + MOST_GONE) return
    this.#rows = this.#rows.filter((row) => this.members.has(row))
    this.#begin = 0
  }

  *#list(): Iterable<WaitingJob> {
    for (let index = this.#begin; index < this.#rows.length; index += 1) {
      const row = this.#rows[index]
      if (row !== undefined && this.members.has(row)) yield row
    }
  }
}

/**
 * The jobs that wait for room, by what they need: a node that has room is asked once for all that need the same. Kept
 * in memory alone, some 300 bytes a job; what waits is what the store says is queued.
 */
export class WaitingJobs {
  readonly #byId = new Map<string, { readonly job: WaitingJob; readonly group: Group }>()
  readonly #byKey = new Map<string, Group>()
  /** In the order of their first jobs. */
  readonly #ordered: Group[] = []

  /** Number of jobs. */
  get size(): number {
    return this.#byId.size
  }

  /** The groups, the most urgent first; of equals that with the oldest job. */
  get groups(): readonly WaitingGroup[] {
    return this.#ordered
  }

  /** Returns a job; `undefined` where it does not wait. */
  get(jobId: string): WaitingJob | undefined {
    return this.#byId.get(jobId)?.job
  }

  /** Returns the group of a job; `undefined` where it does not wait. */
  groupOf(jobId: string): WaitingGroup | undefined {
    return this.#byId.get(jobId)?.group
  }

  /** Adds a job, or puts it in the place of what was known of it. */
  put(job: WaitingJob, of: Pick<WaitingShares, 'needs' | 'impatient'>): void {
    this.remove(job.jobId)
    const key = `${job.priority} ${of.impatient} ${of.needs.key}`
    const group = this.#byKey.get(key) ?? new Group(key, of)
    this.#byKey.set(key, group)
    this.#reorder(group, () => group.add(job))
    this.#byId.set(job.jobId, { job, group })
  }

  /** Takes a job out. Returns it; `undefined` where it did not wait. */
  remove(jobId: string): WaitingJob | undefined {
    const found = this.#byId.get(jobId)
    if (found === undefined) return undefined
    const { job, group } = found
    this.#byId.delete(jobId)
    this.#reorder(group, () => group.remove(job))
    if (group.members.size === 0) this.#byKey.delete(group.key)
    return job
  }

  /** Changes a group, and its place where another job is its first one now. */
  #reorder(group: Group, change: () => void): void {
    const before = group.first
    const index = before === undefined ? -1 : placeIn(this.#ordered, group, firstPrecedes)
    change()
    const after = group.first
    if (before === after) return
    if (index >= 0) this.#ordered.splice(index, 1)
    if (after !== undefined) this.#ordered.splice(placeIn(this.#ordered, group, firstPrecedes), 0, group)
  }
}

function firstPrecedes(one: Group, other: Group): boolean {
  const [a, b] = [one.first, other.first]
  return a !== undefined && (b === undefined || precedes(a, b))
}

/** The place of an item in a list in order: that of the first that does not go before it. */
function placeIn<T>(list: readonly T[], item: T, goesBefore: (one: T, other: T) => boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = list[middle]
    if (other !== undefined && goesBefore(other, item)) low = middle + 1
    else high = middle
  }
  return low
}
