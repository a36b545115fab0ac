import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { basename, dirname } from 'node:path'

import { spareBytes } from '../file/free-space.ts'
import { makeLockFile } from '../file/reader-table.ts'
import { storePathOf } from '../file/store-path.ts'
import { fullError, systemCode, systemError } from '../refusal.ts'

/** What LMDB writes into a file that is empty, and more than it reads of one that is not. */
const HEAD_BYTES = 65_536

/**
 * Opens and reads a data file as LMDB is about to do in the same turn: where that fails LMDB uses memory that it has
 * freed, which may end the process. What was just opened and read is opened and read again from memory. Throws a
 * `StoreError`.
 */
export function proveDataFile(path: string, readOnly: boolean): void {
  try {
    const file = openSync(path, readOnly ? 'r' : 'r+')
    try {
      readSync(file, new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
      if (fstatSync(file).size === 0 && spareBytes(path, 0) < HEAD_BYTES) {
        throw fullError(path, 'its file system is full')
      }
    } finally {
      closeSync(file)
    }
    if (!readOnly) closeSync(openSync(path, constants.O_WRONLY | constants.O_DSYNC))
  } catch (error) {
    throw systemError(path, 'it cannot be opened', error)
  }
}

/**
 * Does the same with the lock file of a data file, and makes one that is not there. Returns its descriptor, which must
 * stay open as long as LMDB has the file open: closing any would drop the locks that LMDB holds on it. Returns
 * `undefined` where a reader can do nothing with it, as on a read-only file system: LMDB then reads without.
 */
export function openLockFile(path: string, readOnly: boolean): number | undefined {
  const paths = storePathOf(dirname(path), basename(path))
  makeLockFile(paths, readOnly)
  for (const flags of readOnly ? ['r+', 'r'] : ['r+']) {
    try {
      return openSync(paths.lock, flags)
    } catch (error) {
      const code = systemCode(error)
      // With any other one LMDB would not read without it.
      const isHarmless = code === 'ENOENT' || code === 'EACCES' || code === 'EROFS'
      if (!readOnly || !isHarmless) throw systemError(path, 'its lock file cannot be opened', error)
    }
  }
  return undefined
}
