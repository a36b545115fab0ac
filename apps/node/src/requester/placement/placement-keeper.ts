import { isLongRunning, type JobSpec } from '@saltcod/bacalhau-records'
import { type Execution, isStoreError, type Job } from '@saltcod/store-core'
import type { Capacity } from '../../link/link.ts'
import { breathing } from '../../waiting/breath.ts'
import { pause } from '../../waiting/pause.ts'
import { allItems } from '../all-items.ts'
import type { RequesterContext } from '../context.ts'
import { requestEvaluation } from '../evaluation-request.ts'
import { closingOf } from './node-closing.ts'
import type { Holder, NodeRoom } from './node-room.ts'
import type { Joining } from './placement.ts'

const LOOK_EVERY_MS = 1000
/**
 * What no node can do, and what says of other nodes why it waits, is looked at so often, and not until so long after a
 * node came: others may follow.
 */
const STALE_EVERY_MS = 30_000
const MOST_STALE = 500
/** So often the store is asked for jobs that wait and were forgotten, which should never be. */
const COMPARE_EVERY_MS = 600_000
const AT_A_TIME = 64

/** Keeps the placement up to the nodes and the store: who comes, who goes, whom to wake, what waits. */
export class PlacementKeeper {
  readonly #context: RequesterContext
  readonly #woken = new Set<string>()
  readonly #opened: NodeRoom[] = []
  #waking: Promise<void> | null = null
  #telling: Promise<void> | null = null
  /** How often something of the nodes had changed when they were looked at last. */
  #seen = 0
  #tickedAtMs = Number.NEGATIVE_INFINITY
  #openedAtMs: number
  #staleAtMs: number
  #comparedAtMs: number

  constructor(context: RequesterContext) {
    this.#context = context
    const nowMs = performance.now()
    this.#openedAtMs = nowMs
    this.#staleAtMs = nowMs
    this.#comparedAtMs = nowMs
  }

