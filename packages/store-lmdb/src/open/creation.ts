import { randomBytes } from 'node:crypto'
import { closeSync, linkSync, openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isStoreError } from '@saltcod/store-core'
import { failedError } from '@saltcod/store-core/backend'
import { removeFile } from '../file/file-removal.ts'
import { makeLockFile } from '../file/reader-table.ts'
import { isSameFile, type StorePath, storePathOf } from '../file/store-path.ts'
import { syncPath } from '../file/sync-path.ts'
import { openEnvironment } from '../native/environment.ts'
import { FileLock, isLocked } from '../owner/file-lock.ts'
import { fullError, messageOf, systemCode } from '../refusal.ts'
import { Reserve, type ReserveOptions } from '../write/reserve.ts'

/** A new file gets so much before LMDB sees it, enough for its tables. */
const FIRST_BYTES = 1024 * 1024

/**
 * Makes an empty store: built under another name, locked, synced, then linked to its own name, so that a creation that
 * was interrupted is never seen there, nor a store without an owner. Returns the lock; `undefined` where something
 * appeared at the path meanwhile. Throws `STORE_FULL` or `STORE_FAILED`.
 */
export async function createStore(
  paths: StorePath,
  tables: readonly string[],
  mapBytes: number,
  limits: ReserveOptions,
): Promise<FileLock | undefined> {
  const name = `${temporaryPrefix(paths)}${randomBytes(6).toString('hex')}`
  const temporary = storePathOf(paths.directory, name)
  let lock: FileLock | undefined
  try {
    proveRoom(temporary.data)
    // LMDB takes an empty file for a new one.
    closeSync(openSync(temporary.data, 'wx', 0o600))
    lock = FileLock.tryTake(temporary.data)
    if (lock?.isAt(temporary.data) !== true) return undefined
    makeLockFile(temporary, false)
    await build(temporary.data, tables, mapBytes, limits)
    syncPath(temporary.data)
    linkSync(temporary.data, paths.data)
    syncPath(paths.directory)
    const taken = lock
    lock = undefined
    return taken
  } catch (error) {
    const code = systemCode(error)
    // The latter where another starter took it for a leftover.
    if (code === 'EEXIST' || code === 'ENOENT') return undefined
    if (code === 'ENOSPC' || code === 'EDQUOT') throw fullError(paths.data, messageOf(error))
    throw isStoreError(error, 'STORE_FAILED') ? failedError(paths.data, error.cause) : error
  } finally {
    lock?.release()
    removeFile(temporary.data)
    removeFile(temporary.lock)
  }
}

/** Removes what interrupted creations and backups left behind, but nothing that is being made. Only for the owner. */
export function removeLeftovers(paths: StorePath): void {
  for (const name of readdirSync(paths.directory)) {
    if (!name.startsWith(temporaryPrefix(paths)) && !isUnfinishedCopy(paths, name)) continue
    const path = join(paths.directory, name)
    const made = path.replace(/-(lock|room)$/, '')
    // A second name of the store itself: a power cut may undo the removal of the name under which it was built.
    if (isSameFile(made, paths.data) || !isLocked(made)) removeFile(path)
  }
}

/** Takes the room for a new file and gives it back: LMDB would end the process if it found none. */
function proveRoom(temporary: string): void {
  const probe = `${temporary}-room`
  const file = openSync(probe, 'wx', 0o600)
  try {
    const zeros = new Uint8Array(FIRST_BYTES)
    for (let done = 0; done < FIRST_BYTES; ) done += writeSync(file, zeros, done)
  } finally {
    closeSync(file)
    removeFile(probe)
  }
}

async function build(
  path: string,
  tables: readonly string[],
  mapBytes: number,
  limits: ReserveOptions,
): Promise<void> {
  const environment = await openEnvironment({ path, readOnly: false, mapBytes })
  try {
    const reserve = new Reserve(path, environment.pageBytes, environment.lastPage() + 1, limits)
    try {
      reserve.ensure(FIRST_BYTES / environment.pageBytes, true, () => 0)
      environment.makeTables(tables)
    } finally {
      reserve.close()
    }
  } finally {
    await environment.close()
  }
}

/**
 * A copy that was to be kept before a migration, and was cut short: as long as the store, and made anew by each
 * attempt.
 */
function isUnfinishedCopy(paths: StorePath, name: string): boolean {
  return name.startsWith(`${paths.name}.schema-`) && /^\d+-\d+\.new-/.test(name.slice(paths.name.length + 8))
}

function temporaryPrefix(paths: StorePath): string {
  return `${paths.name}.new-`
}
