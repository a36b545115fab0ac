import { performance } from 'node:perf_hooks'
// Imported and not taken from the global object, so that a test's fake timers do not stop the store.
import { setImmediate } from 'node:timers'

import { type KvTransaction, KvWriteRun, type KvWriter } from '@saltcod/store-core'

import { type Environment, pagesOf } from './environment.ts'
import { PageEstimate } from './page-estimate.ts'
import { failedError, outcomeUnknownError } from './refusal.ts'
import type { Reserve } from './reserve.ts'
import { WriteQueue, type WriteRequest } from './write-queue.ts'

/** When a group takes no further request. */
interface GroupLimits {
  readonly keys: number
  readonly bytes: number
  readonly durationMs: number
}

const FOREGROUND_LIMITS: GroupLimits = { keys: 2_000, bytes: 8 * 1024 * 1024, durationMs: 20 }
const BACKGROUND_LIMITS: GroupLimits = { keys: 500, bytes: 2 * 1024 * 1024, durationMs: 5 }

/** What one group has done so far. */
interface Group {
  readonly limits: GroupLimits
  readonly background: boolean
  readonly estimate: PageEstimate
  readonly endsAt: number
  readonly taken: WriteRequest[]
  /** Delivers the results, in order, when the commit is on disk. */
  readonly deliveries: (() => void)[]
  keys: number
  bytes: number
  freePages: number | undefined
}

/** Ends the outer transaction of a group that holds nothing but one refused request. */
const ABANDONED: Error = new Error('The only request of the group was refused.')

/**
 * Carries out write requests in groups: one commit in one turn of the event loop, each request in a nested
 * transaction of its own, which is undone alone where its body throws. Results and refusals are delivered
 * only after the commit that they may depend on.
 */
export class GroupWriter {
  readonly #environment: Environment
  readonly #reserve: Reserve
  readonly #tables: ReadonlySet<string>
  readonly #onFailure: (error: unknown) => void
  readonly #queue: WriteQueue = new WriteQueue()
  readonly #idleWaiters: (() => void)[] = []
  #scheduled = false
  #running: KvWriteRun | undefined

  constructor(
    environment: Environment,
    reserve: Reserve,
    tables: ReadonlySet<string>,
    onFailure: (error: unknown) => void,
  ) {
    this.#environment = environment
    this.#reserve = reserve
    this.#tables = tables
    this.#onFailure = onFailure
  }

  /** The body that is running now, if any. */
  get running(): KvWriteRun | undefined {
    return this.#running
  }

  /** Queues a body; resolves with its result once that is on disk. */
  submit<T>(body: (transaction: KvTransaction) => T, background: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({
        run: (run) => {
          const result = run.run(body)
          return () => {
            resolve(result)
          }
        },
        reject,
        background,
      })
      this.#schedule()
    })
  }

  /** Resolves when nothing is queued, at once if nothing is. */
  async idle(): Promise<void> {
    if (!this.#scheduled) return
    await new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve)
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#turn()
    })
  }

  #turn(): void {
    const startedAt = performance.now()
    const background = this.#queue.backgroundIsDue()
    this.#commitGroup(background)
    this.#queue.spent(background, performance.now() - startedAt)
    this.#scheduled = false
    if (this.#queue.length > 0) this.#schedule()
    else for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #commitGroup(background: boolean): void {
    const group = this.#begin(background)
    let bodiesDone = false
    try {
      this.#reserve.begin()
      this.#environment.commit(() => {
        this.#runBodies(group)
        bodiesDone = true
      })
      this.#reserve.settle(this.#environment.lastPage() + 1, group.estimate.pages)
    } catch (error) {
      if (error !== ABANDONED) {
        this.#fail(group, error, bodiesDone)
        return
      }
    }
    for (const deliver of group.deliveries) deliver()
  }

  #begin(background: boolean): Group {
    const limits = background ? BACKGROUND_LIMITS : FOREGROUND_LIMITS
    const environment = this.#environment
    return {
      limits,
      background,
      estimate: new PageEstimate(environment.pageBytes, (table) => environment.treeSize(table)),
      endsAt: performance.now() + limits.durationMs,
      taken: [],
      deliveries: [],
      keys: 0,
      bytes: 0,
      freePages: undefined,
    }
  }

  #runBodies(group: Group): void {
    const alone = this.#queue.lengthOf(group.background) === 1
    if (alone) {
      const request = this.#queue.shift(group.background)
      if (request !== undefined) this.#runAlone(group, request)
      return
    }
    while (!this.#isFull(group)) {
      const request = this.#queue.shift(group.background)
      if (request === undefined) return
      this.#runNested(group, request)
    }
  }

  /** A group of one needs no nested transaction: to undo the request is to undo the group. */
  #runAlone(group: Group, request: WriteRequest): void {
    group.taken.push(request)
    try {
      this.#runBody(group, request)
    } catch (error) {
      if (this.#environment.fault !== undefined) throw error
      group.deliveries.push(() => {
        request.reject(error)
      })
      throw ABANDONED
    }
  }

  #runNested(group: Group, request: WriteRequest): void {
    group.taken.push(request)
    try {
      this.#environment.nest(() => {
        this.#runBody(group, request)
      })
    } catch (error) {
      if (this.#environment.fault !== undefined) throw error
      group.deliveries.push(() => {
        request.reject(error)
      })
    }
  }

  #runBody(group: Group, request: WriteRequest): void {
    const run = new KvWriteRun(this.#driver(group), this.#tables)
    this.#running = run
    try {
      group.deliveries.push(request.run(run))
    } finally {
      this.#running = undefined
      group.keys += run.keys
      group.bytes += run.bytes
    }
  }

  #driver(group: Group): KvWriter {
    const environment = this.#environment
    const claim = (pages: number): void => {
      this.#reserve.ensure(pages, group.background, () => this.#freePages(group))
    }
    return {
      get: (table, key) => environment.get(table, key),
      range: (table, range) => environment.range(table, range),
      keys: (table, range) => environment.keys(table, range),
      put: (table, key, value) => {
        claim(group.estimate.put(table, key.length, value.length))
        environment.put(table, key, value)
      },
      remove: (table, key) => {
        claim(group.estimate.remove(table))
        return environment.remove(table, key)
      },
    }
  }

  #isFull(group: Group): boolean {
    const { keys, bytes } = group.limits
    if (group.keys >= keys || group.bytes >= bytes || performance.now() >= group.endsAt) return true
    // Where room is short, a request should be refused for its own size, not for that of its group.
    return this.#reserve.isBlocked && group.taken.length > 0
  }

  /** Pages inside the file that hold nothing, as the transaction under way sees it. */
  #freePages(group: Group): number {
    group.freePages ??= freePagesOf(this.#environment, this.#tables)
    return group.freePages
  }

  /** Nothing can be trusted any more: everything that waits is refused, and the store is told. */
  #fail(group: Group, error: unknown, bodiesDone: boolean): void {
    const { path } = this.#environment
    const cause = this.#environment.fault ?? error
    const own = bodiesDone ? outcomeUnknownError(path, cause) : failedError(path, cause)
    for (const request of group.taken) request.reject(own)
    const others = failedError(path, cause)
    for (const request of this.#queue.drain()) request.reject(others)
    this.#onFailure(cause)
  }
}

/** Pages inside the used part of the file that hold nothing. */
export function freePagesOf(environment: Environment, tables: Iterable<string>): number {
  let live = META_PAGES + environment.ownPages()
  for (const table of tables) live += pagesOf(environment.treeSize(table))
  return Math.max(0, environment.lastPage() + 1 - live)
}

const META_PAGES = 2
