import { Failure, type Terminal } from '@saltcod/cli-kit'
import { type ExecutionStore, isStoreError, type JobStore } from '@saltcod/store-core'
import {
  type KvSnapshot,
  type KvStore,
  openExecutionStore,
  openJobStore,
  STORE_TABLES,
} from '@saltcod/store-core/backend'
import { readStoreRow, SCHEMA_VERSION, type StoreRow, unfoldedStore } from '@saltcod/store-core/format'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { announceOpening, crashBefore } from '../crash.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { tellGoneStores } from './gone-stores.ts'
import { locateStores } from './locate.ts'
import { scratchDirectory } from './scratch-directory.ts'
import { careHint, isUnreadable, passOver } from './unreadable-store.ts'

/** With what the program itself takes, an inspector of a store of any size stays below 400 MB. */
const MAX_RESIDENT_BYTES = 128 * 1024 * 1024

interface OpenedFile {
  readonly path: string
  /** The rows as if nothing had ever been folded. */
  readonly kv: KvStore
  /** The rows as they stand on disk. */
  readonly stored: KvStore
  readonly row: StoreRow
}

/** A job store that is open for reading. */
export interface OpenedJobs extends OpenedFile {
  readonly kind: 'jobs'
  readonly store: JobStore
}

/** An execution store that is open for reading. */
export interface OpenedExecutions extends OpenedFile {
  readonly kind: 'executions'
  readonly store: ExecutionStore
}

/** A store that is open for reading, with what its `meta` table says of it. */
export type OpenedStore = OpenedJobs | OpenedExecutions

/**
 * Opens a store file for reading, whichever of the two stores it holds. Throws a `Failure` or what the store throws.
 */
export async function openStore(path: string): Promise<OpenedStore> {
  refuseCrashed(path)
  const stored = await openRaw(path)
  try {
    const row = stored.read(storeRowOf)
    if (row === undefined) {
      throw new Failure(EXIT.unreadable, `${path} holds no store yet`, {
        hint: 'it was made and never opened by a node',
      })
    }
    refuseNewer(path, row)
    const options = { clock: Date.now }
    const opened = { path, stored, kv: unfoldedStore(stored, row.kind), row }
    if (row.kind === 'jobs') return { ...opened, kind: 'jobs', store: await openJobStore(stored, options) }
    return { ...opened, kind: 'executions', store: await openExecutionStore(stored, options) }
  } catch (error) {
    await stored.close()
    throw error
  }
}

/** Opens the tables of a store file for reading. Throws what `openLmdbKv` throws. */
async function openRaw(path: string): Promise<KvStore> {
  announceOpening(path)
  const scratch = scratchDirectory()
  return await openLmdbKv({
    path,
    tables: STORE_TABLES,
    readOnly: true,
    maxResidentBytes: MAX_RESIDENT_BYTES,
    ...(scratch === undefined ? {} : { scratchDirectory: scratch }),
  })
}

/**
 * Opens every store that an argument means, one after the other, and closes each after its turn. Where there are
 * several, one that cannot be read is complained of, added to `unreadable` and passed over, also the next time.
 * Resolves with `unreadable` where there was such a one, or where the repository had one that is gone.
 */
export async function eachStore(
  terminal: Terminal,
  argument: string,
  visit: (opened: OpenedStore, total: number) => Promise<void>,
  unreadable: Set<string> = new Set(),
): Promise<ExitCode | undefined> {
  const gone = await tellGoneStores(terminal, argument, unreadable)
  const paths = await locateStores(argument)
  const total = paths.length + gone
  for (const path of paths) {
    if (unreadable.has(path)) continue
    try {
      const opened = await openStore(path)
      try {
        await visit(opened, total)
      } finally {
        await opened.kv.close()
      }
    } catch (error) {
      if (paths.length === 1 || !isUnreadable(error)) throw error
      unreadable.add(path)
      passOver(terminal, path, error)
    }
  }
  return unreadable.size === 0 ? undefined : EXIT.unreadable
}

/** The worker before this one may have been ended by a store. */
function refuseCrashed(path: string): void {
  const crash = crashBefore(process.env)
  if (crash?.path !== path) return
  throw new Failure(
    EXIT.unreadable,
    `the store ${path} is damaged: opening it ended the process that read it (${crash.signal})`,
    { hint: careHint(path) },
  )
}

/** Where the row that names a store is damaged, its tables tell the kind: whoever looks at it must get in. */
function storeRowOf(snapshot: KvSnapshot): StoreRow | undefined {
  try {
    return readStoreRow(snapshot)
  } catch (error) {
    if (!isStoreError(error, 'RECORD_CORRUPT')) throw error
    const hasJobs = (['jobs', 'evaluations'] as const).some(
      (table) => snapshot.keys(table, { limit: 1 }).length > 0,
    )
    const kind = hasJobs ? 'jobs' : 'executions'
    return { kind, schema: SCHEMA_VERSION, storeId: '', nodeId: null, createdAtMs: 0 }
  }
}

/** Refuses a store of a newer release, whose rows may mean something else. Throws a `Failure`. */
export function refuseNewer(path: string, row: Pick<StoreRow, 'schema'>): void {
  if (row.schema <= SCHEMA_VERSION) return
  throw new Failure(
    EXIT.unreadable,
    `${path} has schema ${row.schema}, this release reads up to ${SCHEMA_VERSION}`,
    { hint: 'use the inspector of the newer release that wrote it' },
  )
}
