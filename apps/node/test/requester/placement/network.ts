import assert from 'node:assert/strict'
import { isLongRunning, type JobSpec, jobSchema, specOf } from '@saltcod/bacalhau-records'
import type { Execution, Job, JobType } from '@saltcod/store-core'
import { EXECUTION_MACHINE, JOB_MACHINE } from '@saltcod/store-core'
import { fitsIn } from '../../../src/capacity-ledger.ts'
import type { Capacity } from '../../../src/link/link.ts'
import type { KnownNode } from '../../../src/requester/placement/node-rooms.ts'
import { Placement } from '../../../src/requester/placement/placement.ts'
import type { JobNeeds } from '../../../src/requester/scheduler/needs.ts'
import { needsOf } from '../../../src/requester/scheduler/needs.ts'
import { precedes } from '../../../src/requester/scheduler/precedence.ts'
import { schedule } from '../../../src/requester/scheduler/schedule.ts'
import type { Decision, NodeClosing, SchedulingView } from '../../../src/requester/scheduler/view.ts'
import { makeJob, makeNode, START_MS, World } from '../scheduler/world.ts'

/** What a job of a test asks for. */
export interface AskedJob {
  readonly type: JobType
  readonly count: number
  /** In tenths of a core. */
  readonly cpu: number
  readonly priority: number
  /** The zone that its nodes must have; `null` for any. */
  readonly zone: string | null
  /** Whether it waits for nodes that do not exist yet. */
  readonly patient: boolean
}

const NO_NODES: readonly KnownNode[] = []
const NOTHING: Capacity = { cpu: 0, memoryBytes: 0, diskBytes: 0, gpu: 0 }
const BY_ITSELF = { reason: '', deadlineAtMs: null }

/**
 * A requester with many jobs and nodes in miniature: the placement and the scheduler are real, the store and the nodes
 * are played. After each step everything that a network has to keep to is looked at.
 */
export class Network {
  nowMs = START_MS
  readonly worlds = new Map<string, World>()
  placement: Placement
  readonly nodes = new Map<string, KnownNode>()
  /** Jobs that are to be looked at. */
  readonly pending: string[] = []
  /** How often a job was woken because of room. */
  wakes = 0

  /** Nodes that were deleted and have not come again. */
  readonly #deleted = new Set<string>()

  constructor() {
    this.placement = this.#makePlacement()
  }

