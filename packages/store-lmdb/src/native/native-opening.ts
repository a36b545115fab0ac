import { closeSync } from 'node:fs'

import { open, type RootDatabase, type RootDatabaseOptions } from 'lmdb'
import { LEAST_SLOTS } from '../file/reader-table.ts'
import { nativeError } from '../refusal.ts'
import type { NativeStats } from './native-types.ts'
import { openLockFile, proveDataFile } from './opening-proof.ts'
import type { PrivateLock } from './private-lock.ts'

/** Most named tables in one file; fixed, because every process that opens the file should agree. */
const MAX_TABLES = 64

/** How lmdb gives keys and values, for a file and each of its tables. */
export const ENCODING = { encoding: 'binary', keyEncoding: 'binary' } as const

/** How a file is opened. */
export interface EnvironmentOptions {
  readonly path: string
  readonly readOnly: boolean
  /** Address space that is mapped at first; the map grows beyond it by itself. */
  readonly mapBytes: number
  /**
   * Lets commits return before they are on disk. Only for a file that nobody relies on until it has been
   * synced and opened anew. Default false.
   */
  readonly unsynced?: boolean
  /** For reading a file that has no owner, without its lock file. */
  readonly privateLock?: PrivateLock | undefined
}

/** What is open where LMDB has a file open. */
export interface OpenedRoot {
  readonly root: RootDatabase<Buffer, Uint8Array>
  /** Absent where the lock file is of no use, or of none to others. */
  readonly lockFile: number | undefined
  readonly pageBytes: number
}

/** Opens a file after the proof that it can be opened. Throws a `StoreError`. */
export function openNative(options: EnvironmentOptions): OpenedRoot {
  const { path, readOnly, privateLock } = options
  proveDataFile(path, readOnly)
  const lockFile = privateLock === undefined ? openLockFile(path, readOnly) : undefined
  let root: RootDatabase<Buffer, Uint8Array> | undefined
  try {
    root = openRoot(options)
    return { root, lockFile, pageBytes: (root.getStats() as NativeStats).pageSize }
  } catch (error) {
    void root?.close()
    if (lockFile !== undefined) closeSync(lockFile)
    throw nativeError(path, 'LMDB cannot open it', error)
  }
}

function openRoot(options: EnvironmentOptions): RootDatabase<Buffer, Uint8Array> {
  const native: RootDatabaseOptions & { permissionsMode: number; safeRestore: boolean } = {
    ...ENCODING,
    noSubdir: true,
    readOnly: options.readOnly,
    noSync: options.unsynced === true,
    // Nothing is visible before it is on disk, and a reopened file never trusts an unsynced meta page.
    overlappingSync: false,
    safeRestore: true,
    maxDbs: MAX_TABLES,
    maxReaders: LEAST_SLOTS,
    mapSize: options.mapBytes,
    permissionsMode: 0o600,
  }
  return open<Buffer, Uint8Array>(options.privateLock?.path ?? options.path, native)
}
