import { existsSync, lstatSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import {
  fileOf,
  isEarlierOwner,
  type KnownPages,
  type NotedCommit,
  noteClosed,
  noteCommit,
  noteRunning,
  type OwnerNote,
  readNote,
} from '../file/owner-note.ts'
import { isLockFileUsed } from '../file/reader-table.ts'
import { isSwapping, rewritePathOf } from '../file/rewrite-path.ts'
import type { StorePath } from '../file/store-path.ts'
import { isOpenHere } from '../native/shared-environment.ts'
import { lockedError, systemCode, systemError } from '../refusal.ts'
import { FileLock, isLocked } from './file-lock.ts'

/** How the one before gave the store up. */
export interface PreviousOwner {
  readonly end: 'none' | 'closed' | 'died'
  /** When its file had been changed last as it closed the store in good order. */
  readonly changedNs?: bigint
  /** A commit of its file that was on disk; there may be later ones where it died. */
  readonly commit?: NotedCommit | undefined
}

/** So often at most a commit is written down. */
const NOTE_EVERY_MS = 1_000

/** Who has a store now: a living owner with its process id if it is known, or how the last one ended. */
export type OwnerState =
  | { readonly alive: true; readonly processId: number | undefined }
  | { readonly alive: false; readonly previous: PreviousOwner }

/**
 * The right to write a store: the {@link FileLock} on its data file. While files are exchanged it has the locks of
 * both, so that the name of the store never leads to a file that nobody has locked. What is written down beside it,
 * see `owner-note.ts`, tells who the owner is, and how the last one ended.
 */
export class OwnerLock {
  readonly previous: PreviousOwner
  readonly #paths: StorePath
  readonly #files: FileLock[]
  #note: FileLock | undefined
  #nextNoteAt = 0
  #commit: bigint | undefined
  #pages: FilePages | undefined

  private constructor(paths: StorePath, file: FileLock) {
    this.#paths = paths
    this.#files = [file]
    this.previous = previousOf(readNote(paths.owner))
    const { commit } = this.previous
    if (commit?.pages !== undefined) this.#pages = { ...commit.pages, file: commit.file }
  }

  /**
   * Locks the file of a store. Returns `undefined` where another file is there by now, or none. Throws `STORE_LOCKED`
   * where another owner lives, or `STORE_PERMISSION`.
   */
  static tryTake(paths: StorePath): OwnerLock | undefined {
    const path = lockedPath(paths)
    const file = takeFile(paths, path)
    if (file === undefined) return undefined
    return file.isAt(path) ? OwnerLock.with(paths, file) : OwnerLock.#giveUp(file)
  }

  /** Goes on with a lock that was taken on a file before that had the store's name. Throws as {@link tryTake} does. */
  static with(paths: StorePath, file: FileLock): OwnerLock {
    try {
      refuseEarlierOwner(paths)
      const lock = new OwnerLock(paths, file)
      noteRunning(paths.owner, lock.previous.commit)
      lock.#note = takeNote(paths)
      return lock
    } catch (error) {
      file.release()
      throw error
    }
  }

  static #giveUp(file: FileLock): undefined {
    file.release()
  }

  /**
   * Locks one more file, which may become that of the store. Throws `STORE_LOCKED` where another process has it, or
   * `STORE_PERMISSION`.
   */
  add(path: string): void {
    const file = takeFile(this.#paths, path)
    if (file === undefined) throw lockedError(path, 'another process, which has it by another name')
    this.#files.push(file)
  }

  /**
   * Lets go of all files but the one that has the store's name. To be called when files were exchanged, or were not.
   */
  settle(): void {
    for (const file of this.#files.splice(0)) {
      if (file.isAt(this.#paths.data)) this.#files.push(file)
      else file.releaseSoon()
    }
  }

  /** Whether the store's file was removed while it was open. */
  get isFileRemoved(): boolean {
    return this.#files.length > 0 && this.#files.every((file) => file.isRemoved)
  }

  /** What is known of the pages of the file that has the store's name. */
  get pages(): KnownPages {
    const known = this.#pages
    return known !== undefined && known.file === this.#identity() ? known : { isSuspect: false }
  }

  /** To be called when all pages of the file were walked and found sound, with the number of its commit. */
  walked(transaction: bigint): void {
    const file = this.#identity()
    if (file === undefined) return
    this.#pages = { file, walked: transaction, isSuspect: false }
    this.#noteCommit()
  }

  /**
   * To be called when LMDB has met a damaged page: that is written down at once, since it may end the process with the
   * next one.
   */
  suspect(): void {
    const file = this.#identity()
    if (file === undefined || this.pages.isSuspect) return
    this.#pages = { ...this.pages, file, isSuspect: true }
    this.#noteCommit()
  }

  /**
   * To be called with the number of a commit that is on disk: now and then it is written down, outside of the file.
   */
  committed(transaction: number): void {
    this.#commit = BigInt(transaction)
    const now = performance.now()
    if (now < this.#nextNoteAt) return
    this.#nextNoteAt = now + NOTE_EVERY_MS
    this.#noteCommit()
  }

  /**
   * Gives the store up. `clean` says that its file was closed in good order, after the last commit where that is
   * known.
   */
  release(clean: boolean, lastCommit?: number): void {
    if (clean) {
      this.#commit = lastCommit === undefined ? undefined : BigInt(lastCommit)
      noteClosed(this.#paths.owner, this.#paths.data, this.#toNote())
    }
    this.#note?.release()
    for (const file of this.#files.splice(0)) file.release()
  }

  #noteCommit(): void {
    const commit = this.#toNote()
    if (commit !== undefined) noteCommit(this.#paths.owner, commit)
  }

  #toNote(): NotedCommit | undefined {
    const [transaction, file] = [this.#commit, this.#identity()]
    return transaction === undefined || file === undefined
      ? undefined
      : { transaction, file, pages: this.pages }
  }

  #identity(): string | undefined {
    const found = lstatSync(this.#paths.data, { bigint: true, throwIfNoEntry: false })
    return found && fileOf(found)
  }
}

interface FilePages extends KnownPages {
  readonly file: string
}

/** Finds out who owns a store, without becoming its owner and without writing anything. Throws `STORE_PERMISSION`. */
export function findOwner(paths: StorePath): OwnerState {
  const note = readNote(paths.owner)
  if (!isLocked(lockedPath(paths))) return { alive: false, previous: previousOf(note) }
  return { alive: true, processId: note.state === 'running' ? note.processId : undefined }
}

/**
 * Throws `STORE_LOCKED` where an owner lives whose file was moved away or removed: to make a new one would be to take
 * its place.
 */
export function refuseOwnerWithoutFile(paths: StorePath): void {
  if (lstatSync(paths.owner, { throwIfNoEntry: false })?.isFile() !== true || !isLocked(paths.owner)) return
  throw lockedError(
    paths.data,
    `${describeOwner(readNote(paths.owner))}, whose file was moved away or removed`,
  )
}

/**
 * The note is locked too, as long as its owner lives. That of a hard-linked copy may be somebody else's, which does no
 * harm.
 */
function takeNote(paths: StorePath): FileLock | undefined {
  try {
    return FileLock.tryTake(paths.owner)
  } catch (error) {
    // On a full disk there may be none.
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The file whose lock counts: of an exchange that was cut short the old one may be the only one that is left. */
function lockedPath(paths: StorePath): string {
  const { previous } = rewritePathOf(paths)
  return !existsSync(paths.data) && isSwapping(paths) && existsSync(previous) ? previous : paths.data
}

function takeFile(paths: StorePath, path: string): FileLock | undefined {
  let file: FileLock | undefined
  try {
    file = FileLock.tryTake(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw systemError(paths.data, 'it cannot be opened for writing', error)
  }
  if (file === undefined) throw lockedError(paths.data, describeOwner(readNote(paths.owner)))
  return file
}

function refuseEarlierOwner(paths: StorePath): void {
  if (!isEarlierOwner(paths.owner)) return
  if (!isOpenHere(paths.data) && !isLockFileUsed(paths.lock)) return
  throw lockedError(paths.data, 'a process of an earlier release, or is read while the last owner is one')
}

function describeOwner(note: OwnerNote): string {
  if (note.state !== 'running' || note.processId === undefined) return 'another process'
  const { processId } = note
  return processId === process.pid ? `this process (pid ${processId})` : `process ${processId}`
}

function previousOf(note: OwnerNote): PreviousOwner {
  if (note.state === 'running') return { end: 'died', commit: note.commit }
  if (note.state === 'none') return { end: 'none' }
  return { end: 'closed', changedNs: note.changedNs, commit: note.commit }
}