  #makePlacement(): Placement {
    return new Placement({
      passed: () => this.nowMs,
      wake: (jobId) => {
        this.wakes += 1
        this.pending.push(jobId)
      },
    })
  }

  /** A node shakes hands for the first time, or the first time since it was deleted. */
  join(nodeId: string, cpu: number, zone: string): void {
    this.#deleted.delete(nodeId)
    const { description, load } = makeNode(nodeId, { zone })
    const capacity = { ...description.capacity, cpu: cpu / 10 }
    this.nodes.set(nodeId, { description: { ...description, capacity }, load, closing: null })
    this.#refresh()
  }

  /** A node goes quiet, is drained, or takes work again. */
  close(nodeId: string, closing: NodeClosing | null): void {
    const node = this.nodes.get(nodeId)
    if (node === undefined) return
    this.nodes.set(nodeId, { ...node, closing })
    this.#refresh()
    this.#reconsider(nodeId)
  }

  /** Has the jobs looked at that have something on a node, or may wait for it. */
  #reconsider(nodeId: string): void {
    for (const world of this.worlds.values()) {
      if (world.live().some((execution) => execution.nodeId === nodeId)) this.pending.push(world.job.id)
    }
    this.pending.push(...this.placement.everywhere.ofType('ops'))
  }

  /** A node is deleted. */
  delete(nodeId: string): void {
    if (!this.nodes.delete(nodeId)) return
    this.#deleted.add(nodeId)
    this.#refresh()
    this.#reconsider(nodeId)
  }

  /** The requester begins anew, and its nodes come one after another. */
  restart(): void {
    this.placement = this.#makePlacement()
    this.pending.length = 0
    const nodes = [...this.nodes.values()]
    const away = new Map<string, KnownNode>(
      nodes.map((node) => [node.description.nodeId, { ...node, closing: node.closing ?? 'silent' }]),
    )
    this.placement.refresh([...away.values()])
    for (const { job } of this.worlds.values()) {
      this.placement.everywhere.note(job, job.state)
      const waits = job.state === 'Queued' && (job.type === 'batch' || job.type === 'service')
      if (!(waits && this.placement.remember(job)) && !JOB_MACHINE.terminal.has(job.state))
        this.pending.push(job.id)
    }
    this.#work()
    for (const node of nodes) {
      const { nodeId } = node.description
      const joining = this.placement.beginJoin(nodeId)
      const holders = this.live()
        .filter((execution) => execution.nodeId === nodeId)
        .map(({ id, jobId }) => {
          const { job } = this.#world(jobId)
          return { id, needs: needsOf(job.spec).capacity, isLongRunning: isLongRunning(job.type) }
        })
      away.set(nodeId, node)
      const opened = this.placement.refresh([...away.values()])
      this.placement.correct(nodeId, holders, joining)
      this.placement.endJoin(joining)
      this.#welcome(opened)
    }
    this.settle()
  }

  submit({ type, count, cpu, priority, zone, patient }: AskedJob): string {
    const id = `j-${this.worlds.size}`
    const isEverywhere = type === 'ops' || type === 'daemon'
    const job: Job<JobSpec> = {
      ...makeJob(type, isEverywhere ? 0 : count, zonedSpec(cpu, zone, patient)),
      id,
      priority,
      createdAtMs: this.nowMs,
      stateSinceMs: this.nowMs,
    }
    const world = new World(job, [])
    world.pending = []
    world.nowMs = this.nowMs
    world.scheduleBy = (view) => this.#decide(view)
    world.knows = (nodeId) => this.nodes.has(nodeId)
    this.worlds.set(id, world)
    this.pending.push(id)
    return id
  }

  /** A live execution goes on to its end. */
  end(execution: Execution, to: 'Completed' | 'Failed'): void {
    const world = this.#world(execution.jobId)
    world.report(execution.id, 'Running')
    world.report(execution.id, to, 'broke', to === 'Failed' ? 'failed' : null)
    this.placement.ended(execution.id)
    this.#collect(world)
  }

  /** Every live execution begins. */
  begin(): void {
    for (const world of this.worlds.values()) {
      for (const { id, state } of world.live()) if (state === 'New') world.report(id, 'Running')
      this.#collect(world)
    }
    this.settle()
  }

  /** What has become of every execution. */
  picture(): readonly string[] {
    return [...this.worlds.values()].flatMap(({ executions }) =>
      [...executions.values()].map(({ id, nodeId, state }) => `${id} on ${nodeId}: ${state}`),
    )
  }

  /** All live executions, of jobs of some types. */
  live(...types: readonly JobType[]): Execution[] {
    return [...this.worlds.values()]
      .filter(({ job }) => types.length === 0 || types.includes(job.type))
      .flatMap((world) => world.live())
  }

  /** Lets time pass, and looks at everything that is due. */
  pass(ms: number): void {
    this.nowMs += ms
    for (const world of this.worlds.values()) world.nowMs = this.nowMs
    this.placement.tick()
    this.placement.wakeStale(1000)
    for (const world of this.worlds.values()) this.#collect(world)
    this.settle()
  }

  /** Decides until nothing is left to be decided, in the order of the store. */
  settle(): void {
    this.#work()
    this.check()
  }

  #work(): void {
    for (let rounds = 0; this.pending.length > 0; rounds += 1) {
      assert.ok(rounds < 20_000, 'the scheduler comes to rest')
      const turns = this.pending.map((id) => turnOf(this.#world(id).job))
      const first = turns.reduce((best, turn) => (precedes(turn, best) ? turn : best))
      this.pending.splice(this.pending.indexOf(first.jobId), 1)
      const world = this.#world(first.jobId)
      const decision = world.decide('job-queue')
      for (const { executionId, to } of decision.updates) {
        if (to !== undefined && to !== null && EXECUTION_MACHINE.terminal.has(to))
          this.placement.givenUp(executionId)
      }
      this.#collect(world)
    }
  }

  /** What always holds when nothing is left to be decided. */
  check(): void {
    const held = new Map<string, number>()
    for (const world of this.worlds.values()) this.#checkJob(world, held)
    for (const room of this.placement.nodes) {
      const { nodeId, capacity } = room.description
      const used = held.get(nodeId) ?? 0
      const free = Math.max(0, Math.round(capacity.cpu * 10) - used)
      assert.equal(Math.round(room.free.cpu * 10), free, `the promises of ${nodeId} are those of the store`)
    }
    this.#checkWork()
  }

  #checkJob(world: World, held: Map<string, number>): void {
    const { job } = world
    const live = world.live()
    const cpu = Math.round(needsOf(job.spec).capacity.cpu * 10)
    for (const { nodeId } of live) held.set(nodeId, (held.get(nodeId) ?? 0) + cpu)
    const shares = live.map(({ partition, nodeId }) => partition ?? nodeId)
    assert.equal(new Set(shares).size, shares.length, `one execution for each share of ${job.id}`)
    if (JOB_MACHINE.terminal.has(job.state)) assert.deepEqual(live, [], `nothing is left of ${job.id}`)
    if (job.type !== 'daemon' || JOB_MACHINE.terminal.has(job.state)) return
    const resting = world.pending.length > 0
    const wanted = [...this.nodes.values()].filter(({ closing, description }) => {
      return closing === null && isFor(job, description.labels, description.capacity)
    })
    for (const { description } of wanted) {
      const there = live.filter(({ nodeId }) => nodeId === description.nodeId).length
      assert.ok(there === 1 || (there === 0 && resting), `${job.id} is on ${description.nodeId} once`)
    }
    for (const { nodeId } of live)
      assert.notEqual(this.nodes.get(nodeId)?.closing, 'drained', 'a daemon leaves a drained node')
  }

  /** No job waits for what is free, and nothing that waits is forgotten. */
  #checkWork(): void {
    for (const world of this.worlds.values()) {
      const { job, executions } = world
      const waiting = this.placement.waiting.get(job.id)
      const isAsked = world.live().length > 0 || world.pending.some(({ trigger }) => trigger !== 'job-queue')
      if (job.state === 'Queued' && !isAsked && (job.type === 'batch' || job.type === 'service'))
        assert.ok(waiting !== undefined, `${job.id} is remembered: ${job.stateMessage}`)
      if (waiting === undefined) this.#checkCount(world)
      if (waiting === undefined || waiting.notBeforeMs > this.nowMs || executions.size > 100) continue
      for (const room of this.placement.nodes) {
        const { description, closing, free, keptFor } = room
        if (closing !== null || waiting.notOn.has(description.nodeId)) continue
        if (keptFor !== null && keptFor.jobId !== job.id) continue
        if (!isFor(job, description.labels, description.capacity)) continue
        assert.ok(!fitsIn(needsOf(job.spec).capacity, free), `${job.id} does not wait beside a free node`)
      }
    }
  }

  /** A job of which nothing waits has all that was asked for, or does something about it. */
  #checkCount({ job, executions, pending }: World): void {
    if (JOB_MACHINE.terminal.has(job.state) || (job.type !== 'batch' && job.type !== 'service')) return
    const placed = [...executions.values()].filter(
      ({ state }) => state === 'Completed' || !EXECUTION_MACHINE.terminal.has(state),
    )
    const missing = job.count - new Set(placed.map(({ partition }) => partition)).size
    assert.ok(missing <= 0 || pending.length > 0, `${job.id} lacks ${missing} of ${job.count}`)
  }

  #decide(view: SchedulingView): Decision {
    const { job } = view
    const ticket = this.placement.begin(job.id)
    const wasFree = ticket?.room.free
    const before = new Map(this.placement.nodes.map(({ description, free }) => [description.nodeId, free]))
    const decision = schedule({
      ...view,
      nodes: this.placement.nodes,
      awaitedNodes: new Set(),
      lostNodes: new Map(
        [...this.#closedBy('lost', 'rejected'), ...this.#deleted].map((nodeId) => [
          nodeId,
          `${nodeId} is gone`,
        ]),
      ),
      drainedNodes: new Map([...this.#closedBy('drained')].map((nodeId) => [nodeId, BY_ITSELF])),
      remembersWaiting: this.placement.hasPlaceFor(job.id),
    })
    for (const { nodeId } of decision.newExecutions) {
      const node = this.nodes.get(nodeId)
      assert.ok(node !== undefined && node.closing === null, `${nodeId} takes new work`)
      const { labels, capacity } = node.description
      assert.ok(isFor(job, labels, capacity), `${job.id} suits ${nodeId}`)
      if (job.type === 'ops' || job.type === 'daemon') continue
      const free = before.get(nodeId) ?? NOTHING
      const needs = needsOf(job.spec).capacity
      assert.ok(fitsIn(needs, free), `${job.id} has room on ${nodeId}`)
      // What it was woken for was its turn then.
      if (ticket === null) this.#checkTurn(job, node, free)
      before.set(nodeId, { ...free, cpu: Math.round((free.cpu - needs.cpu) * 1000) / 1000 })
    }
    // A job that runs everywhere takes its place in any case.
    const isLeft = ticket?.room.closing === null && fitsIn(needsOf(job.spec).capacity, wasFree ?? NOTHING)
    if (isLeft && decision.waiting !== null)
      assert.notEqual(decision.newExecutions.length, 0, `${job.id} was not woken in vain`)
    this.placement.take(job, decision, ticket)
    this.placement.settle(decision)
    return decision
  }

  /** Nobody who waits for a node and whose turn is earlier would have had the room that is taken. */
  #checkTurn(job: Job<JobSpec>, { description }: KnownNode, free: Capacity): void {
    for (const { job: other } of this.worlds.values()) {
      const waiting = this.placement.waiting.get(other.id)
      if (waiting === undefined || other.id === job.id || !precedes(waiting, turnOf(job))) continue
      if (waiting.notOn.has(description.nodeId) || waiting.notBeforeMs > this.nowMs) continue
      if (!isFor(other, description.labels, description.capacity)) continue
      assert.ok(!fitsIn(needsOf(other.spec).capacity, free), `${job.id} does not overtake ${other.id}`)
    }
  }

  #closedBy(...closings: readonly NodeClosing[]): string[] {
    return [...this.nodes.values()]
      .filter(({ closing }) => closing !== null && closings.includes(closing))
      .map(({ description }) => description.nodeId)
  }

  #refresh(): void {
    const opened = this.placement.refresh([...this.nodes.values()])
    this.#welcome(opened)
  }

  #welcome(opened: ReturnType<Placement['refresh']>): void {
    this.placement.welcome(opened)
    this.pending.push(...this.placement.everywhere.forAny(opened.map(({ description }) => description)))
  }

  /** Has a job looked at for each of its evaluations that is due. */
  #collect(world: World): void {
    const due = world.pending.filter(({ dueAtMs = 0 }) => dueAtMs <= this.nowMs)
    world.pending = world.pending.filter(({ dueAtMs = 0 }) => dueAtMs > this.nowMs)
    if (due.length > 0) this.pending.push(world.job.id)
  }

  #world(jobId: string): World {
    const world = this.worlds.get(jobId)
    assert.ok(world, `there is a job ${jobId}`)
    return world
  }
}

