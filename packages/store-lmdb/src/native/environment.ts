/**
 * A thin, typed face of what the package uses of lmdb. Beside it only `open-tables.ts`, `native-root.ts` and the
 * thread that commits know of lmdb.
 */

import { failedError } from '@saltcod/store-core/backend'
import { ABORT, type RootDatabase } from 'lmdb'
import { fileLength } from '../file/file-length.ts'
import { spareDescriptors } from '../file/spare-descriptors.ts'
import { nativeError, overtakenError } from '../refusal.ts'
import { CopyGate } from './copy-gate.ts'
import { LockWord } from './lock-word.ts'
import { type OpenedRoot, openNative } from './native-opening.ts'
import type { EnvironmentOptions } from './native-root.ts'
import type { NativeRoot, NativeStats } from './native-types.ts'
import { OpenTables } from './open-tables.ts'
import { pagesOf, treeSizeOf } from './tree-size.ts'

/** So often in a row a transaction may begin behind the last commit before something else must be wrong. */
const MAX_STALE_BEGINNINGS = 100

/**
 * Opens a file that has been probed, or makes a new one. Never call it with a file that was not probed:
 * one that LMDB cannot open ends the process. Throws a `StoreError`.
 */
export async function openEnvironment(options: EnvironmentOptions): Promise<Environment> {
  return new Environment(options)
}

/**
 * One open file. Its calls are synchronous but for `commitBeside`, and begin and end in one turn of the event loop.
 */
export class Environment extends OpenTables {
  readonly path: string
  readonly readOnly: boolean
  readonly copies: CopyGate = new CopyGate()
  /** The first error that LMDB itself reported inside a transaction that writes. */
  fault: unknown
  #options: EnvironmentOptions
  protected root: RootDatabase<Buffer, Uint8Array>
  #lockWord: LockWord | undefined
  #pageBytes: number
  #writing = false
  /** The number of the last commit, from the last write on; asking LMDB costs more than a read of a row. */
  #committed: number | undefined
  #isOpen = false
  #beforeRefresh: (() => void) | undefined

  constructor(options: EnvironmentOptions) {
    super()
    this.#options = options
    this.path = options.path
    this.readOnly = options.readOnly
    const { root, lockFile, pageBytes } = this.#openNative()
    this.root = root
    this.#lockWord = this.#lockWordOf(lockFile)
    this.#pageBytes = pageBytes
  }

  get pageBytes(): number {
    return this.#pageBytes
  }

  /** Makes tables that the file has not, in one commit. Throws `STORE_FAILED`. */
  makeTables(names: readonly string[]): void {
    try {
      this.#committed = undefined
      this.root.transactionSync(() => {
        for (const name of names) this.openTable(name, true)
      })
    } catch (error) {
      this.fault ??= error
      throw failedError(this.path, error)
    }
  }

  /** Names of all tables that the file has, also of those that nobody opened. */
  tableNames(): string[] {
    // The list is read to its end: opening a table ends the transaction that a cursor needs.
    return [...this.root.getKeys({})].map((key) => String(key).split('\0')[0] ?? '')
  }

  /** Number of the last page that the last commit uses. */
  lastPage(): number {
    return this.#native.env.info().lastPageNumber
  }

  /** Number of the last commit. */
  lastCommit(): number {
    return this.#native.env.info().lastTxnId
  }

  /** Length of the file in bytes. Throws a `StoreError` where the path does not lead to it any more. */
  fileBytes(): number {
    return fileLength(this.path)
  }

  /** Pages of the two trees that LMDB keeps for itself: the names of the tables, and the free pages. */
  ownPages(): number {
    try {
      const { root, free } = this.root.getStats() as NativeStats
      return pagesOf(treeSizeOf(root)) + pagesOf(treeSizeOf(free))
    } catch (error) {
      throw this.fail(error)
    }
  }

  /**
   * Runs a body in a transaction and returns when the commit is on disk. Where the body throws, or returns `false`,
   * nothing is kept; its error is thrown.
   */
  commit(body: () => unknown): void {
    for (let attempt = 0; attempt < MAX_STALE_BEGINNINGS; attempt += 1) {
      if (this.#tryCommit(body)) return
    }
    throw this.#neverBegun()
  }

  /**
   * Lets another thread make a commit of this file, again while it finds that its transaction does not begin at the
   * last one. Resolves when that is on disk. Throws what the thread met; nothing can be trusted any more then.
   */
  async commitBeside(commit: () => Promise<'committed' | 'stale'>): Promise<void> {
    for (let attempt = 0; attempt < MAX_STALE_BEGINNINGS; attempt += 1) {
      let outcome: 'committed' | 'stale'
      try {
        outcome = await commit()
      } catch (error) {
        this.fault ??= error
        throw error
      }
      if (outcome === 'committed') {
        this.#committed = this.lastCommit()
        this.#lockWord?.correct()
        this.#lockWord?.watch()
        // Of what other threads commit lmdb tells nobody.
        this.root.resetReadTxn()
        return
      }
      this.#lockWord?.correct()
    }
    throw this.#neverBegun()
  }

  #neverBegun(): Error {
    this.fault ??= new Error('transactions begin behind the last commit, again and again')
    return failedError(this.path, this.fault)
  }

