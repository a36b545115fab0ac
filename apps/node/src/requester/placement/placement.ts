import type { JobSpec } from '@saltcod/bacalhau-records'
import { isLongRunning, onlyTask } from '@saltcod/bacalhau-records'
import type { Job } from '@saltcod/store-core'
import type { Capacity } from '../../link/link.ts'
import { needsOf } from '../scheduler/needs.ts'
import { canDo, isConnected } from '../scheduler/node-choice.ts'
import { precedes } from '../scheduler/precedence.ts'
import type { Decision, WaitingShares } from '../scheduler/view.ts'
import { EverywhereJobs } from './everywhere-jobs.ts'
import { KeptRooms } from './kept-rooms.ts'
import type { Holder, NodeRoom } from './node-room.ts'
import { type KnownNode, NodeRooms } from './node-rooms.ts'
import { type WaitingGroup, type WaitingJob, WaitingJobs } from './waiting-jobs.ts'

/** So many jobs are remembered as waiting, in some 60 MB; those beyond are looked at again by time. */
const MOST_WAITING = 200_000
/** So many kinds of needs are looked at, the most urgent first, when a node has room. */
const MOST_GROUPS_LOOKED_AT = 2000
/** So many of one kind are looked at where a node was refused by the first. */
const MOST_JOBS_LOOKED_AT = 100
/** So many shares of one job are let go at once. */
const MOST_SHARES = 100
/** Room that was set aside for a job, and that it has not taken by then, is given to others. */
const TICKET_MS = 30_000
/** A job that was woken and took nothing is woken no sooner. */
const FRUITLESS_MS = 1000
/** So many times a node is compared with what waits by the clock alone. */
const COMPARED_BY_CLOCK = 10_000
const NO_NODES: ReadonlySet<string> = new Set()

/** Room that is set aside for a job that was woken for it. */
interface Ticket {
  readonly room: NodeRoom
  readonly job: WaitingJob
  readonly of: Pick<WaitingShares, 'needs' | 'impatient'>
  readonly givenAtMs: number
}

/** A node that is being taken in. */
export interface Joining {
  /** What held something of it when it began. */
  readonly held: ReadonlySet<string>
  /** What has ended since. */
  readonly ended: Set<string>
}

/** What placement needs. */
export interface PlacementOptions {
  /** Tells the time that passes. */
  readonly passed: () => number
  /** Has a job looked at for which room was set aside, or for which none will ever be. */
  readonly wake: (jobId: string) => void
}

/**
 * What the requester has promised of its nodes, and which jobs wait for room there. All of it follows from the store
 * and the handshakes, and is kept in memory; every method is done when it returns, so nothing is promised twice. Room
 * that becomes free is set aside at once for those that wait, the most urgent and then the oldest first, and only for
 * as many as it will do for; these are woken. What none of them can use is there for whoever comes.
 */
export class Placement {
  readonly waiting: WaitingJobs = new WaitingJobs()
  readonly everywhere: EverywhereJobs = new EverywhereJobs()
  readonly #passed: () => number
  readonly #wake: (jobId: string) => void
  readonly #rooms: NodeRooms
  /** Executions of plans that are not written yet. */
  readonly #inFlight = new Set<string>()
  readonly #tickets = new Map<string, Ticket>()
  readonly #joinings = new Set<Joining>()
  readonly #kept = new KeptRooms()
  /** Nodes that have something for those that wait. */
  readonly #offered = new Set<NodeRoom>()
  #isOffering = false
  /** The node that was looked at last by the clock. */
  #turn = 0

  constructor({ passed, wake }: PlacementOptions) {
    this.#passed = passed
    this.#wake = wake
    this.#rooms = new NodeRooms(passed)
  }

  /** The nodes, by id; another list after each change of what they are or why they are closed. */
  get nodes(): readonly NodeRoom[] {
    return this.#rooms.list
  }

  /** Tells whether a job can be remembered as waiting. */
  hasPlaceFor(jobId: string): boolean {
    return this.waiting.size < MOST_WAITING || this.waiting.get(jobId) !== undefined
  }

