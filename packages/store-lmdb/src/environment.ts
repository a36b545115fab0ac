/** The one module that imports `lmdb`: a thin, typed face of what the package uses of it, and nothing else. */

import { statSync } from 'node:fs'
import type { KvRange, KvRow } from '@saltcod/store-core'
import { type Database, type DatabaseOptions, open, type RootDatabase, type RootDatabaseOptions } from 'lmdb'

import { damagedError, failedError, lockedError } from './refusal.ts'

/** Most named tables in one file; fixed, because every process that opens the file should agree. */
const MAX_TABLES = 64

/** Slots for readers, of all processes together. */
const MAX_READERS = 126

/** LMDB's code for a read that finds all slots taken. */
const READERS_FULL = -30_790

/** Options of {@link openEnvironment}. */
export interface EnvironmentOptions {
  readonly path: string
  readonly readOnly: boolean
  /** Address space that is mapped at first; the map grows beyond it by itself. */
  readonly mapBytes: number
}

/** Pages of one table. */
export interface TreeSize {
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
  readonly rows: number
}

/** What lmdb's declarations leave out, at the pinned version. */
interface NativeStat {
  readonly pageSize: number
  readonly treeDepth: number
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly entryCount: number
  readonly overflowPages: number
}

interface NativeRoot {
  readonly env: { info(): { readonly lastPageNumber: number } }
}

interface NativeTable {
  readonly db: { stat(): NativeStat }
  ensureReadTxn(): void
}

interface NativeStats extends NativeStat {
  readonly root: NativeStat
  readonly free: NativeStat
}

type Bytes = Buffer
type Table = Database<Bytes, Uint8Array>

const ENCODING = { encoding: 'binary', keyEncoding: 'binary' } as const
const FIRST_KEY: Uint8Array = Uint8Array.of(0)

/**
 * Opens a file that has been probed, or makes a new one. Never call it with a file that was not probed:
 * one that LMDB cannot open ends the process. Throws the error of lmdb.
 */
export async function openEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const native: RootDatabaseOptions & { permissionsMode: number; safeRestore: boolean } = {
    ...ENCODING,
    noSubdir: true,
    readOnly: options.readOnly,
    // Nothing is visible before it is on disk, and a reopened file never trusts an unsynced meta page.
    overlappingSync: false,
    safeRestore: true,
    maxDbs: MAX_TABLES,
    maxReaders: MAX_READERS,
    mapSize: options.mapBytes,
    permissionsMode: 0o600,
  }
  const root = open<Bytes, Uint8Array>(options.path, native)
  return new Environment(root, options.path, options.readOnly)
}

/** One open file. All calls are synchronous, and must not be made across turns of the event loop. */
export class Environment {
  readonly path: string
  readonly readOnly: boolean
  readonly pageBytes: number
  /** The first error that LMDB itself reported inside a transaction that writes. */
  fault: unknown
  readonly #root: RootDatabase<Bytes, Uint8Array>
  readonly #tables = new Map<string, Table | undefined>()
  #writing = false

  constructor(root: RootDatabase<Bytes, Uint8Array>, path: string, readOnly: boolean) {
    this.#root = root
    this.path = path
    this.readOnly = readOnly
    this.pageBytes = this.#stats(root).pageSize
  }

