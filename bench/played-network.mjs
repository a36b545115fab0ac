import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
// The requester is no library: it is measured as the node has it.
import { startRequester } from '../apps/node/compiled/requester/requester.js'
import { DEFAULT_REQUESTER_SETTINGS } from '../apps/node/compiled/requester/settings.js'
import { repeat } from './callers.mjs'

/** So many of the jobs have room on one node. */
export const PLACES = 4
const AT_A_TIME = 64
const CALLERS = 256
const HOURS_MS = 3_600_000_000
const SILENT = { debug() {}, info() {}, warn() {}, error: (...said) => console.error(...said) }
const CAPACITY = { cpu: PLACES, memoryBytes: 16e9, diskBytes: 1e12, gpu: 0 }
const LOAD = { available: CAPACITY, runningExecutions: 0, enqueuedExecutions: 0, heldBack: 0 }
const NODE = { labels: {}, engines: ['noop'], publishers: [], inputSources: [], capacity: CAPACITY }

/** A requester with its store, and nodes that do what they are told at once and end it when the bench says so. */
export class PlayedNetwork {
  #store
  #requester
  #counts = { plans: 0, woken: 0, begun: 0 }
  #live = []
  #over = new AbortController()
  #loops = []

  /** Makes a store with so many jobs that are queued, and starts a requester, which finds them. */
  static async start(path, jobs, kinds) {
    const network = new PlayedNetwork()
    setMaxListeners(0, network.#over.signal)
    const store = await openLmdbJobStore({ path })
    await repeat(jobs, CALLERS, async (number) => {
      const { job } = await store.submitJob({ ...jobOf(number, kinds), evaluation: null })
      await store.transitionJob({ jobId: job.id, to: 'Queued' })
    })
    network.#store = network.#counted(store)
    network.#requester = startRequester({
      store: network.#store,
      nodeId: 'n-requester',
      settings: { ...DEFAULT_REQUESTER_SETTINGS, silentAfterMs: HOURS_MS, lostAfterMs: HOURS_MS },
      log: SILENT,
    })
    while (network.waiting < jobs) await delay(10)
    return network
  }

  /** How many jobs are remembered as waiting. */
  get waiting() {
    return this.#requester.context.placement.waiting.size
  }

  /** Counts what the requester writes, and leaves it as it is. */
  #counted(store) {
    const counts = this.#counts
    const isWaiting = (jobId) => this.#requester.context.placement.waiting.get(jobId) !== undefined
    return new Proxy(store, {
      get(target, name) {
        const found = Reflect.get(target, name)
        if (name === 'applyPlan')
          return async (plan) => {
            const written = await target.applyPlan(plan)
            counts.plans += 1
            counts.begun += plan.newExecutions.length
            return written
          }
        if (name === 'createEvaluation')
          return (evaluation) => {
            const { jobId, trigger } = evaluation
            // What only says anew why it waits goes on waiting meanwhile.
            if (trigger === 'job-queue' && !isWaiting(jobId)) counts.woken += 1
            return target.createEvaluation(evaluation)
          }
        return typeof found === 'function' ? found.bind(target) : found
      },
    })
  }

  /** Has work done that frees `room` places, and measures until nothing is left to be decided. */
  async measure(what, room, work) {
    const before = { ...this.#counts }
    const startMs = performance.now()
    await work()
    while ((await this.#store.nextEvaluationMs()) !== null) await delay(5)
    const seconds = (performance.now() - startMs) / 1000
    const [plans, woken, begun] = ['plans', 'woken', 'begun'].map((name) => this.#counts[name] - before[name])
    return {
      what,
      plans,
      seconds,
      plansPerSecond: plans / seconds,
      room,
      woken,
      begun,
      waiting: this.waiting,
    }
  }

  /** So many nodes shake hands. */
  async join(nodes) {
    const [there, live] = [this.#loops.length, this.#live.length]
    await repeat(nodes, AT_A_TIME, async (number) => {
      const nodeId = `n-${String(there + number).padStart(5, '0')}`
      await this.#requester.link.handshake({
        node: { ...NODE, nodeId },
        load: LOAD,
        store: { storeId: nodeId, durable: true, sequence: 0, openings: [] },
        executions: [],
      })
      const following = this.#follow(nodeId).catch((error) => {
        if (!this.#over.signal.aborted) throw error
      })
      this.#loops.push(following)
    })
    await this.#allBegun(live + nodes * PLACES)
  }

  /** Submits jobs. */
  async submit(jobs, kinds) {
    await repeat(jobs, CALLERS, (number) => this.#store.submitJob(jobOf(number, kinds)))
  }

  /** Ends executions, here and there, as long as at most 64 places are free. */
  async end(count) {
    const live = this.#live.length
    await repeat(count, AT_A_TIME, async () => {
      await this.#allBegun(live - AT_A_TIME + 1)
      const at = Math.floor(Math.random() * this.#live.length)
      const [execution] = this.#live.splice(at, 1)
      await this.#end(execution)
    })
    await this.#allBegun(live)
  }

  async #allBegun(live) {
    while (this.#live.length < live) await delay(1)
  }

  async #end({ nodeId, executionId }) {
    const reports = [{ executionId, revision: 3, state: 'Completed' }]
    const [answer] = await this.#requester.link.report({ nodeId, reports })
    if (answer !== 'applied') throw new Error(`the end of ${executionId} was ${answer}`)
  }

  /** A node takes what it is given, and says that it has begun it. */
  async #follow(nodeId) {
    const { link } = this.#requester
    const { signal } = this.#over
    for (let afterSequence = 0; !signal.aborted; ) {
      const poll = { nodeId, afterSequence, limit: 100, waitMs: 60_000 }
      const orders = await link.poll(poll, signal).catch(() => [])
      for (const { command } of orders) {
        if (command.kind !== 'ask-for-bid') continue
        const { executionId } = command
        await link.report({ nodeId, reports: [{ executionId, revision: 2, state: 'Running' }] })
        this.#live.push({ nodeId, executionId })
      }
      const last = orders.at(-1)
      if (last === undefined) continue
      afterSequence = last.sequence
      await link.acknowledge({ nodeId, upToSequence: afterSequence })
    }
  }

  /** Ends everything. */
  async close() {
    this.#over.abort()
    await this.#requester.stop()
    await Promise.all(this.#loops)
    await this.#store.close()
  }
}

/** Jobs of different kinds differ in what they ask for, and as many of each fit on a node. */
function jobOf(number, kinds) {
  return { type: 'batch', count: 1, priority: number % 3, spec: specOf(number % kinds) }
}

function specOf(kind) {
  return {
    Tasks: [
      {
        Name: 'main',
        Engine: { Type: 'noop', Params: {} },
        Publisher: { Type: '', Params: {} },
        Env: {},
        Meta: {},
        InputSources: [],
        ResultPaths: [],
        Resources: { CPU: '1', Memory: `${100 + kind}mb`, Disk: '', GPU: '' },
        Network: { Type: 'None', Domains: [] },
        Timeouts: { ExecutionTimeout: 0, QueueTimeout: 0, TotalTimeout: 0 },
      },
    ],
    Constraints: [],
    Meta: {},
  }
}