  /** Begins to take in what a node has of ours, which is about to be read; `endJoin` ends it. */
  beginJoin(nodeId: string): Joining {
    const holders = [...(this.#rooms.get(nodeId)?.holders ?? [])].map(({ id }) => id)
    const written = holders.filter((id) => !this.#inFlight.has(id) && !this.#tickets.has(id))
    const joining = { held: new Set(written), ended: new Set<string>() }
    this.#joinings.add(joining)
    return joining
  }

  /** Ends it, whether the node came in or not. */
  endJoin(joining: Joining): void {
    this.#joinings.delete(joining)
  }

  /**
   * Takes in what nodes are and why they are closed. Returns those that take new work and did not before, or are
   * something else now; `welcome` has them used. Nodes that are not named any more are forgotten.
   */
  refresh(known: readonly KnownNode[]): readonly NodeRoom[] {
    return this.#rooms.refresh(known)
  }

  /** Has nodes used that take new work from now on. */
  welcome(opened: readonly NodeRoom[]): void {
    for (const room of opened) this.#offer(room)
  }

  /** Takes note of all that a node has of ours. */
  correct(nodeId: string, holders: readonly Holder[], { held, ended }: Joining): void {
    const room = this.#rooms.get(nodeId)
    if (room === undefined) return
    const listed = new Set(holders.map(({ id }) => id))
    for (const id of held) if (!listed.has(id)) this.#rooms.release(id)
    for (const holder of holders) if (!ended.has(holder.id)) this.#rooms.hold(room, holder)
  }

  /** Gives back what was set aside for a job, which is about to be decided about. */
  begin(jobId: string): Ticket | null {
    const ticket = this.#tickets.get(jobId)
    if (ticket === undefined) return null
    this.#tickets.delete(jobId)
    ticket.room.release(jobId)
    return ticket
  }

  /**
   * Takes what a decision promises. To be called in the same turn as `begin`, whose ticket it is told, and with the
   * decision made in between; `settle` or `giveBack` comes when its plan is written, or not.
   */
  take(
    job: Job<JobSpec>,
    decision: Pick<Decision, 'newExecutions' | 'waiting' | 'job'>,
    ticket: Ticket | null,
  ): void {
    this.everywhere.note(job, decision.job?.to ?? job.state)
    const before = this.waiting.remove(job.id) ?? ticket?.job
    if (decision.newExecutions.length > 0) {
      const { capacity } = needsOf(job.spec)
      for (const { id, nodeId } of decision.newExecutions) {
        const room = this.#rooms.get(nodeId)
        if (room === undefined) continue
        this.#inFlight.add(id)
        this.#rooms.hold(room, { id, needs: capacity, isLongRunning: isLongRunning(job.type) })
      }
    }
    if (decision.waiting !== null) {
      const isFruitless = ticket !== null && decision.newExecutions.length === 0
      this.#put(job, decision.waiting, {
        sinceMs: before?.sinceMs ?? this.#passed(),
        notBeforeMs: isFruitless ? this.#passed() + FRUITLESS_MS : 0,
        saidOf: this.#rooms.version,
      })
    } else this.#letGo(job.id)
    if (ticket !== null) this.#offer(ticket.room)
  }

  /** Notes that a plan is written. */
  settle({ newExecutions }: Pick<Decision, 'newExecutions'>): void {
    for (const { id } of newExecutions) this.#inFlight.delete(id)
  }

  /** Takes back what a plan promised that could not be written. */
  giveBack({ newExecutions }: Pick<Decision, 'newExecutions'>): void {
    for (const { id } of newExecutions) this.#end(id, false)
  }

  /** Notes that an execution has ended on its node. */
  ended(executionId: string): void {
    this.#note(executionId)
    this.#end(executionId, true)
  }

  /** Notes that an execution was given up here, which says nothing of how fast its node ends what it has. */
  givenUp(executionId: string): void {
    this.#note(executionId)
    this.#end(executionId, false)
  }

  #note(executionId: string): void {
    for (const { ended } of this.#joinings) ended.add(executionId)
  }

  /**
   * Remembers a queued job as waiting that nobody is about to look at. Returns false where there is no place for it.
   */
  remember(job: Job<JobSpec>): boolean {
    if (this.waiting.get(job.id) !== undefined || this.#tickets.has(job.id)) return true
    if (!this.hasPlaceFor(job.id)) return false
    const impatient = onlyTask(job.spec).Timeouts.QueueTimeout === 0
    const waiting = { needs: needsOf(job.spec), shares: job.count, notOn: NO_NODES, impatient }
    // What it says was said by an earlier process.
    this.#put(job, waiting, { sinceMs: this.#passed(), notBeforeMs: 0, saidOf: -1 })
    return true
  }

  /** Forgets a job that is gone. */
  forget(jobId: string): void {
    this.everywhere.forget(jobId)
    this.waiting.remove(jobId)
    this.#letGo(jobId)
    const ticket = this.begin(jobId)
    if (ticket !== null) this.#offer(ticket.room)
  }

  /** Has a job wait again that was woken and is not looked at. */
  returnToWaiting(jobId: string): void {
    const ticket = this.begin(jobId)
    if (ticket === null) return
    const { job, of } = ticket
    this.waiting.put({ ...job, notBeforeMs: this.#passed() + FRUITLESS_MS }, of)
    this.#offer(ticket.room)
  }

  /** Looks after what time brings: room that was not taken, what has waited for long, nodes that end much. */
  tick(): void {
    const nowMs = this.#passed()
    for (const [jobId, { givenAtMs }] of this.#tickets) {
      if (nowMs - givenAtMs >= TICKET_MS) this.returnToWaiting(jobId)
    }
    this.#kept.keep(this.nodes, this.waiting, nowMs)
    const most = Math.ceil(COMPARED_BY_CLOCK / Math.max(1, this.waiting.groups.length))
    for (let count = Math.min(most, this.nodes.length); count > 0 && this.waiting.size > 0; count -= 1) {
      this.#turn = (this.#turn + 1) % this.nodes.length
      const room = this.nodes[this.#turn]
      if (room !== undefined) this.#offer(room)
    }
  }

  /**
   * Wakes some of the jobs that no node can do and that do not wait for one to come, and of those that say of other
   * nodes why they wait.
   */
  wakeStale(most: number): void {
    const connected = this.nodes.filter(isConnected)
    const hopeful = this.nodes.filter(({ closing }) => closing !== 'lost' && closing !== 'rejected')
    const stale: string[] = []
    for (const { needs, impatient, jobs } of this.waiting.groups.slice(0, MOST_GROUPS_LOOKED_AT)) {
      const able = hopeful.filter(({ description }) => canDo(needs, description))
      for (const { jobId, notOn, saidOf } of jobs) {
        if (stale.length >= most) break
        const isHopeless = impatient && able.every(({ description }) => notOn.has(description.nodeId))
        if (saidOf !== this.#rooms.version || (isHopeless && connected.length > 0)) stale.push(jobId)
      }
    }
    for (const jobId of stale) this.#wake(jobId)
  }

  #end(executionId: string, counts: boolean): void {
    this.#inFlight.delete(executionId)
    const room = this.#rooms.release(executionId)
    if (room === null) return
    if (counts) room.countEnd()
    this.#offer(room)
  }

  #put(
    { id: jobId, priority, createdAtMs }: Pick<Job, 'id' | 'priority' | 'createdAtMs'>,
    of: WaitingShares,
    when: Pick<WaitingJob, 'sinceMs' | 'notBeforeMs' | 'saidOf'>,
  ): void {
    const { shares, notOn } = of
    this.waiting.put({ jobId, priority, createdAtMs, shares, notOn, ...when }, of)
  }

  /** Gives to others what is kept for a job. */
  #letGo(jobId: string): void {
    const room = this.#kept.release(jobId)
    if (room !== null) this.#offer(room)
  }

  /** Sets what a node has aside for those that wait and that it can do, as far as it goes. */
  #offer(room: NodeRoom): void {
    this.#offered.add(room)
    if (this.#isOffering) return
    this.#isOffering = true
    for (const offered of this.#offered) {
      this.#offered.delete(offered)
      this.#divide(offered)
    }
    this.#isOffering = false
  }

  #divide(room: NodeRoom): void {
    if (this.waiting.size === 0 || room.closing !== null) return
    const { groups } = this.waiting
    const { nodeId } = room.description
    const nowMs = this.#passed()
    let index = 0
    for (let looked = 0; looked < MOST_GROUPS_LOOKED_AT; looked += 1) {
      const group = groups[index]
      if (group === undefined) return
      const { needs } = group
      const places = room.placesFor(needs.capacity)
      const { keptFor } = room
      const isKept = keptFor !== null && this.waiting.groupOf(keptFor.jobId) === group
      const job = places > 0 && canDo(needs, room.description) ? firstFor(group, nodeId, nowMs) : undefined
      if (job !== undefined && (keptFor === null || !precedes(keptFor, job)))
        this.#setAside(room, group, job, places)
      else if (isKept) return
      else index += 1
    }
  }

  #setAside(room: NodeRoom, group: WaitingGroup, job: WaitingJob, places: number): void {
    const { jobId } = job
    this.waiting.remove(jobId)
    const { needs, impatient } = group
    this.#tickets.set(jobId, { room, job, of: { needs, impatient }, givenAtMs: this.#passed() })
    const shares = Math.max(1, Math.min(job.shares, places, MOST_SHARES))
    room.hold({ id: jobId, needs: times(needs.capacity, shares), isLongRunning: false })
    this.#letGo(jobId)
    this.#wake(jobId)
  }
}

/** The first of a group that a node is not closed to. */
function firstFor({ jobs }: WaitingGroup, nodeId: string, nowMs: number): WaitingJob | undefined {
  let looked = 0
  for (const job of jobs) {
    if (!job.notOn.has(nodeId) && job.notBeforeMs <= nowMs) return job
    looked += 1
    if (looked >= MOST_JOBS_LOOKED_AT) return undefined
  }
  return undefined
}

function times({ cpu, memoryBytes, diskBytes, gpu }: Capacity, count: number): Capacity {
  return {
    cpu: cpu * count,
    memoryBytes: memoryBytes * count,
    diskBytes: diskBytes * count,
    gpu: gpu * count,
  }
}
