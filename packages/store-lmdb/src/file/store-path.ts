import { lstatSync, mkdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

import type { StoreError } from '@saltcod/store-core'
import { foreignError, notFoundError, permissionError, systemCode, systemError } from '../refusal.ts'
import { ownerNotePath } from './owner-note.ts'
import { syncPath } from './sync-path.ts'

/** Where the files of a store are. */
export interface StorePath {
  /** The data file, in the real path of its directory: the lock file goes by path, so there must be one. */
  readonly data: string
  /** LMDB's table of readers. */
  readonly lock: string
  /** What the owner wrote down about itself. */
  readonly owner: string
  readonly directory: string
  readonly name: string
}

/**
 * Finds the real path of a store; makes its directory, for the owner alone, where `create` says so.
 * Throws `STORE_NOT_FOUND`, `STORE_FOREIGN` or `STORE_PERMISSION`.
 */
export function resolveStorePath(path: string, create: boolean): StorePath {
  const absolute = resolve(path)
  return storePathOf(realDirectory(absolute, create), basename(absolute))
}

/** Returns where the files of a store of that name are in a directory, which must be a real path. */
export function storePathOf(directory: string, name: string): StorePath {
  const data = join(directory, name)
  return { data, lock: `${data}-lock`, owner: ownerNotePath(data), directory, name }
}

/**
 * Refuses everything at the path but a regular file, and for writing one of another user, also as root.
 * Returns whether there is a file. Throws `STORE_FOREIGN` or `STORE_PERMISSION`.
 */
export function checkDataFile(data: string, readOnly: boolean): boolean {
  const found = lstatOrNothing(data)
  if (found === undefined) return false
  if (!found.isFile()) throw foreignError(data, `is ${kindOf(found)}, not a file`)
  if (!readOnly) refuseOtherOwner(data, found)
  return true
}

/** The same for the lock file. Returns whether there is one. */
export function checkLockFile(paths: StorePath, readOnly: boolean): boolean {
  const found = lstatOrNothing(paths.lock)
  if (found === undefined) return false
  if (!found.isFile()) throw foreignError(paths.lock, `is ${kindOf(found)}, not a lock file`)
  if (!readOnly) refuseOtherOwner(paths.lock, found)
  return true
}

function realDirectory(absolute: string, create: boolean): string {
  const directory = dirname(absolute)
  try {
    if (create) makeDirectory(directory)
    return realpathSync(directory)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') throw notFoundError(absolute)
    if (code === 'ENOTDIR' || code === 'EEXIST') {
      throw notInDirectory(directory)
    }
    if (code === 'ELOOP') throw foreignError(directory, 'is a loop of symbolic links')
    throw systemError(absolute, 'its directory cannot be used', error)
  }
}

/** Tells whether two paths are names of one file. */
export function isSameFile(first: string, second: string): boolean {
  const [a, b] = [first, second].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }))
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino
}

/**
 * Makes directories whose names are durable: without that a power cut takes the store along with its directory. Node's
 * own recursive mkdir says ENOENT on a full or read-only disk too.
 */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
    syncPath(dirname(path))
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error
  }
}

function notInDirectory(path: string): StoreError {
  return foreignError(path, 'is not a directory, so no store can be in it')
}

function lstatOrNothing(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') return undefined
    if (code === 'ENOTDIR') throw notInDirectory(dirname(path))
    throw systemError(path, 'it cannot be looked at', error)
  }
}

function refuseOtherOwner(path: string, found: Stats): void {
  const user = process.geteuid?.()
  if (user === undefined || found.uid === user) return
  throw permissionError(path, `it belongs to user ${found.uid}, and this process runs as user ${user}`)
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a directory'
  if (found.isSymbolicLink()) return 'a symbolic link'
  if (found.isFIFO()) return 'a FIFO'
  if (found.isSocket()) return 'a socket'
  return 'a device'
}
