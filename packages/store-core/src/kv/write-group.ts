import { KvWriteRun, type KvWriter } from './body.ts'
import type { KvTransaction } from './contract.ts'

/** One call of `write` that waits for its turn. */
export interface WriteRequest {
  /** Runs the body and returns what delivers its result; throws what the body threw. */
  readonly run: (run: KvWriteRun) => () => void
  readonly reject: (error: unknown) => void
  readonly background: boolean
  readonly frees: boolean
}

/** Takes what the bodies of a group write, one body after the other. `KvChangeBuffer` is one. */
export interface KvGroupWriter extends KvWriter {
  /** Keeps what the body that has run has changed. What it throws refuses that body, which is then undone. */
  keep(frees: boolean): void
  /**
   * Takes back what the body that has run has changed. What it throws ends the group: the transaction is of no use any
   * more.
   */
  undo(): void
  /** Hands what was kept to the transaction, once all bodies have run. Absent where `put` and `remove` did. */
  apply?(): void
  /** Whether a further body should wait for the next group, because room is short. Default false. */
  readonly isShort?: boolean
}

/** When a group takes no further request. */
interface GroupLimits {
  readonly keys: number
  readonly bytes: number
  readonly durationMs: number
}

const FOREGROUND_LIMITS: GroupLimits = { keys: 2_000, bytes: 8 * 1024 * 1024, durationMs: 20 }
const BACKGROUND_LIMITS: GroupLimits = { keys: 500, bytes: 2 * 1024 * 1024, durationMs: 5 }

/** What a group gets from its queue. */
export interface GroupSource {
  readonly tables: ReadonlySet<string>
  /** The oldest request that waits. */
  readonly next: () => WriteRequest | undefined
  /** Told which body runs now, and that none does. */
  readonly running: (run: KvWriteRun | undefined) => void
  /** Whether each body should have a group of its own. */
  readonly isAlone: boolean
  /** Tells the time that passes, in milliseconds. */
  readonly now: () => number
}

/** What is carried out with one commit: some bodies, and their outcomes, which are delivered after it. */
export class KvWriteGroup {
  /** Whether it is one of background work. */
  readonly background: boolean
  readonly #source: GroupSource
  readonly #limits: GroupLimits
  readonly #endsAt: number
  readonly #taken: WriteRequest[] = []
  /** In the order of the requests. */
  readonly #deliveries: (() => void)[] = []
  #keys = 0
  #bytes = 0
  #isRun = false
  #refusal: unknown

  constructor(background: boolean, source: GroupSource) {
    this.background = background
    this.#source = source
    this.#limits = background ? BACKGROUND_LIMITS : FOREGROUND_LIMITS
    this.#endsAt = source.now() + this.#limits.durationMs
  }

  /** Whether all bodies have run and what they changed was handed over, so that only the commit was left. */
  get isRun(): boolean {
    return this.#isRun
  }

  /** How many requests it has taken. */
  get size(): number {
    return this.#taken.length
  }

  /** Whether it was refused. */
  get isRefused(): boolean {
    return this.#refusal !== undefined
  }

  /**
   * Runs bodies one after the other until the group is full or none waits, and hands over what they changed. To be
   * called once, in the transaction. A body that throws is refused alone. Throws only where the whole transaction is
   * of no use.
   */
  run(writer: KvGroupWriter): void {
    while (!this.#isFull(writer)) {
      const request = this.#source.next()
      if (request === undefined) break
      this.#taken.push(request)
      this.#runOne(request, writer)
    }
    writer.apply?.()
    this.#isRun = true
  }

  /**
   * Refuses all its bodies, for instance with `STORE_FULL`, and lets the store go on. To be called instead of a
   * commit, where nothing of it was written for certain.
   */
  refuse(error: unknown): void {
    this.#refusal = error
  }

  /** Delivers all outcomes, in order. */
  deliver(): void {
    if (this.#refusal === undefined) for (const deliver of this.#deliveries) deliver()
    // Also what a body threw may rest on one that was written before it, and is not there now.
    else this.reject(this.#refusal)
  }

  /** Delivers the same error to all. */
  reject(error: unknown): void {
    for (const request of this.#taken) request.reject(error)
  }

  #runOne(request: WriteRequest, writer: KvGroupWriter): void {
    const run = new KvWriteRun(writer, this.#source.tables)
    this.#source.running(run)
    try {
      const deliver = request.run(run)
      writer.keep(request.frees)
      this.#deliveries.push(deliver)
    } catch (error) {
      writer.undo()
      this.#deliveries.push(() => {
        request.reject(error)
      })
    } finally {
      this.#source.running(undefined)
      this.#keys += run.keys
      this.#bytes += run.bytes
    }
  }

  #isFull(writer: KvGroupWriter): boolean {
    const { keys, bytes } = this.#limits
    if (this.#keys >= keys || this.#bytes >= bytes || this.#source.now() >= this.#endsAt) return true
    // Where room is short, a request should be refused for its own size, not for that of its group.
    return this.#taken.length > 0 && (this.#source.isAlone || writer.isShort === true)
  }
}

/** Makes a request of a body, and the promise of its result. */
export function writeRequest<T>(
  body: (transaction: KvTransaction) => T,
  background: boolean,
  frees: boolean,
  push: (request: WriteRequest) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    push({
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
  })
}
