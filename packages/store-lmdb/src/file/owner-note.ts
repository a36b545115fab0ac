import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  type Stats,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { foreignError, permissionError, systemCode, systemError } from '../refusal.ts'
import { removeFile } from './file-removal.ts'

/** Every note has this length, so that one is written over another without room on the disk. */
const NOTE_BYTES = 160

/** A commit of a data file that was on disk when it was written down; there may be later ones. */
export interface NotedCommit {
  readonly transaction: bigint
  /** Tells the file that it is of from one that had its name or its inode before or after it. */
  readonly file: string
  /** What is known of the pages of that file. */
  readonly pages?: KnownPages
}

/** What is known of the pages of a data file. */
export interface KnownPages {
  /** The newest commit whose pages were all walked and found sound. */
  readonly walked?: bigint | undefined
  /** Whether LMDB has met a damaged one since. */
  readonly isSuspect: boolean
}

/** What the newest owner of a store wrote down; `none` where there is no note, or nothing of it can be read. */
export type OwnerNote =
  | { readonly state: 'none' }
  | {
      readonly state: 'running'
      readonly processId: number | undefined
      readonly commit: NotedCommit | undefined
    }
  /**
   * It closed the store in good order, and this is when the data file had been changed last: whoever changes it sets
   * another time.
   */
  | { readonly state: 'closed'; readonly changedNs: bigint; readonly commit: NotedCommit | undefined }

/** Returns where the owner of a data file writes its note. */
export function ownerNotePath(dataPath: string): string {
  return `${dataPath}.owner`
}

/** Returns what stands in a note for a file: its inode, and when that was made, since inodes are used again. */
export function fileOf({ ino, birthtimeNs }: BigIntStats): string {
  return `${ino}:${birthtimeNs}`
}

/** Reads the note at a path. Throws nothing. */
export function readNote(path: string): OwnerNote {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return { state: 'none' }
  }
  try {
    if (!fstatSync(file).isFile()) return { state: 'none' }
    const text = readFileSync(file, 'latin1').trim()
    const [, state, number, commitText = ''] = /^(closed|process) (\d{1,20})( .*)?$/.exec(text) ?? []
    const commit = parseCommit(commitText)
    if (commit === 'unreadable') return { state: 'none' }
    if (state === 'closed') return { state, changedNs: BigInt(number ?? 0), commit }
    return { state: 'running', processId: number === undefined ? undefined : Number(number), commit }
  } catch {
    return { state: 'none' }
  } finally {
    closeSync(file)
  }
}

/**
 * Writes down that this process owns the store, and what is known of its commits. Only for the owner. Throws
 * `STORE_PERMISSION` or `STORE_FOREIGN`.
 */
export function noteRunning(path: string, commit: NotedCommit | undefined): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found !== undefined) refuseOther(path, found)
  if (found?.isDirectory() === true) removeEarlierDirectory(path)
  try {
    write(path, `process ${process.pid}${describe(commit)}`, constants.O_CREAT)
  } catch (error) {
    const code = systemCode(error)
    // On a full disk there is no note then, and the next owner checks the file.
    if (code === 'ENOSPC' || code === 'EDQUOT') return
    throw systemError(path, 'its owner cannot be noted there', error)
  }
}

/** Writes down a commit that is on disk, over the note that this process owns the store. Only for the owner. */
export function noteCommit(path: string, commit: NotedCommit): void {
  try {
    write(path, `process ${process.pid}${describe(commit)}`, 0)
  } catch {
    // The note then lags further behind.
  }
}

/**
 * Writes down that the store in a data file was closed in good order, after a commit where it is known. Only for the
 * owner.
 */
export function noteClosed(path: string, dataPath: string, commit: NotedCommit | undefined): void {
  try {
    const { ctimeNs } = lstatSync(dataPath, { bigint: true })
    write(path, `closed ${ctimeNs}${describe(commit)}`, 0)
  } catch {
    // Without it the next owner checks the file first; and there may be no directory any more.
  }
}

/**
 * Whether the note is the directory in which earlier releases had a socket for each owner, the newest one not marked
 * as closed. Such an owner does not lock its file.
 */
export function isEarlierOwner(path: string): boolean {
  let newest = 0
  let closed = true
  for (const name of earlierNames(path)) {
    const number = Number.parseInt(name, 10)
    if (!(number >= newest)) continue
    newest = number
    closed = name.endsWith('.closed')
  }
  return !closed
}

const COMMIT = /^ commit (\d{1,20}) of (\d{1,20}:\d{1,20})(?: walked (\d{1,20}))?( suspect)?$/

function parseCommit(text: string): NotedCommit | undefined | 'unreadable' {
  if (text === '') return undefined
  const [, transaction, file, walked, suspect] = COMMIT.exec(text) ?? []
  if (transaction === undefined || file === undefined) return 'unreadable'
  const pages = {
    walked: walked === undefined ? undefined : BigInt(walked),
    isSuspect: suspect !== undefined,
  }
  return { transaction: BigInt(transaction), file, pages }
}

function describe(commit: NotedCommit | undefined): string {
  if (commit === undefined) return ''
  const { transaction, file, pages } = commit
  const walked = pages?.walked === undefined ? '' : ` walked ${pages.walked}`
  return ` commit ${transaction} of ${file}${walked}${pages?.isSuspect === true ? ' suspect' : ''}`
}

function write(path: string, text: string, create: number): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | create, 0o600)
  try {
    writeSync(file, `${text.padEnd(NOTE_BYTES - 1)}\n`, 0)
  } finally {
    closeSync(file)
  }
}

function refuseOther(path: string, found: Stats): void {
  if (!found.isFile() && !found.isDirectory()) throw foreignError(path, 'is not the note of an owner')
  const user = process.geteuid?.()
  if (user === undefined || found.uid === user) return
  throw permissionError(path, `it belongs to user ${found.uid}, and this process runs as user ${user}`)
}

function removeEarlierDirectory(path: string): void {
  for (const name of earlierNames(path)) removeFile(join(path, name))
  try {
    rmdirSync(path)
  } catch (error) {
    if (systemCode(error) === 'ENOTEMPTY') throw foreignError(path, 'is not the note of an owner')
    throw systemError(path, 'it cannot be replaced', error)
  }
}

function earlierNames(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => /^(\d{1,15}(\.closed)?|\.\d+-[0-9a-f]+)$/.test(name))
  } catch {
    return []
  }
}
