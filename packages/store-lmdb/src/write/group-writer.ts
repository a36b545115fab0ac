import type { KvChangedKey, KvWriteGroup } from '@saltcod/store-core/backend'
import { CommitThread } from '../native/commit-thread.ts'
import type { Environment } from '../native/environment.ts'
import { groupMessage } from '../native/group-message.ts'
import { CommitPlace, type CommitThreadUse } from './commit-place.ts'
import { GroupBuffer } from './group-buffer.ts'
import type { Reserve } from './reserve.ts'

/** What a {@link GroupWriter} tells of. */
export interface GroupEvents {
  /** A group has been committed; throws where that is worth nothing. */
  readonly confirm: () => void
  /** A group is on disk; its requests have not been answered yet. */
  readonly committed: () => void
  /** A damaged record has been noted, which is on disk now. */
  readonly quarantined: () => void
}

/** What a {@link GroupWriter} works with. */
export interface GroupWriterParts {
  readonly environment: Environment
  readonly reserve: Reserve
  readonly tables: ReadonlySet<string>
  readonly threadUse: CommitThreadUse
}

/** So long after a thread could not be begun none is tried. */
const THREAD_PAUSE_MS = 60_000

/**
 * Carries out groups of write bodies, each with one commit. What the bodies write is buffered until all have run, and
 * each claims room in the file before the next one runs, so that one that fails or finds no room leaves nothing
 * behind. The commit is made here, or by a thread, in a transaction of its own: nobody else writes in between.
 */
export class GroupWriter {
  readonly #parts: GroupWriterParts
  readonly #events: GroupEvents
  readonly #place: CommitPlace
  #thread: CommitThread | undefined
  #noThreadUntilMs = 0
  #listener: ((changes: Iterable<KvChangedKey>) => void) | undefined

  constructor(parts: GroupWriterParts, events: GroupEvents) {
    this.#parts = parts
    this.#events = events
    this.#place = new CommitPlace(parts.threadUse)
  }

  /**
   * Tells a listener of every change that is made, once reads see it, until it is told `undefined`. One that heard of
   * it earlier and looked at once would find what was there before.
   */
  listen(listener: ((changes: Iterable<KvChangedKey>) => void) | undefined): void {
    this.#listener = listener
  }

  /** Resolves when a thread that makes every commit has begun, or cannot begin; at once where none has to. */
  async begun(): Promise<void> {
    if (!this.#place.isAlwaysBeside) return
    this.#readyThread()
    await this.#thread?.begun()
  }

  /** Carries out a group; returns, or resolves, when it is on disk. Throws where nothing can be trusted any more. */
  commit(group: KvWriteGroup): void | Promise<void> {
    const { environment, reserve, tables } = this.#parts
    const thread = this.#place.isBeside ? this.#readyThread() : undefined
    const buffer = new GroupBuffer(environment, reserve, tables, thread !== undefined)
    try {
      reserve.begin()
      let ranMs = 0
      environment.commit(() => {
        group.run(buffer)
        ranMs = performance.now()
        return thread === undefined
      })
      if (thread !== undefined) return this.#commitBeside(buffer, thread, group.size)
      this.#place.note({ tookMs: performance.now() - ranMs, bodies: group.size })
      this.#listener?.(buffer.changes())
      reserve.settle(environment.lastPage() + 1, buffer.pages)
    } catch (error) {
      throw environment.fault ?? error
    }
    this.#settle(buffer)
  }

  /** Closes what a thread has open of the file; another one begins where it is needed. Only while no group is. */
  async leaveThread(): Promise<void> {
    const thread = this.#thread
    this.#thread = undefined
    await thread?.close()
  }

  async #commitBeside(buffer: GroupBuffer, thread: CommitThread, bodies: number): Promise<void> {
    const { environment, reserve } = this.#parts
    try {
      await environment.commitBeside(async () => {
        const message = groupMessage(buffer.changes(), thread.tables)
        const beganMs = performance.now()
        const time = await thread.commit(message, reserve.probe(buffer.pages))
        if (time === 'stale') return 'stale'
        const { tookMs, allMs } = time
        this.#place.noteBeside({ tookMs, bodies }, performance.now() - beganMs - allMs)
        return 'committed'
      })
      this.#listener?.(buffer.changes())
      await reserve.settleBeside(environment.lastPage() + 1, buffer.pages, (...step) =>
        thread.extend(...step),
      )
    } catch (error) {
      throw environment.fault ?? error
    }
    this.#settle(buffer)
  }

  #settle(buffer: GroupBuffer): void {
    this.#events.confirm()
    this.#events.committed()
    if (buffer.hasQuarantined) this.#events.quarantined()
  }

  /** The thread, which is begun where there is none; `undefined` until it is ready, and while none can begin. */
  #readyThread(): CommitThread | undefined {
    if (performance.now() < this.#noThreadUntilMs) return undefined
    const { environment, reserve } = this.#parts
    this.#thread ??= new CommitThread({ ...environment.sharing(), file: reserve.file })
    if (this.#thread.isReady) return this.#thread
    if (this.#thread.hasEnded) {
      this.#thread = undefined
      this.#noThreadUntilMs = performance.now() + THREAD_PAUSE_MS
    }
    return undefined
  }
}
