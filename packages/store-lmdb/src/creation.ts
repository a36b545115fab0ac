import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import { openEnvironment } from './environment.ts'
import { removeFile } from './file-removal.ts'
import { foreignError, fullError, messageOf, systemCode } from './refusal.ts'
import { Reserve, type ReserveOptions } from './reserve.ts'
import type { StorePath } from './store-path.ts'

/** A new file gets so much before LMDB sees it, enough for its tables. */
const FIRST_BYTES = 1024 * 1024

/**
 * Makes an empty store: built under another name, synced, then linked to its own name, so that a creation
 * that was interrupted is never seen there. Only for the owner. Throws `STORE_FULL` or `STORE_FOREIGN`.
 */
export async function createStore(
  paths: StorePath,
  tables: readonly string[],
  mapBytes: number,
  limits: ReserveOptions,
): Promise<void> {
  const temporary = join(paths.directory, `${temporaryPrefix(paths)}${randomBytes(6).toString('hex')}`)
  try {
    proveRoom(temporary)
    await build(temporary, tables, mapBytes, limits)
    syncPath(temporary)
    linkSync(temporary, paths.data)
    syncPath(paths.directory)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') throw foreignError(paths.data, 'appeared while the store was being made')
    if (code === 'ENOSPC' || code === 'EDQUOT') throw fullError(paths.data, messageOf(error))
    throw error
  } finally {
    removeFile(temporary)
    removeFile(`${temporary}-lock`)
  }
}

/** Removes what interrupted creations and backups left behind. Only for the owner. */
export function removeLeftovers(paths: StorePath): void {
  for (const name of readdirSync(paths.directory)) {
    if (name.startsWith(temporaryPrefix(paths))) removeFile(join(paths.directory, name))
  }
}

/** Waits until a file or directory is on disk. */
export function syncPath(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
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

function temporaryPrefix(paths: StorePath): string {
  return `${paths.name}.new-`
}
