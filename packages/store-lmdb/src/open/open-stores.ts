import type { ExecutionStore, JobStore, Json } from '@saltcod/store-core'
import {
  type BackendStoreOptions,
  openExecutionStore,
  openJobStore,
  openOnBackend,
  type StoreBackend,
} from '@saltcod/store-core/backend'
import { openLmdbKv } from './opening.ts'
import { type LmdbKvOptions, OPENING_FIELDS } from './opening-options.ts'

type FileOptions = Omit<LmdbKvOptions, 'tables'>

/** Options of {@link openLmdbJobStore} and {@link openLmdbExecutionStore}. */
export interface LmdbStoreOptions extends FileOptions, BackendStoreOptions {}

const { tables: _, ...FILE_FIELDS } = OPENING_FIELDS

const LMDB: StoreBackend<FileOptions> = {
  fields: FILE_FIELDS,
  openKv: openLmdbKv,
  migrated: ({ path, onNotice }, { from, to, backup }) => {
    const message = `The store ${path} was of schema ${from} and is of schema ${to} now; a copy from before is ${backup}.`
    onNotice?.({ code: 'MIGRATED', message })
  },
}

/**
 * Opens the job store in an LMDB file, or makes it. Resolves when it is ready to use. Rejects with `STORE_NOT_FOUND`,
 * `STORE_FOREIGN`, `STORE_DAMAGED`, `STORE_LOCKED`, `STORE_OTHER_NODE`, `STORE_PERMISSION`, `SCHEMA_TOO_NEW`,
 * `STORE_BUSY`, `STORE_FULL` or `STORE_FAILED`, or with a `TypeError` for options that are none; the file is then left
 * as it was.
 */
export async function openLmdbJobStore<Spec = Json>(options: LmdbStoreOptions): Promise<JobStore<Spec>> {
  return await openOnBackend(options, LMDB, openJobStore<Spec>)
}

/** Opens the execution store in an LMDB file, or makes it. Rejects as {@link openLmdbJobStore} does. */
export async function openLmdbExecutionStore<Spec = Json>(
  options: LmdbStoreOptions,
): Promise<ExecutionStore<Spec>> {
  return await openOnBackend(options, LMDB, openExecutionStore<Spec>)
}