  /** Looks at the nodes once a second, and when something of them changes, until the requester stops. */
  async run(): Promise<void> {
    const { stopping, nodes, placement, membership } = this.#context
    await membership.ready()
    while (!stopping.aborted) {
      this.refresh()
      const nowMs = performance.now()
      if (nowMs - this.#tickedAtMs >= LOOK_EVERY_MS) {
        this.#tickedAtMs = nowMs
        placement.tick()
      }
      if (nowMs - Math.max(this.#openedAtMs, this.#staleAtMs) > STALE_EVERY_MS) {
        this.#staleAtMs = nowMs
        placement.wakeStale(MOST_STALE)
      }
      if (nowMs - this.#comparedAtMs > COMPARE_EVERY_MS) {
        this.#comparedAtMs = nowMs
        await this.#rememberQueued()
      }
      await nodes.changes.wait(this.#seen, { maxMs: LOOK_EVERY_MS, signal: stopping })
    }
    await Promise.all([this.#waking, this.#telling])
  }

  /** Takes in how the nodes stand, and has those used that take new work from now on. */
  refresh(): void {
    this.#welcome(this.#look())
  }

  /** The same where something of them has changed since. */
  follow(): void {
    if (this.#context.nodes.changes.count !== this.#seen) this.refresh()
  }

  /** Reads which of the jobs of some executions should run for ever. */
  async longRunningJobs(executions: readonly Pick<Execution, 'jobId'>[]): Promise<ReadonlySet<string>> {
    const { store } = this.#context
    const found = new Set<string>()
    for await (const id of breathing(new Set(executions.map(({ jobId }) => jobId)))) {
      try {
        const job = await store.getJob(id)
        if (job !== null && isLongRunning(job.type)) found.add(id)
      } catch (error) {
        if (!isStoreError(error, 'RECORD_CORRUPT')) throw error
      }
    }
    return found
  }

  /** Takes a node in that has shaken hands, with the executions that the store has on it. */
  join(
    nodeId: string,
    executions: readonly Execution[],
    longRunning: ReadonlySet<string>,
    joining: Joining,
  ): void {
    const { placement } = this.#context
    const holders = executions.map(({ id, jobId, resources }): Holder => {
      return { id, needs: capacityOf(resources), isLongRunning: longRunning.has(jobId) }
    })
    const opened = this.#look()
    placement.correct(nodeId, holders, joining)
    this.#welcome(opened)
  }

  /** Has a job looked at for which room was set aside. */
  wake(jobId: string): void {
    this.#woken.add(jobId)
    this.#waking ??= this.#wakeAll().finally(() => {
      this.#waking = null
    })
  }

  /**
   * Remembers what a start finds of a job in progress. Returns false where it does not wait for a node with room, or
   * there is no place for it.
   */
  remember(job: Job<JobSpec>): boolean {
    this.#context.placement.everywhere.note(job, job.state)
    const waits = job.state === 'Queued' && (job.type === 'batch' || job.type === 'service')
    return waits && this.#context.placement.remember(job)
  }

  async #rememberQueued(): Promise<void> {
    const { store, stopping } = this.#context
    for await (const job of allItems((cursor) =>
      store.listJobs({ states: ['Queued'], limit: 200, cursor }),
    )) {
      if (stopping.aborted) return
      this.remember(job)
    }
  }

  #look(): readonly NodeRoom[] {
    const { nodes, placement } = this.#context
    this.#seen = nodes.changes.count
    return placement.refresh(
      nodes.list().map((node) => {
        const { description, load } = node
        return { description, load, closing: closingOf(node) }
      }),
    )
  }

  #welcome(opened: readonly NodeRoom[]): void {
    if (opened.length === 0) return
    this.#openedAtMs = performance.now()
    this.#context.placement.welcome(opened)
    this.#opened.push(...opened)
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = null
    })
  }

  /** Has the jobs that run on every node looked at which a node that takes new work can do. */
  async #tellAll(): Promise<void> {
    const { log, placement, stopping } = this.#context
    while (this.#opened.length > 0 && !stopping.aborted) {
      const opened = this.#opened.splice(0)
      try {
        const jobIds = placement.everywhere.forAny(opened.map(({ description }) => description))
        for (const jobId of jobIds) await requestEvaluation(this.#context, jobId, 'node-join')
      } catch (error) {
        if (stopping.aborted) return
        log.error(
          { err: error },
          'cannot tell the jobs that run everywhere of a node that came, will try again',
        )
        this.#opened.push(...opened)
        await pause(LOOK_EVERY_MS, stopping)
      }
    }
  }

  async #wakeAll(): Promise<void> {
    const { log, placement, stopping } = this.#context
    // So that all that one turn wakes goes together.
    await Promise.resolve()
    while (this.#woken.size > 0 && !stopping.aborted) {
      const jobIds = [...this.#woken].slice(0, AT_A_TIME)
      for (const jobId of jobIds) this.#woken.delete(jobId)
      await Promise.all(
        jobIds.map(async (jobId) => {
          try {
            if ((await requestEvaluation(this.#context, jobId, 'job-queue')) === null) placement.forget(jobId)
          } catch (error) {
            if (stopping.aborted) return
            log.error({ err: error, job: jobId }, 'cannot have a job looked at that a node has room for')
            placement.returnToWaiting(jobId)
          }
        }),
      )
    }
  }
}

/** What an execution was asked for with, or what its node said that it holds. */
function capacityOf(resources: unknown): Capacity {
  const amount = (name: keyof Capacity): number => {
    const found: unknown =
      typeof resources === 'object' && resources !== null ? Reflect.get(resources, name) : undefined
    return typeof found === 'number' && found > 0 ? found : 0
  }
  return {
    cpu: amount('cpu'),
    memoryBytes: amount('memoryBytes'),
    diskBytes: amount('diskBytes'),
    gpu: amount('gpu'),
  }
}
