import type { Deadline } from '@saltcod/store-core'
import { pause } from '../waiting/pause.ts'
import type { RequesterContext } from './context.ts'
import { requestEvaluation } from './evaluation-request.ts'
import { reconsiderWork } from './node-work.ts'

const LOOK_EVERY_MS = 1000
/** A deadline whose evaluation has not cleared it by then is brought up again. */
const ASK_AGAIN_MS = 30_000

/** Turns deadlines that have passed, and nodes that are gone, into evaluations. */
export class Deadlines {
  readonly #context: RequesterContext
  readonly #asked = new Map<string, number>()
  readonly #lost = new Set<string>()
  #strangersGivenUp = false

  constructor(context: RequesterContext) {
    this.#context = context
  }

  /** Looks at the clock until the requester stops. */
  async run(): Promise<void> {
    const { stopping, store, clock } = this.#context
    while (!stopping.aborted) {
      await this.tick()
      const dueMs = await store.nextDeadlineMs()
      const waitMs = dueMs === null ? LOOK_EVERY_MS : Math.min(Math.max(dueMs - clock(), 50), LOOK_EVERY_MS)
      await pause(waitMs, stopping)
    }
  }

  /** Looks once. */
  async tick(): Promise<void> {
    const { store, clock } = this.#context
    const nowMs = clock()
    for (const [id, atMs] of this.#asked) {
      if (Math.abs(nowMs - atMs) > ASK_AGAIN_MS) this.#asked.delete(id)
    }
    for (const deadline of await store.dueDeadlines({ limit: 1000 })) {
      if (this.#asked.has(deadline.id)) continue
      this.#asked.set(deadline.id, nowMs)
      await this.#evaluate(deadline)
    }
    await this.#giveUpLostNodes()
  }

  async #evaluate(deadline: Deadline): Promise<void> {
    const { store } = this.#context
    const ofJob = deadline.kind === 'job'
    const jobId = ofJob ? deadline.id : (await store.getExecution(deadline.id))?.jobId
    if (jobId === undefined) return
    await requestEvaluation(this.#context, jobId, ofJob ? 'job-timeout' : 'exec-timeout')
  }

  async #giveUpLostNodes(): Promise<void> {
    const { nodes, log, membership } = this.#context
    await membership.ready()
    for (const { record } of nodes.list()) {
      const loss = nodes.lossOf(record.id)
      if (loss === null) {
        this.#lost.delete(record.id)
        continue
      }
      if (this.#lost.has(record.id)) continue
      this.#lost.add(record.id)
      log.warn({ node: record.id, reason: loss }, 'the executions of a node are given up')
      await reconsiderWork(this.#context, { nodeId: record.id })
    }
    // No node has the empty id: it is lost when those are that never came since the start.
    if (this.#strangersGivenUp || !nodes.isLost('')) return
    this.#strangersGivenUp = true
    await reconsiderWork(this.#context, {}, (nodeId) => nodes.isLost(nodeId))
  }
}
