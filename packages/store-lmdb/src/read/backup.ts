import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

import { isStoreError } from '@saltcod/store-core'
import { probeDataFile } from '../file/file-probe.ts'
import { removeFile } from '../file/file-removal.ts'
import { syncPath } from '../file/sync-path.ts'
import type { Environment } from '../native/environment.ts'
import {
  descriptorsError,
  foreignError,
  fullError,
  messageOf,
  systemCode,
  systemError,
  unlistedError,
} from '../refusal.ts'

/**
 * Writes a compact copy of one snapshot: under another name, synced, probed, then linked to its own name. Returns its
 * length in bytes. Throws `STORE_FOREIGN` where the path exists, `STORE_FULL`, `STORE_BUSY`, `STORE_PERMISSION`, or
 * `STORE_DAMAGED` where the store has pages that nothing uses and its list of free pages leaves out.
 */
export async function backUp(environment: Environment, path: string): Promise<number> {
  const absolute = resolve(path)
  if (existsSync(absolute)) throw foreignError(absolute, 'exists; a backup never replaces a file')
  try {
    const directory = realpathSync(dirname(absolute))
    const target = join(directory, basename(absolute))
    const temporary = `${target}.new-${randomBytes(6).toString('hex')}`
    try {
      await copy(environment, temporary)
      linkSync(temporary, target)
      syncPath(directory)
      return statSync(target).size
    } finally {
      removeFile(temporary)
    }
  } catch (error) {
    if (/^MDB_INCOMPATIBLE/.test(messageOf(error))) throw unlistedError(environment.path, error)
    throw refusalOf(error, absolute)
  }
}

async function copy(environment: Environment, temporary: string): Promise<void> {
  await environment.copyTo(temporary)
  // LMDB makes it readable for others whatever the mode of the store.
  chmodSync(temporary, 0o600)
  syncPath(temporary)
  probeDataFile(temporary)
}

function refusalOf(error: unknown, path: string): unknown {
  if (isStoreError(error)) return error
  const code = systemCode(error)
  if (code === 'EEXIST') return foreignError(path, 'exists; a backup never replaces a file')
  if (code === 'ENOSPC' || /space left|quota exceeded/i.test(messageOf(error))) {
    return fullError(path, messageOf(error))
  }
  if (/too many open files/i.test(messageOf(error))) return descriptorsError(path, error)
  return systemError(path, 'the backup cannot be written', error)
}
