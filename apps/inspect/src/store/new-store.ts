import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, realpathSync, rmSync, truncateSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure } from '@saltcod/cli-kit'
import { type KvStore, STORE_TABLES } from '@saltcod/store-core/backend'
import { freeLmdbPlace, openLmdbKv } from '@saltcod/store-lmdb'
import { DataFile, findCommit } from '@saltcod/store-lmdb/file'
import { EXIT } from '../exit-code.ts'
import type { StoreTableRow } from './interchange.ts'
import { putInPlace } from './remembered-place.ts'
import { syncPath } from './sync-path.ts'

const MAX_BATCH_KEYS = 1_000
const MAX_BATCH_BYTES = 4 * 1024 * 1024

/** A store that is being written: rows are gathered and written many at a time. */
export class RowSink {
  readonly kv: KvStore
  rows = 0
  #pending: StoreTableRow[] = []
  #bytes = 0

  constructor(kv: KvStore) {
    this.kv = kv
  }

  /** Adds a row. Call {@link RowSink.flush} where this says that much has been gathered. */
  add(row: StoreTableRow): boolean {
    this.#pending.push(row)
    this.rows += 1
    this.#bytes += row.key.length + row.value.length
    return this.#pending.length >= MAX_BATCH_KEYS || this.#bytes >= MAX_BATCH_BYTES
  }

  /** Writes what has been gathered. */
  async flush(): Promise<void> {
    const batch = this.#pending
    this.#pending = []
    this.#bytes = 0
    if (batch.length === 0) return
    await this.kv.write((rows) => {
      for (const { table, key, value } of batch) rows.put(table, key, value)
    })
  }
}

/**
 * Makes a new store file: built under another name, synced, then linked to its own, so that a file is never
 * replaced and never seen half-written. Throws a `Failure` where something is at the path. Returns its length.
 */
export async function makeStore(path: string, fill: (sink: RowSink) => Promise<void>): Promise<number> {
  const target = freePath(path)
  const temporary = join(dirname(target), `.${basename(target)}.making-${randomBytes(6).toString('hex')}`)
  try {
    const kv = await openLmdbKv({ path: temporary, tables: STORE_TABLES })
    try {
      const sink = new RowSink(kv)
      await fill(sink)
      await sink.flush()
    } finally {
      await kv.close()
    }
    const bytes = trim(temporary)
    publish(temporary, target)
    return bytes
  } finally {
    for (const suffix of ['', '-lock', '.owner'])
      rmSync(`${temporary}${suffix}`, { recursive: true, force: true })
  }
}

/** Gives a finished file its name. Throws a `Failure` where something is there by now. */
export function publish(temporary: string, target: string): void {
  syncPath(temporary)
  putInPlace(target, () => {
    try {
      linkSync(temporary, target)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw taken(target)
      throw error
    }
    syncPath(dirname(target))
  })
}

/**
 * Returns the real path of a file that is to be made, and clears what a store that is gone left beside it. Throws a
 * `Failure` where something is there, and `STORE_LOCKED` where a process still has that store open.
 */
export function freePath(path: string): string {
  const absolute = resolve(path)
  let directory: string
  try {
    directory = realpathSync(dirname(absolute))
  } catch {
    throw new Failure(EXIT.usage, `there is no directory ${dirname(absolute)}`, { hint: 'make it first' })
  }
  const target = join(directory, basename(absolute))
  // Of a rewrite that was cut short the newest state may be the one beside the path.
  for (const file of [target, `${target}.prev`, `${target}.rewrite-swap`]) {
    if (existsSync(file)) throw taken(file)
  }
  freeLmdbPlace(target)
  return target
}

function taken(path: string): Failure {
  return new Failure(EXIT.usage, `${path} exists; nothing is ever overwritten`, {
    hint: 'give another path, or move what is there out of the way',
  })
}

/**
 * Cuts off the space that a store reserves at its end, and returns its length. Throws a `Failure` for a damaged file.
 */
function trim(path: string): number {
  const file = new DataFile(path)
  const commit = findCommit(file)
  file.close()
  if (typeof commit === 'string') {
    throw new Failure(EXIT.unreadable, `the new file ${path} is damaged: ${commit}`, {
      hint: 'look at the disk and the system log, then try again',
    })
  }
  const bytes = (commit.meta.lastPage + 1) * commit.meta.pageBytes
  truncateSync(path, bytes)
  return bytes
}
