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
   * Carries out one group: begins a transaction, calls `group.run` in it, and commits. Returns, or resolves, when what
   * was written is as safe as the backend makes it; `group.run` was called before it returned. Throws, or rejects,
   * where nothing can be trusted any more: whoever waits is then refused.
   */
  readonly commit: (group: KvWriteGroup) => void | Promise<void>
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

/** When a group began, and how long it held up the event loop, by the time that passes. */
interface Began {
  readonly background: boolean
  readonly atMs: number
  readonly heldUpMs: number
}

/**
 * Carries out write bodies in groups, one group in one turn of the event loop and none in the turn of its call; a
 * commit may take further turns, and then no other group begins before its end.
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
  /** Settles with the commit that is under way, if any. */
  #underWay: Promise<void> | undefined
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

  /** Lets no further group begin, and resolves when none is under way; what is queued waits for {@link release}. */
  async hold(): Promise<void> {
    this.#held = true
    await this.#underWay
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
    const atMs = this.#now()
    const background = this.#share.backgroundIsDue()
    const group = this.#makeGroup(background)
    try {
      const committing = this.#options.commit(group)
      const began = { background, atMs, heldUpMs: this.#now() - atMs }
      if (committing === undefined) this.#succeed(group, began)
      else
        this.#underWay = committing.then(
          () => {
            this.#succeed(group, began)
          },
          (error: unknown) => {
            this.#fail(group, error, began)
          },
        )
    } catch (error) {
      this.#fail(group, error, { background, atMs, heldUpMs: this.#now() - atMs })
    }
  }

  #makeGroup(background: boolean): KvWriteGroup {
    return new KvWriteGroup(background, {
      tables: this.#options.tables,
      next: () => this.#share.shift(background),
      running: (run) => {
        this.#running = run
      },
      isAlone: this.#isAlone,
      now: this.#now,
    })
  }

  #succeed(group: KvWriteGroup, began: Began): void {
    // After a group that was refused each body is tried alone, until one is carried out.
    this.#isAlone = group.isRefused
    group.deliver()
    this.#end(began)
  }

  #end({ background, atMs, heldUpMs }: Began): void {
    const durationMs = this.#now() - atMs
    this.#share.spent(background, durationMs)
    this.#turns += 1
    this.#lastMs = heldUpMs
    this.#restMs = durationMs * this.#restFactor
    this.#underWay = undefined
    this.#scheduled = false
    if (this.#share.length > 0) this.#schedule()
    else for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  /** Nothing can be trusted any more: everything that waits is refused, and the store is told. */
  #fail(group: KvWriteGroup, cause: unknown, began: Began): void {
    const { location, failed } = this.#options
    group.reject(group.isRun ? outcomeUnknownError(location, cause) : failedError(location, cause))
    const others = failedError(location, cause)
    for (const request of this.#share.drain()) request.reject(others)
    failed(cause)
    this.#end(began)
  }
}
