import { existsSync, renameSync } from 'node:fs'

import { isStoreError } from '@saltcod/store-core'
import { probeDataFile } from '../file/file-probe.ts'
import { removeFile } from '../file/file-removal.ts'
import { replaceLockFile } from '../file/reader-table.ts'
import { isSwapping, removeFresh, rewritePathOf } from '../file/rewrite-path.ts'
import { isSameFile, type StorePath } from '../file/store-path.ts'
import { syncPath } from '../file/sync-path.ts'
import { checkInChild } from '../native/native-check.ts'
import type { OwnerLock } from '../owner/owner-lock.ts'
import { endSwap } from './file-swap.ts'
import { holdsAllOf } from './store-mark.ts'

/** What a rewrite that was cut short had come to. */
export type CutRewrite =
  /** It had not taken effect; its copy was removed. */
  | 'undone'
  /** The new file was whole and stays. */
  | 'completed'
  /** The new file was not whole; the old one was put back. */
  | 'restored'

/**
 * Brings the files of a store in order after a rewrite that was cut short. Returns what was found; `undefined` where
 * there was nothing. Only for the owner, before the store is opened. What it does may itself be cut short anywhere.
 */
export async function recoverRewrite(paths: StorePath, lock: OwnerLock): Promise<CutRewrite | undefined> {
  if (!isSwapping(paths)) return removeFresh(paths) ? 'undone' : undefined
  const { previous } = rewritePathOf(paths)
  let result: CutRewrite = 'undone'
  if (existsSync(previous) && !existsSync(paths.data)) {
    renameSync(previous, paths.data)
    replaceLockFile(paths)
    result = 'restored'
  } else if (existsSync(previous) && !isSameFile(previous, paths.data)) {
    // It may still be the one of the old file, held by its readers.
    replaceLockFile(paths)
    result = (await isSuccessor(paths.data, previous)) ? 'completed' : 'restored'
    if (result === 'restored') {
      lock.add(previous)
      renameSync(previous, paths.data)
      lock.settle()
    }
  }
  removeFile(previous)
  syncPath(paths.directory)
  removeFresh(paths)
  endSwap(paths)
  return result
}

/** Tells whether files that are found together do not belong together, because their owner died between two steps. */
export function isTorn(paths: StorePath): boolean {
  const { fresh, previous } = rewritePathOf(paths)
  return existsSync(fresh.lock) && existsSync(previous) && !isSameFile(previous, paths.data)
}

/**
 * Whether the new file is whole and has all that the old one has: the mark of an exchange alone does not tell which
 * file is which.
 */
async function isSuccessor(path: string, previous: string): Promise<boolean> {
  if (!(await isSound(path))) return false
  try {
    return holdsAllOf(path, previous)
  } catch (error) {
    // An old file that cannot be read is no better.
    if (isStoreError(error, 'STORE_DAMAGED', 'RECORD_CORRUPT')) return true
    throw error
  }
}

async function isSound(path: string): Promise<boolean> {
  try {
    probeDataFile(path)
    await checkInChild(path)
    return true
  } catch (error) {
    if (isStoreError(error, 'STORE_DAMAGED', 'STORE_FOREIGN')) return false
    throw error
  }
}
