// Imported and not taken from the global object, so that a test's fake timers do not stop the store.
import { clearInterval, setInterval } from 'node:timers'
import { isStoreError } from '@saltcod/store-core'
import {
  checkRewriteOptions,
  checkWriteOptions,
  type KvCapabilities,
  type KvFailure,
  type KvRewriteOptions,
  type KvRewriteReport,
  type KvSnapshot,
  type KvStatistics,
  type KvStore,
  type KvTableStatistics,
  type KvTransaction,
  type KvWriteOptions,
  runReadBody,
} from '@saltcod/store-core/backend'
import type { StorePath } from './file/store-path.ts'
import { walk } from './file/suspect-walk.ts'
import { driverName } from './native/driver-name.ts'
import type { Environment } from './native/environment.ts'
import { noteMove } from './native/shared-environment.ts'
import { pagesOf } from './native/tree-size.ts'
import type { OwnerLock } from './owner/owner-lock.ts'
import { backUp } from './read/backup.ts'
import { RemovedFile } from './read/removed-file.ts'
import { closedError, explained, failedError, isDamage, lockedError, readOnlyError } from './refusal.ts'
import { OnlineRewrite } from './rewrite/online-rewrite.ts'
import { freePagesOf, GroupWriter } from './write/group-writer.ts'
import type { Reserve } from './write/reserve.ts'

/** A walk takes a quarter of the time. */
const WALK_REST_MS = 30
/** Every change looks whether the file is there; this is for stores that are not changed. */
const LOOK_EVERY_MS = 5_000

/** What only the owner of a store has. */
export interface Ownership {
  readonly lock: OwnerLock
  readonly reserve: Reserve
  readonly paths: StorePath
  readonly mapBytes: number
}

/** What {@link LmdbKv} is made of. */
export interface LmdbKvParts {
  readonly environment: Environment
  readonly tables: ReadonlySet<string>
  /** Closes the environment when nobody in this process uses it any more. */
  readonly releaseEnvironment: () => Promise<void>
  /** Absent where the store is open for reading. */
  readonly ownership?: Ownership
}

/** The key-value contract on one LMDB file. */
export class LmdbKv implements KvStore {
  readonly backend: string = 'lmdb'
  readonly location: string
  readonly readOnly: boolean
  readonly capabilities: KvCapabilities
  readonly failed: Promise<KvFailure>
  readonly #parts: LmdbKvParts
  readonly #writer: GroupWriter | undefined
  #settleFailed: (failure: KvFailure) => void = () => undefined
  #failure: KvFailure | undefined
  #closing: Promise<void> | undefined
  #rewriting: Promise<KvRewriteReport> | undefined
  #walking: Promise<void> | undefined
  #rescuing: Promise<void> | undefined
  readonly #looking: NodeJS.Timeout | undefined
  #reading = false

  constructor(parts: LmdbKvParts) {
    this.#parts = parts
    this.location = parts.environment.path
    this.readOnly = parts.ownership === undefined
    this.failed = new Promise<KvFailure>((resolve) => {
      this.#settleFailed = resolve
    })
    this.#writer = this.#makeWriter()
    if (!this.readOnly) this.#looking = setInterval(() => this.#lookForFile(), LOOK_EVERY_MS).unref()
    const driver = driverName()
    this.capabilities = {
      durable: true,
      ...(driver === undefined ? {} : { driver }),
      statistics: () => this.#statistics(),
      backup: (path) => this.#backup(path),
      rewrite: (options) => this.#rewrite(options),
    }
  }

  read<T>(body: (snapshot: KvSnapshot) => T): T {
    this.#refuseInsideWrite('read')
    this.#assertUsable()
    const { environment, tables } = this.#parts
    this.#seeNewest()
    const outer = this.#reading
    this.#reading = true
    try {
      return environment.undisturbed(() => runReadBody(environment, tables, body))
    } catch (error) {
      if (isStoreError(error, 'STORE_DAMAGED') && this.#parts.ownership !== undefined) this.#fail(error)
      throw error
    } finally {
      this.#reading = outer
    }
  }

  write<T>(body: (transaction: KvTransaction) => T, options: KvWriteOptions = {}): Promise<T> {
    this.#refuseInsideWrite('write')
    try {
      checkWriteOptions(options)
      this.#assertUsable()
    } catch (error) {
      return Promise.reject(error as Error)
    }
    if (this.#writer === undefined) return Promise.reject(readOnlyError(this.location))
    return this.#writer.submit(body, options)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close().catch((error: unknown) => {
      throw explained(this.location, 'its files cannot be closed', error)
    })
    return this.#closing
  }

