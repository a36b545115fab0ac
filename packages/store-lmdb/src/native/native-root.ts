import { open, type RootDatabase, type RootDatabaseOptions } from 'lmdb'
import type { PrivateLock } from './private-lock.ts'

/** Most named tables in one file; fixed, because every process that opens the file should agree. */
const MAX_TABLES = 64

/** Reader slots that LMDB asks for where it has to make the lock file. A longer one has more, for whoever opens it. */
const LEAST_SLOTS = 126

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

/**
 * Opens a file of which it is proven that it can be opened. One that this process has open already is proof enough.
 */
export function openRoot(options: EnvironmentOptions): RootDatabase<Buffer, Uint8Array> {
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
