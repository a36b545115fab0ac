import { performance } from 'node:perf_hooks'
// Imported and not taken from the global object, so that a test's fake timers do not stop the store.
import { setImmediate, setTimeout } from 'node:timers'

import {
  type KvChangedKey,
  type KvTransaction,
  type KvWriteOptions,
  KvWriteRun,
} from '@saltcod/store-core/backend'
import { QUARANTINE } from '../file/suspect-walk.ts'
import type { Environment } from '../native/environment.ts'
import { pagesOf } from '../native/tree-size.ts'
import { failedError, outcomeUnknownError } from '../refusal.ts'
import { ChangeBuffer } from './change-buffer.ts'
import { PageEstimate } from './page-estimate.ts'
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
  readonly buffer: ChangeBuffer
  readonly endsAt: number
  readonly taken: WriteRequest[]
  /** Delivers the results, in order, when the commit is on disk. */
  readonly deliveries: (() => void)[]
  keys: number
  bytes: number
  freePages: number | undefined
  quarantined: boolean
}

/** What a {@link GroupWriter} tells of. */
export interface GroupEvents {
  /** A group has been committed; throws where that is worth nothing. */
  readonly confirm: () => void
  /** A group is on disk; its requests have not been answered yet. */
  readonly committed: () => void
  /** A damaged record has been noted, which is on disk now. */
  readonly quarantined: () => void
  /** Nothing can be trusted any more. */
  readonly failed: (cause: unknown) => void
}

/**
 * Carries out write requests in groups: one commit in one turn of the event loop. What the bodies write is
 * buffered until all have run, so that one that fails leaves nothing behind. Results and refusals are
 * delivered only after the commit that they may depend on.
 */
export class GroupWriter {
  readonly #environment: Environment
  readonly #reserve: Reserve
  readonly #tables: ReadonlySet<string>
  readonly #events: GroupEvents
  readonly #queue: WriteQueue = new WriteQueue()
  readonly #idleWaiters: (() => void)[] = []
  #scheduled = false
  #held = false
  #turns = 0
  #restFactor = 0
  #restMs = 0
  #listener: ((changes: Iterable<KvChangedKey>) => void) | undefined
  #running: KvWriteRun | undefined

  constructor(environment: Environment, reserve: Reserve, tables: ReadonlySet<string>, events: GroupEvents) {
    this.#environment = environment
    this.#reserve = reserve
    this.#tables = tables
    this.#events = events
  }

  /** The body that is running now, if any. */
  get running(): KvWriteRun | undefined {
    return this.#running
  }

  /** Queues a body; resolves with its result once that is on disk. */
  submit<T>(body: (transaction: KvTransaction) => T, options: KvWriteOptions): Promise<T> {
    const { background = false, frees = background } = options
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
        frees,
      })
      this.#schedule()
    })
  }

  /** How many groups there have been. */
  get turns(): number {
    return this.#turns
  }

  /** Tells a listener of every change that is made, until it is told `undefined`. */
  listen(listener: ((changes: Iterable<KvChangedKey>) => void) | undefined): void {
    this.#listener = listener
  }

  /** Lets no further group begin; what is queued waits for {@link release}. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    if (this.#queue.length > 0) this.#schedule()
  }

  /** Lets each group be followed by a rest of so many times its own length; 0 for none. */
  slowDown(restFactor: number): void {
    this.#restFactor = restFactor
  }

  /** Resolves when nothing is queued, at once if nothing is. */
  async idle(): Promise<void> {
    if (!this.#scheduled && this.#queue.length === 0) return
    await new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve)
    })
  }

  #schedule(): void {
    if (this.#scheduled || this.#held) return
    this.#scheduled = true
    const turn = (): void => {
      if (this.#held) this.#scheduled = false
      else this.#turn()
    }
    if (this.#restMs > 0) setTimeout(turn, this.#restMs)
    else setImmediate(turn)
  }

  #turn(): void {
    const startedAt = performance.now()
    const background = this.#queue.backgroundIsDue()
    this.#commitGroup(background)
    const durationMs = performance.now() - startedAt
    this.#queue.spent(background, durationMs)
    this.#turns += 1
    this.#restMs = durationMs * this.#restFactor
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
        this.#apply(group)
        bodiesDone = true
      })
      this.#reserve.settle(this.#environment.lastPage() + 1, group.estimate.pages)
      this.#events.confirm()
    } catch (error) {
      this.#fail(group, error, bodiesDone)
      return
    }
    this.#events.committed()
    if (group.quarantined) this.#events.quarantined()
    for (const deliver of group.deliveries) deliver()
  }

  #begin(background: boolean): Group {
    const limits = background ? BACKGROUND_LIMITS : FOREGROUND_LIMITS
    const environment = this.#environment
    return {
      limits,
      background,
      estimate: new PageEstimate(environment.pageBytes, this.#reserve.usedPages, (table) =>
        environment.treeSize(table),
      ),
      buffer: new ChangeBuffer(environment),
      endsAt: performance.now() + limits.durationMs,
      taken: [],
      deliveries: [],
      keys: 0,
      bytes: 0,
      freePages: undefined,
      quarantined: false,
    }
  }

  #runBodies(group: Group): void {
    while (!this.#isFull(group)) {
      const request = this.#queue.shift(group.background)
      if (request === undefined) return
      group.taken.push(request)
      try {
        this.#runBody(group, request)
      } catch (error) {
        if (this.#environment.fault !== undefined) throw error
        group.deliveries.push(() => {
          request.reject(error)
        })
      }
    }
  }

  #runBody(group: Group, request: WriteRequest): void {
    const { buffer } = group
    const run = new KvWriteRun(buffer, this.#tables)
    this.#running = run
    try {
      const deliver = request.run(run)
      this.#claimRoom(group, request.frees)
      buffer.keep()
      group.deliveries.push(deliver)
    } catch (error) {
      buffer.undo()
      throw error
    } finally {
      this.#running = undefined
      group.keys += run.keys
      group.bytes += run.bytes
    }
  }

  /** Room for all of a body's changes is claimed before the next body runs, so that it is refused whole. */
  #claimRoom(group: Group, frees: boolean): void {
    const { buffer, estimate } = group
    let changed = false
    buffer.visitPending(({ table, key, value }, before) => {
      if (value === null) estimate.remove(table)
      else if (before === undefined || value.length > (before.value?.length ?? -1))
        estimate.put(table, key.length, value.length)
      else return
      changed = true
    })
    if (changed) this.#reserve.ensure(estimate.pages, frees, () => this.#freePages(group))
  }

  #apply(group: Group): void {
    const { buffer } = group
    for (const { table, key, value } of buffer.changes()) {
      if (table === QUARANTINE && value !== null) group.quarantined = true
      if (value === null) this.#environment.remove(table, key)
      else this.#environment.put(table, key, value)
    }
    this.#listener?.(buffer.changes())
  }

  #isFull(group: Group): boolean {
    const { keys, bytes } = group.limits
    if (group.keys >= keys || group.bytes >= bytes || performance.now() >= group.endsAt) return true
    // Where room is short, a request should be refused for its own size, not for that of its group.
    return this.#reserve.isShort && group.taken.length > 0
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
    this.#events.failed(cause)
  }
}

/** Pages inside the used part of the file that hold nothing. */
export function freePagesOf(environment: Environment, tables: Iterable<string>): number {
  let live = META_PAGES + environment.ownPages()
  for (const table of tables) live += pagesOf(environment.treeSize(table))
  return Math.max(0, environment.lastPage() + 1 - live)
}

const META_PAGES = 2
