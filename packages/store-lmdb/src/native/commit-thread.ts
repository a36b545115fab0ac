import { getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { EnvironmentOptions } from './native-root.ts'

/** Where the thread's program is, seen from its source and from what is built of it. */
const PROGRAM: URL = new URL('../../dist/native/commit-thread-main.js', import.meta.url)

/** What the thread has to know of the file, and the tables that it opens. */
export interface CommitThreadData {
  readonly options: EnvironmentOptions
  readonly tables: readonly string[]
  /** A descriptor of the file, by which it is opened. */
  readonly file: number
  /** The nice value of the thread that waits for it. */
  readonly priority: number
  /** How much it has done, its own beginning among that. */
  readonly done: Int32Array
}

/** An open file and a position where nothing lies or comes to lie, to be written before LMDB writes. */
export interface Probe {
  readonly file: number
  readonly position: number
}

/** What the thread is told to do, one thing at a time. */
export type CommitOrder =
  | { readonly kind: 'commit'; readonly message: ArrayBuffer; readonly probe: Probe | undefined }
  | { readonly kind: 'extend'; readonly file: number; readonly fromBytes: number; readonly toBytes: number }
  | { readonly kind: 'close' }

/** What came of it. */
export type CommitAnswer =
  | { readonly kind: 'committed' | 'stale' | 'done' }
  | { readonly kind: 'failed'; readonly message: string; readonly code: unknown }

/** How long a commit took, in milliseconds: once all changes were handed over to LMDB, and with that. */
export interface CommitTime {
  readonly tookMs: number
  readonly allMs: number
}

/** The same, with the time of what was a commit. */
export type TimedAnswer = CommitAnswer & { readonly time?: CommitTime }

/** The most that a process waits at its end for what its threads have in hand. */
const END_MS = 5_000

/**
 * A process that exits stops its threads wherever they are, and one that is about to load lmdb, or is inside of it,
 * takes the process with it (`napi_throw` of a thread that is being stopped aborts). So the end waits for them.
 */
const living = new Set<CommitThread>()
let isEndWatched = false

function watchEnd(): void {
  if (isEndWatched) return
  isEndWatched = true
  process.on('exit', () => {
    const endMs = performance.now() + END_MS
    for (const thread of living) thread.awaitRest(endMs)
  })
}

interface Waiting {
  readonly resolve: (answer: TimedAnswer) => void
  readonly reject: (error: Error) => void
}

/**
 * A thread that makes the commits of an open file, so that the event loop does not wait for the disk. The process ends
 * without waiting for one that has nothing to do. It has the file open by itself, which is the same opening to LMDB:
 * it finds that by the data file, which it opens and closes for that, and lets the lock file alone, whose locks the
 * process would lose. A write that fails inside lmdb 3.5.6 makes it write beyond its memory (mdb.c, mdb_page_flush),
 * which ends a process in a third of all cases where a thread did it. So a byte is written before, which a disk that
 * fails refuses as well.
 */
export class CommitThread {
  /** The tables that it has open, in the order by which a message tells them. */
  readonly tables: readonly string[]
  readonly #worker: Worker
  readonly #ready: Promise<void>
  readonly #exited: Promise<void>
  readonly #done: Int32Array = new Int32Array(new SharedArrayBuffer(4))
  /** How much it has been told to do, its own beginning among that. */
  #told = 1
  #waiting: Waiting | undefined
  #end: Error | undefined
  #isReady = false

  constructor(data: Omit<CommitThreadData, 'priority' | 'done'>) {
    this.tables = data.tables
    watchEnd()
    living.add(this)
    const workerData: CommitThreadData = { ...data, priority: getPriority(), done: this.#done }
    this.#worker = new Worker(PROGRAM, { workerData, execArgv: [], name: 'saltcod-commits' })
    this.#worker.on('message', (answer: TimedAnswer) => {
      this.#answered(answer)
    })
    this.#worker.on('error', (error) => {
      this.#ended(error as Error)
    })
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#ended(new Error('the thread that makes commits has ended'))
        resolve()
      })
    })
    this.#ready = this.#next().then(
      () => {
        this.#isReady = true
      },
      () => undefined,
    )
    this.#worker.unref()
  }

  /** Whether it takes orders now. */
  get isReady(): boolean {
    return this.#isReady && this.#end === undefined
  }

  /** Whether it takes no more orders. */
  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  /** Resolves with whether it takes orders, once it has begun; it may have found no memory or descriptors to begin. */
  async begun(): Promise<boolean> {
    this.#worker.ref()
    await this.#ready
    this.#worker.unref()
    return this.isReady
  }

  /**
   * Makes a commit of a message, which is no more of use afterwards. Throws what LMDB met, or where the thread ends.
   */
  async commit(message: ArrayBuffer, probe?: Probe): Promise<CommitTime | 'stale'> {
    const { kind, time } = await this.#order({ kind: 'commit', message, probe }, [message])
    return kind === 'stale' || time === undefined ? 'stale' : time
  }

  /** Extends an open file, as `extendFile` does. */
  async extend(file: number, fromBytes: number, toBytes: number): Promise<void> {
    await this.#order({ kind: 'extend', file, fromBytes, toBytes })
  }

  /** Holds up this thread until the other one has nothing in hand, but not beyond a point of `performance.now()`. */
  awaitRest(endMs: number): void {
    for (let done = Atomics.load(this.#done, 0); done !== this.#told; done = Atomics.load(this.#done, 0)) {
      const leftMs = endMs - performance.now()
      if (leftMs <= 0 || this.#end !== undefined) return
      Atomics.wait(this.#done, 0, done, leftMs)
    }
  }

  /** Closes its opening of the file, and resolves when the thread has ended. */
  async close(): Promise<void> {
    if (!(await this.begun())) return
    await this.#order({ kind: 'close' }).catch(() => undefined)
    // Held, for the process would end before.
    this.#worker.ref()
    await this.#exited
  }

  async #order(order: CommitOrder, memory: ArrayBuffer[] = []): Promise<TimedAnswer> {
    if (this.#end !== undefined) throw this.#end
    // Whoever waits for a commit keeps the process alive.
    this.#worker.ref()
    try {
      const answer = this.#next()
      this.#told += 1
      this.#worker.postMessage(order, memory)
      const given = await answer
      if (given.kind !== 'failed') return given
      throw Object.assign(new Error(given.message), { code: given.code })
    } finally {
      this.#worker.unref()
    }
  }

  #next(): Promise<TimedAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  #answered(answer: TimedAnswer): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(answer)
  }

  #ended(error: Error): void {
    living.delete(this)
    this.#end ??= error
    this.#waiting?.reject(this.#end)
    this.#waiting = undefined
  }
}
