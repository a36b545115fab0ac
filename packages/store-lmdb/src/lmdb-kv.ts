// Imported and not taken from the global object, so that a test's fake timers do not stop the store.
import { clearInterval, setInterval } from 'node:timers'
import { isStoreError } from '@saltcod/store-core'
import {
  checkRewriteOptions,
  type KvCapabilities,
  type KvReader,
  type KvRewriteOptions,
  type KvRewriteReport,
  type KvStatistics,
  KvStoreBase,
  type KvTableStatistics,
  type KvWriteGroup,
  readOnlyError,
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
import { explained, isDamage, lockedError } from './refusal.ts'
import { OnlineRewrite } from './rewrite/online-rewrite.ts'
import type { CommitThreadUse } from './write/commit-place.ts'
import { freePagesOf } from './write/free-pages.ts'
import { GroupWriter } from './write/group-writer.ts'
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
  readonly threadUse: CommitThreadUse
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
export class LmdbKv extends KvStoreBase {
  readonly backend: string = 'lmdb'
  readonly capabilities: KvCapabilities
  readonly #parts: LmdbKvParts
  readonly #writer: GroupWriter | undefined
  #rewriting: Promise<KvRewriteReport> | undefined
  #walking: Promise<void> | undefined
  #rescuing: Promise<RemovedFile> | undefined
  readonly #looking: NodeJS.Timeout | undefined
  #reading = false

  constructor(parts: LmdbKvParts) {
    super({
      location: parts.environment.path,
      tables: parts.tables,
      readOnly: parts.ownership === undefined,
    })
    this.#parts = parts
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

  /** Resolves when it is ready for use. */
  async begun(): Promise<void> {
    await this.#writer?.begun()
  }

  protected snapshot<T>(run: (reader: KvReader) => T): T {
    const { environment } = this.#parts
    this.#seeNewest()
    const outer = this.#reading
    this.#reading = true
    try {
      return environment.undisturbed(() => run(environment))
    } finally {
      this.#reading = outer
    }
  }

  protected commit(group: KvWriteGroup): void | Promise<void> {
    return this.#writer?.commit(group)
  }

  protected override async endWork(): Promise<void> {
    // It notices that the store is closing, and leaves it as it was.
    await this.#rewriting?.catch(() => undefined)
    await this.#walking
  }

  protected async release(): Promise<void> {
    clearInterval(this.#looking)
    try {
      this.#lookForFile()
      await this.#rescuing
      await this.#writer?.leaveThread()
      const { environment, ownership } = this.#parts
      const lastCommit = this.hasFailed ? undefined : environment.lastCommit()
      await this.#parts.releaseEnvironment()
      ownership?.reserve.close()
      ownership?.lock.release(!this.hasFailed, lastCommit)
    } catch (error) {
      throw explained(this.location, 'its files cannot be closed', error)
    }
  }

  protected override fail(cause: unknown): void {
    if (this.hasFailed) return
    if (isDamage(cause) || isStoreError(cause, 'STORE_DAMAGED')) this.#parts.ownership?.lock.suspect()
    // What was acknowledged before the file was removed is all still there, as long as this process has it open.
    if (cause instanceof RemovedFile) this.#rescuing = cause.copied(this.#parts.environment)
    super.fail(cause, this.#rescuing)
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
    const { lock, reserve, threadUse } = ownership
    lock.committed(environment.lastCommit())
    return new GroupWriter(
      { environment, reserve, tables, threadUse },
      {
        confirm: () => {
          if (lock.isFileRemoved) throw new RemovedFile()
        },
        committed: () => {
          lock.committed(environment.lastCommit())
        },
        quarantined: () => {
          this.#walking ??= this.#walk(environment, lock)
        },
      },
    )
  }

  /**
   * A damaged record may lie on a damaged page, which LMDB would sooner or later end the process on. Once in an
   * opening.
   */
  async #walk(environment: Environment, lock: OwnerLock): Promise<void> {
    const isOver = (): boolean => this.isClosing || this.hasFailed || environment.copies.isHeld
    try {
      await environment.pinned(async () => {
        const walked = await walk(this.location, { restMs: WALK_REST_MS, isOver })
        if (walked !== undefined && !isOver()) lock.walked(walked)
      })
    } catch (error) {
      // What keeps it from looking, such as too few descriptors, says nothing of the pages.
      if (isStoreError(error, 'STORE_DAMAGED')) this.fail(error)
    }
  }

  #lookForFile(): void {
    if (this.#parts.ownership?.lock.isFileRemoved === true) this.fail(new RemovedFile())
  }

  #statistics(): KvStatistics {
    this.admit('statistics')
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
    this.admit('backup')
    const { environment } = this.#parts
    // A rewrite may have put another file in the place of the one that is open.
    this.#seeNewest()
    return backUp(environment, path)
  }

  async #rewrite(options: KvRewriteOptions = {}): Promise<KvRewriteReport> {
    checkRewriteOptions(options)
    this.admit('rewrite')
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
        queue: this.queue,
        reserve,
        mapBytes,
        assertUsable: () => {
          this.admit('rewrite')
        },
        hasFailed: () => this.hasFailed,
        onMoved: () => {
          noteMove(environment)
        },
        onFailure: (cause) => {
          this.fail(cause)
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