/** Whether a node can do a job at all, worked out otherwise than the scheduler does. */
function isFor(
  { spec }: Job<JobSpec>,
  labels: Readonly<Record<string, string>>,
  capacity: Capacity,
): boolean {
  const { constraints, capacity: needed }: JobNeeds = needsOf(spec)
  const zones = constraints.flatMap(({ Values }) => Values)
  return needed.cpu <= capacity.cpu && zones.every((zone) => labels['zone'] === zone)
}

function turnOf({ id: jobId, priority, createdAtMs }: Job<JobSpec>) {
  return { jobId, priority, createdAtMs }
}

function zonedSpec(cpu: number, zone: string | null, patient: boolean): JobSpec {
  const task = {
    Name: 'main',
    Engine: { Type: 'noop' },
    Resources: { CPU: `${cpu * 100}m` },
    Timeouts: { QueueTimeout: patient ? 1_000_000 : 0 },
  }
  const Constraints = zone === null ? [] : [{ Key: 'zone', Operator: '=', Values: [zone] }]
  return specOf(jobSchema.parse({ Tasks: [task], Constraints }))
}

/** Nodes that are known to a network before it begins. */
export function networkOf(...nodes: readonly (readonly [id: string, cpu: number, zone: string])[]): Network {
  const network = new Network()
  network.placement.refresh(NO_NODES)
  for (const node of nodes) network.join(...node)
  return network
}
