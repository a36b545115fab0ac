import { lstatSync } from 'node:fs'

import { removeFile } from '../file/file-removal.ts'
import { isLockFileUsed } from '../file/reader-table.ts'
import { checkDataFile, checkLockFile, resolveStorePath } from '../file/store-path.ts'
import { wasOpenedHere } from '../native/shared-environment.ts'
import { findOwner, refuseOwnerWithoutFile } from '../owner/owner-lock.ts'
import { explained, lockedError } from '../refusal.ts'
import { checkPath } from './opening-options.ts'

/** Who has a store open for writing, or how the last one gave it up. */
export type LmdbOwner =
  | { readonly running: true; readonly processId: number | null }
  /** `none`: nobody ever had it; `closed`: in good order; `died`: without closing it. */
  | { readonly running: false; readonly lastEnd: 'none' | 'closed' | 'died' }

/**
 * Finds out whether a process has the store in a file open for writing, without opening or writing anything.
 * Throws `STORE_NOT_FOUND`, `STORE_FOREIGN` or `STORE_PERMISSION` where the directory cannot be looked at.
 */
export async function findLmdbOwner(path: string): Promise<LmdbOwner> {
  checkPath(path)
  const owner = findOwner(resolveStorePath(path, false))
  if (owner.alive) return { running: true, processId: owner.processId ?? null }
  return { running: false, lastEnd: owner.previous.end }
}

/**
 * Makes room for a store file at a path where none is: the note of an owner that is gone is removed, and a lock file
 * that nobody uses stays, since whoever opens it first begins it anew. Does nothing where a file is at the path.
 * Throws `STORE_LOCKED` where a process still has the file open that was there, `STORE_NOT_FOUND`, `STORE_FOREIGN` or
 * `STORE_PERMISSION`.
 */
export function freeLmdbPlace(path: string): void {
  checkPath(path)
  const paths = resolveStorePath(path, false)
  try {
    if (checkDataFile(paths.data, true)) return
    refuseOwnerWithoutFile(paths)
    if (checkLockFile(paths, true) && (wasOpenedHere(paths.data) || isLockFileUsed(paths.lock)))
      throw lockedError(paths.data, 'a process that reads it, whose file was moved away or removed')
    // An earlier release had a directory there, which the next owner clears.
    if (lstatSync(paths.owner, { throwIfNoEntry: false })?.isFile() === true) removeFile(paths.owner)
  } catch (error) {
    throw explained(paths.data, 'what lies beside it cannot be looked at', error)
  }
}