  /** Opens those of the named tables that the file has. Returns the names of the others, which are empty. */
  openTables(names: readonly string[]): string[] {
    return names.filter((name) => !this.#openTable(name, false))
  }

  /** Makes tables that the file has not, in one commit. */
  makeTables(names: readonly string[]): void {
    this.#root.transactionSync(() => {
      for (const name of names) this.#openTable(name, true)
    })
  }

  /** Number of the last page that the last commit uses. */
  lastPage(): number {
    return (this.#root as unknown as NativeRoot).env.info().lastPageNumber
  }

  /** Length of the file in bytes. */
  fileBytes(): number {
    return statSync(this.path).size
  }

  /** Sizes of one table, as the transaction under way sees it; zeros where the file has no such table. */
  treeSize(name: string): TreeSize {
    const table = this.#tables.get(name)
    if (table === undefined) return { depth: 0, branchPages: 0, leafPages: 0, overflowPages: 0, rows: 0 }
    const native = table as unknown as NativeTable
    // Without a transaction to read in, the numbers would be those of a stray piece of memory.
    native.ensureReadTxn()
    return treeSizeOf(native.db.stat())
  }

  /** Pages of the two trees that LMDB keeps for itself: the names of the tables, and the free pages. */
  ownPages(): number {
    const { root, free } = this.#stats(this.#root)
    return pagesOf(treeSizeOf(root)) + pagesOf(treeSizeOf(free))
  }

  get(name: string, key: Uint8Array): Uint8Array | undefined {
    try {
      return this.#tables.get(name)?.getBinary(key)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  range(name: string, range: KvRange): KvRow[] {
    try {
      const rows: KvRow[] = []
      const table = this.#tables.get(name)
      if (table === undefined) return rows
      for (const row of table.getRange(nativeRange(range))) rows.push(row)
      return rows
    } catch (error) {
      throw this.#fail(error)
    }
  }

  keys(name: string, range: KvRange): Uint8Array[] {
    try {
      const keys: Uint8Array[] = []
      const table = this.#tables.get(name)
      if (table === undefined) return keys
      for (const key of table.getKeys(nativeRange(range))) keys.push(key)
      return keys
    } catch (error) {
      throw this.#fail(error)
    }
  }

  put(name: string, key: Uint8Array, value: Uint8Array): void {
    try {
      this.#table(name).putSync(key, value as Bytes)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  remove(name: string, key: Uint8Array): boolean {
    try {
      return this.#table(name).removeSync(key)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /**
   * Runs a body in a transaction and returns when the commit is on disk. Where the body throws, nothing
   * is kept and its error is thrown.
   */
  commit(body: () => void): void {
    this.#writing = true
    try {
      // The callback returns nothing: a thenable would leave the transaction open for good.
      this.#root.transactionSync(() => {
        body()
      })
    } finally {
      this.#writing = false
    }
  }

  /** Lets the next read see what other processes committed meanwhile. */
  refresh(): void {
    this.#root.resetReadTxn()
  }

  /** Writes a compact copy to a path. */
  async copyTo(path: string): Promise<void> {
    await this.#root.backup(path, true)
  }

  async close(): Promise<void> {
    await this.#root.close()
  }

  #openTable(name: string, create: boolean): boolean {
    if (this.#tables.get(name) !== undefined) return true
    const options: DatabaseOptions & { create: boolean } = { ...ENCODING, create }
    const table = this.#root.openDB<Bytes, Uint8Array>(name, options) as Table | undefined
    this.#tables.set(name, table)
    return table !== undefined
  }

  #table(name: string): Table {
    const table = this.#tables.get(name)
    if (table === undefined) throw new TypeError(`The table ${name} is not open.`)
    return table
  }

  #stats(database: Database<Bytes, Uint8Array>): NativeStats {
    return database.getStats() as NativeStats
  }

  #fail(error: unknown): Error {
    if (!this.#writing) return readingError(this.path, error)
    this.fault ??= error
    return failedError(this.path, error)
  }
}

function readingError(path: string, error: unknown): Error {
  const code = (error as { code?: unknown } | null | undefined)?.code
  if (code === READERS_FULL)
    return lockedError(path, `${MAX_READERS} readers, the most that there may be at a time`)
  return damagedError(path, 'LMDB cannot read it', error)
}

/** All pages of a table. */
export function pagesOf(size: TreeSize): number {
  return size.branchPages + size.leafPages + size.overflowPages
}

function treeSizeOf(stat: NativeStat): TreeSize {
  return {
    depth: stat.treeDepth,
    branchPages: stat.treeBranchPageCount,
    leafPages: stat.treeLeafPageCount,
    overflowPages: stat.overflowPages,
    rows: stat.entryCount,
  }
}

interface NativeRange {
  start?: Uint8Array
  end?: Uint8Array
  exclusiveStart: boolean
  inclusiveEnd: boolean
  reverse: boolean
  limit: number
}

function nativeRange(range: KvRange): NativeRange {
  const { gte, gt, lt, lte, limit } = range
  const reverse = range.reverse === true
  const low = gte ?? gt
  const high = lte ?? lt
  const start = reverse ? high : low
  // Going down without a lower bound, lmdb would stop above the first possible key and leave it out.
  const end = reverse ? (low ?? FIRST_KEY) : high
  const native: NativeRange = {
    exclusiveStart: (reverse ? lt : gt) !== undefined,
    inclusiveEnd: reverse ? gt === undefined : lte !== undefined,
    reverse,
    limit,
  }
  if (start !== undefined) native.start = start
  if (end !== undefined) native.end = end
  return native
}