  /** How another thread of this process opens the file, and the names of the tables that are open. */
  sharing(): { readonly options: EnvironmentOptions; readonly tables: readonly string[] } {
    return { options: this.#options, tables: this.openNames }
  }

  /** Returns false, having run nothing, where the transaction did not begin at the last commit. */
  #tryCommit(body: () => unknown): boolean {
    let stale = false
    let isKept = true
    this.#writing = true
    try {
      // The callback returns no promise: a thenable would leave the transaction open for good.
      this.root.transactionSync(() => {
        stale = this.#native.getWriteTxnId() - 1 !== this.lastCommit()
        if (stale) throw new Error('the transaction began behind the last commit')
        isKept = body() !== false
        return isKept ? undefined : ABORT
      })
      if (!isKept) return true
      this.#committed = this.lastCommit()
      this.#lockWord?.watch()
      return true
    } catch (error) {
      if (!stale) {
        this.fault ??= error
        throw error
      }
      if (this.#lockWord?.correct() !== true) throw this.fail(error)
      return false
    } finally {
      this.#writing = false
    }
  }

  /** Lets the next read of the owner see its own last commit, also where another process has just opened the file. */
  seeLastCommit(): void {
    if (this.#lockWord?.isWatched === true && this.#lockWord.correct()) this.root.resetReadTxn()
  }

  /** Lets something be done before each {@link refresh}, which may open another file. */
  beforeRefresh(listener: () => void): void {
    this.#beforeRefresh = listener
  }

  /** Runs a body that reads. Throws `STORE_LOCKED` where what it read may be anything ({@link isOutrun}). */
  undisturbed<T>(body: () => T): T {
    try {
      return body()
    } finally {
      this.#refuseOutrun()
    }
  }

  /** Whether the file is open without its lock file, and the store has been changed since. */
  get isOutrun(): boolean {
    return this.#options.privateLock?.isStale() === true
  }

  /** Closes the file; from now on {@link reopen} opens it with its own lock file, which must be there. */
  leavePrivateLock(): void {
    this.closeNow()
    this.#dropPrivateLock()
  }

  /** Lets the next read see what others committed. Throws `STORE_FAILED` where the owner's last commit failed. */
  refresh(): void {
    if (this.fault !== undefined) throw failedError(this.path, this.fault)
    this.#beforeRefresh?.()
    if (this.readOnly) this.#lockWord?.awaitLastCommit()
    this.root.resetReadTxn()
  }

  /** Reads the file without LMDB, while no page of the last commit is overwritten and the file stays open. */
  async pinned(body: () => Promise<void>): Promise<void> {
    await this.copies.run(async () => {
      const transaction = this.root.useReadTransaction()
      try {
        await body()
      } finally {
        transaction.done()
      }
    })
  }

  /** Writes a compact copy to a path. */
  async copyTo(path: string): Promise<void> {
    await this.copies.run(async () => {
      try {
        await this.root.backup(path, true)
      } catch (error) {
        throw this.fault === undefined ? error : failedError(this.path, this.fault)
      }
    })
    this.#refuseOutrun()
  }

  async close(): Promise<void> {
    if (!this.#hasClosed) {
      const closing = this.root.close()
      // What it gives back is taken in the same turn, before others take it.
      if (this.#hasClosed) this.#closed()
      await closing
    }
    this.#closed()
    this.#dropPrivateLock()
  }

  /**
   * Closes the file before it returns; until {@link reopen} nothing may be read or written. Throws where
   * something is still under way.
   */
  closeNow(): void {
    if (!this.#hasClosed) void this.root.close()
    if (!this.#hasClosed) throw new Error(`${this.path} is still in use`)
    this.#closed()
  }

  /** Opens the file that is now at the path, with the same tables. Throws a `StoreError`. */
  reopen(): void {
    const names = this.forgetTables()
    try {
      const { root, lockFile, pageBytes } = this.#openNative()
      this.root = root
      this.#lockWord = this.#lockWordOf(lockFile)
      this.#pageBytes = pageBytes
      this.openTables(names)
    } catch (error) {
      this.missTables(names)
      throw error
    }
  }

  /** Where it throws nothing is open. */
  #openNative(): OpenedRoot {
    const options = this.#options
    const opened = spareDescriptors.lend(this.path, () => openNative(options))
    spareDescriptors.retain()
    this.#isOpen = true
    return opened
  }

  #dropPrivateLock(): void {
    this.#options.privateLock?.remove()
    this.#options = { ...this.#options, privateLock: undefined }
  }

  #refuseOutrun(): void {
    if (this.isOutrun) throw overtakenError(this.path)
  }

  get #hasClosed(): boolean {
    return this.#native.status === 'closed'
  }

  get #native(): NativeRoot {
    return this.root as unknown as NativeRoot
  }

  /** Only the owner commits, so only it knows. */
  #knownCommit(): number {
    this.#committed ??= this.lastCommit()
    return this.#committed
  }

  #lockWordOf(lockFile: number | undefined): LockWord | undefined {
    this.#committed = undefined
    if (lockFile === undefined) return undefined
    return new LockWord(lockFile, () => (this.readOnly ? this.lastCommit() : this.#knownCommit()))
  }

  /** To be called when LMDB has closed the file. */
  #closed(): void {
    this.#lockWord?.close()
    this.#lockWord = undefined
    if (this.#isOpen) spareDescriptors.release()
    this.#isOpen = false
  }

  protected fail(error: unknown): Error {
    if (!this.#writing)
      return this.fault === undefined
        ? nativeError(this.path, 'LMDB cannot read it', error)
        : failedError(this.path, this.fault)
    this.fault ??= error
    return failedError(this.path, error)
  }
}
