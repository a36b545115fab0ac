/**
 * LMDB's lock file, in which every process that reads has a slot. LMDB makes none itself, so that its length is known.
 */

import { closeSync, fchownSync, fstatSync, lstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { fullError, messageOf, systemCode, systemError } from '../refusal.ts'
import { removeFile } from './file-removal.ts'
import { SLOT_BYTES, SLOTS_OFFSET } from './lock-file.ts'
import { nativeLock } from './native-lock.ts'
import type { StorePath } from './store-path.ts'

/** Slots that a file has that is made here. */
const SLOTS = 1_000

const TABLE_BYTES = SLOTS_OFFSET + SLOTS * SLOT_BYTES

/**
 * Makes the lock file if there is none, with the owner of the data file, so that a reader who is root does
 * not shut the node out. It is written whole: LMDB maps it, and a hole in it would end the process on a full
 * disk. Throws `STORE_FULL`. Where a reader may not write there, LMDB reads without it.
 */
export function makeLockFile(paths: StorePath, readOnly: boolean): void {
  let file: number
  try {
    file = openSync(paths.lock, 'wx', 0o600)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST' || (readOnly && (code === 'EACCES' || code === 'EROFS'))) return
    throw systemError(paths.data, 'its lock file cannot be made', error)
  }
  try {
    const { uid, gid } = lstatSync(paths.data)
    if (process.geteuid?.() === 0) fchownSync(file, uid, gid)
    fill(file, 0)
  } catch (error) {
    removeFile(paths.lock)
    throw fullError(paths.data, messageOf(error))
  } finally {
    closeSync(file)
  }
}

/** Puts a new lock file in the place of the old one, which may belong to another data file. Only for the owner. */
export function replaceLockFile(paths: StorePath): void {
  const fresh = { ...paths, lock: `${paths.data}.new-lock` }
  removeFile(fresh.lock)
  makeLockFile(fresh, false)
  renameSync(fresh.lock, paths.lock)
}

/**
 * Gives a lock file with fewer slots all of them, where nobody has it open: whoever has must know how long it is. Only
 * for a file that this process has not open: closing it would drop the locks that LMDB holds on it. Where there is no
 * room it stays as it is.
 */
export function extendLockFile(paths: StorePath): void {
  const file = openSync(paths.lock, 'r+')
  try {
    const { size } = fstatSync(file)
    if (size < TABLE_BYTES && isUnused(file)) fill(file, size)
  } catch {
    // With some more slots, or none.
  } finally {
    closeSync(file)
  }
}

/** Tells whether a process has a lock file open; for the same files as {@link extendLockFile}. */
export function isLockFileUsed(path: string): boolean {
  let file: number
  try {
    file = openSync(path, 'r+')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
  try {
    return !isUnused(file)
  } finally {
    closeSync(file)
  }
}

/**
 * While the lock is held that this takes, until the file is closed, LMDB waits in all other processes that want to
 * open it.
 */
function isUnused(file: number): boolean {
  try {
    nativeLock().tryLock(file, 0, 1, true)
    return true
  } catch {
    return false
  }
}

function fill(file: number, from: number): void {
  const zeros = new Uint8Array(TABLE_BYTES - from)
  for (let done = 0; done < zeros.length; )
    done += writeSync(file, zeros, done, zeros.length - done, from + done)
}
