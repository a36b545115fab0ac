import { realpathSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { KvRow } from '@saltcod/store-core/backend'
import { DEFAULT_LOW_SPACE_BYTES, DEFAULT_MAP_BYTES } from '../file/free-space.ts'
import { storePathOf } from '../file/store-path.ts'
import { FreshFile } from './fresh-file.ts'

/** What a batch may take at most, in pages of which some are half full. */
const ROOM_FACTOR = 3
const ROOM_BYTES = 1024 * 1024

/** Rows of one table, behind all of it that came before. */
export interface LoadBatch {
  readonly table: string
  readonly rows: readonly KvRow[]
}

/** Options of {@link loadLmdbFile}. */
export interface LoadLmdbOptions {
  /** Where nothing is yet. */
  readonly path: string
  readonly tables: readonly string[]
  /** The rows of each table, in the order of their keys. */
  readonly batches: AsyncIterable<LoadBatch>
}

/**
 * Makes a store file of rows that come in order: far faster than by writes to a store, with full pages, and without
 * waiting for the disk until all of it is written. Nobody may look for it under its name before. Rejects with
 * `STORE_FULL`, `STORE_FAILED` and what the batches throw; what is there then is of no use.
 */
export async function loadLmdbFile({ path, tables, batches }: LoadLmdbOptions): Promise<void> {
  const absolute = resolve(path)
  const paths = storePathOf(realpathSync(dirname(absolute)), basename(absolute))
  const file = await FreshFile.create(paths, {
    tables,
    mapBytes: DEFAULT_MAP_BYTES,
    lowSpaceBytes: DEFAULT_LOW_SPACE_BYTES,
  })
  try {
    for await (const { table, rows } of batches) {
      const bytes = rows.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
      await file.makeRoom(ROOM_FACTOR * bytes + ROOM_BYTES)
      file.append(table, rows)
    }
    await file.trim(0)
    await file.finish()
  } catch (error) {
    await file.abandon()
    throw error
  }
}