  async #close(): Promise<void> {
    // It notices that the store is closing, and leaves it as it was.
    await this.#rewriting?.catch(() => undefined)
    await this.#walking
    await this.#writer?.idle()
    clearInterval(this.#looking)
    this.#lookForFile()
    await this.#rescuing
    const { environment, ownership } = this.#parts
    const lastCommit = this.#failure === undefined ? environment.lastCommit() : undefined
    await this.#parts.releaseEnvironment()
    ownership?.reserve.close()
    ownership?.lock.release(this.#failure === undefined, lastCommit)
  }

  #seeNewest(): void {
    if (this.#reading) return
    const { environment } = this.#parts
    try {
      if (this.readOnly) environment.refresh()
      else environment.seeLastCommit()
    } catch (error) {
      throw explained(this.location, 'its files cannot be read', error)
    }
  }

  #makeWriter(): GroupWriter | undefined {
    const { environment, ownership, tables } = this.#parts
    if (ownership === undefined) return undefined
    const { lock, reserve } = ownership
    lock.committed(environment.lastCommit())
    return new GroupWriter(environment, reserve, tables, {
      confirm: () => {
        if (lock.isFileRemoved) throw new RemovedFile()
      },
      committed: () => {
        lock.committed(environment.lastCommit())
      },
      quarantined: () => {
        this.#walking ??= this.#walk(environment, lock)
      },
      failed: (cause) => {
        this.#fail(cause)
      },
    })
  }

  /** A damaged record may lie on a damaged page, which LMDB would sooner or later end the process on. Once in an opening. */
  async #walk(environment: Environment, lock: OwnerLock): Promise<void> {
    const isOver = (): boolean =>
      this.#closing !== undefined || this.#failure !== undefined || environment.copies.isHeld
    try {
      await environment.pinned(async () => {
        const walked = await walk(this.location, { restMs: WALK_REST_MS, isOver })
        if (walked !== undefined && !isOver()) lock.walked(walked)
      })
    } catch (error) {
      // What keeps it from looking, such as too few descriptors, says nothing of the pages.
      if (isStoreError(error, 'STORE_DAMAGED')) this.#fail(error)
    }
  }

  #lookForFile(): void {
    if (this.#parts.ownership?.lock.isFileRemoved === true) this.#fail(new RemovedFile())
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    if (isDamage(cause) || isStoreError(cause, 'STORE_DAMAGED')) this.#parts.ownership?.lock.suspect()
    const failure = this.#noteFailure(cause)
    if (cause instanceof RemovedFile) this.#rescuing = this.#rescue(cause)
    else this.#settleFailed(failure)
  }

  #noteFailure(cause: unknown): KvFailure {
    const { code, message } = failedError(this.location, cause)
    this.#failure = { code, message, cause }
    return this.#failure
  }

  /** What was acknowledged before the file was removed is all still there, as long as this process has it open. */
  async #rescue(removed: RemovedFile): Promise<void> {
    this.#settleFailed(this.#noteFailure(await removed.copied(this.#parts.environment)))
  }

  #assertUsable(): void {
    if (this.#failure !== undefined) throw failedError(this.location, this.#failure.cause)
    if (this.#closing !== undefined) throw closedError(this.location)
  }

  #refuseInsideWrite(method: string): void {
    const running = this.#writer?.running
    if (running === undefined) return
    throw running.doom(
      new TypeError(`A write body called ${method} of its store; use the transaction that it was given.`),
    )
  }

  #statistics(): KvStatistics {
    this.#refuseInsideWrite('statistics')
    this.#assertUsable()
    const { environment, tables } = this.#parts
    this.#seeNewest()
    const { pageBytes } = environment
    const rows: KvTableStatistics[] = []
    environment.undisturbed(() => {
      for (const table of tables) {
        const size = environment.treeSize(table)
        rows.push({ table, rows: size.rows, usedBytes: pagesOf(size) * pageBytes })
      }
    })
    const freeBytes = freePagesOf(environment, tables) * pageBytes
    const usedBytes = (environment.lastPage() + 1) * pageBytes - freeBytes
    return { tables: rows, usedBytes, freeBytes, fileBytes: environment.fileBytes() }
  }

  async #backup(path: string): Promise<number> {
    this.#assertUsable()
    const { environment } = this.#parts
    // A rewrite may have put another file in the place of the one that is open.
    this.#seeNewest()
    return backUp(environment, path)
  }

  async #rewrite(options: KvRewriteOptions = {}): Promise<KvRewriteReport> {
    this.#refuseInsideWrite('rewrite')
    checkRewriteOptions(options)
    this.#assertUsable()
    const { environment, ownership } = this.#parts
    if (ownership === undefined || this.#writer === undefined) throw readOnlyError(this.location)
    if (this.#rewriting !== undefined) throw lockedError(this.location, 'a rewrite that is under way')
    const { lock, reserve, paths, mapBytes } = ownership
    const rewrite = new OnlineRewrite(
      {
        paths,
        lock,
        environment,
        writer: this.#writer,
        reserve,
        mapBytes,
        assertUsable: () => {
          this.#assertUsable()
        },
        hasFailed: () => this.#failure !== undefined,
        onMoved: () => {
          noteMove(environment)
        },
        onFailure: (cause) => {
          this.#fail(cause)
        },
      },
      options,
    )
    this.#rewriting = rewrite.run()
    try {
      return await this.#rewriting
    } finally {
      this.#rewriting = undefined
    }
  }
}
