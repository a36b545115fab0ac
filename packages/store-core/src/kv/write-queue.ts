import { performance } from 'node:perf_hooks'
// Imported and not taken from the global object, so that a test's fake timers do not stop the store.
import { setImmediate, setTimeout } from 'node:timers'

import type { KvWriteRun } from './body.ts'
import type { KvTransaction, KvWriteOptions } from './contract.ts'
import { failedError, outcomeUnknownError } from './refusal.ts'
import { KvWriteGroup, writeRequest } from './write-group.ts'
import { WriteShare } from './write-share.ts'

/** What a {@link KvWriteQueue} works for. */
export interface KvWriteQueueOptions {
  /** Where the data is, for messages. */
  readonly location: string
  readonly tables: ReadonlySet<string>
  /**
   * Carries out one group: begins a transaction, calls `group.run` in it, and commits. Returns when what was written
   * is as safe as the backend makes it. Throws where nothing can be trusted any more: whoever waits is then refused.
   */
  readonly commit: (group: KvWriteGroup) => void
  /** Told what `commit` threw, after all that waited was refused. */
  readonly failed: (cause: unknown) => void
  /** Tells the time that passes, in milliseconds. Default `performance.now`. */
  readonly now?: () => number
}

/**
 * After a group that took long the loop goes round once for so many milliseconds of it before the next one begins,
 * since in one turn it takes in one new connection at most.
 */
const MS_PER_TURN = 2
const MOST_TURNS = 100

/**
 * Carries out write bodies in groups, one group in one turn of the event loop and none in the turn of its call.
 * Foreground bodies go first; background ones have a quarter of the writing time while some wait in the foreground,
 * and all of it while none does. Each body runs once. Outcomes are delivered in order, only after the commit that they
 * may depend on.
 */
export class KvWriteQueue {
  readonly #options: KvWriteQueueOptions
  readonly #now: () => number
  readonly #share: WriteShare = new WriteShare()
  readonly #idleWaiters: (() => void)[] = []
  #scheduled = false
  #held = false
  #turns = 0
  #restFactor = 0
  #restMs = 0
  #lastMs = 0
  #isAlone = false
  #running: KvWriteRun | undefined

  constructor(options: KvWriteQueueOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** The body that is running now, if any. */
  get running(): KvWriteRun | undefined {
    return this.#running
  }

  /** How many groups there have been. */
  get turns(): number {
    return this.#turns
  }

  /** Queues a body; resolves with its result once that is safe. */
  submit<T>(body: (transaction: KvTransaction) => T, options: KvWriteOptions): Promise<T> {
    const { background = false, frees = background } = options
    return writeRequest(body, background, frees, (request) => {
      this.#share.push(request)
      this.#schedule()
    })
  }

  /** Lets no further group begin; what is queued waits for {@link release}. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    if (this.#share.length > 0) this.#schedule()
  }

  /** Lets each group be followed by a rest of so many times its own length; 0 for none. */
  slowDown(restFactor: number): void {
    this.#restFactor = restFactor
  }

  /** Resolves when nothing is queued, at once if nothing is. */
  async idle(): Promise<void> {
    if (!this.#scheduled && this.#share.length === 0) return
    await new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve)
    })
  }

  #schedule(): void {
    if (this.#scheduled || this.#held) return
    this.#scheduled = true
    let turnsLeft = Math.min(Math.floor(this.#lastMs / MS_PER_TURN), MOST_TURNS)
    const turn = (): void => {
      if (this.#held) this.#scheduled = false
      else if (turnsLeft-- > 0) setImmediate(turn)
      else this.#turn()
    }
    if (this.#restMs > 0) setTimeout(turn, this.#restMs)
    else setImmediate(turn)
  }

  #turn(): void {
    const startedAt = this.#now()
    const background = this.#share.backgroundIsDue()
    this.#carryOut(background)
    const durationMs = this.#now() - startedAt
    this.#share.spent(background, durationMs)
    this.#turns += 1
    this.#lastMs = durationMs
    this.#restMs = durationMs * this.#restFactor
    this.#scheduled = false
    if (this.#share.length > 0) this.#schedule()
    else for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  #carryOut(background: boolean): void {
    const group = new KvWriteGroup(background, {
      tables: this.#options.tables,
      next: () => this.#share.shift(background),
      running: (run) => {
        this.#running = run
      },
      isAlone: this.#isAlone,
      now: this.#now,
    })
    try {
      this.#options.commit(group)
    } catch (error) {
      this.#fail(group, error)
      return
    }
    // After a group that was refused each body is tried alone, until one is carried out.
    this.#isAlone = group.isRefused
    group.deliver()
  }

  /** Nothing can be trusted any more: everything that waits is refused, and the store is told. */
  #fail(group: KvWriteGroup, cause: unknown): void {
    const { location, failed } = this.#options
    group.reject(group.isRun ? outcomeUnknownError(location, cause) : failedError(location, cause))
    const others = failedError(location, cause)
    for (const request of this.#share.drain()) request.reject(others)
    failed(cause)
  }
}
