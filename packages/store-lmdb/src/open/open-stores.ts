import { type ExecutionStore, isStoreError, type JobStore, type Json } from '@saltcod/store-core'
import {
  type Clock,
  checkFields,
  checkOpenOptions,
  type Fields,
  type KvStore,
  type OpenStoreOptions,
  openExecutionStore,
  openJobStore,
  STORE_TABLES,
} from '@saltcod/store-core/backend'
import { failedError } from '../refusal.ts'
import { openLmdbKv } from './opening.ts'
import type { LmdbKvOptions } from './opening-options.ts'
import { OPENING_FIELDS } from './opening-options.ts'

/** Options of {@link openLmdbJobStore} and {@link openLmdbExecutionStore}. */
export interface LmdbStoreOptions
  extends Omit<LmdbKvOptions, 'tables'>,
    Omit<OpenStoreOptions, 'clock' | 'onMigration'> {
  /** Tells the time, in milliseconds since 1970. Default: the system's clock, and `performance.now` as `steadyClock`. */
  readonly clock?: Clock
}

const { tables: _, ...FILE_FIELDS } = OPENING_FIELDS

const SYSTEM_CLOCKS = { clock: Date.now, steadyClock: () => performance.now() }

const STORE_FIELDS: Fields<LmdbStoreOptions> = {
  ...FILE_FIELDS,
  clock: true,
  steadyClock: true,
  nodeId: true,
  maxSpecBytes: true,
}

/**
 * Opens the job store in an LMDB file, or makes it. Resolves when it is ready to use. Rejects with
 * `STORE_NOT_FOUND`, `STORE_FOREIGN`, `STORE_DAMAGED`, `STORE_LOCKED`, `STORE_OTHER_NODE`, `STORE_PERMISSION`,
 * `SCHEMA_TOO_NEW`, `STORE_BUSY`, `STORE_FULL` or `STORE_FAILED`, or with a `TypeError` for options that are none; the file is then left as it was.
 */
export async function openLmdbJobStore<Spec = Json>(options: LmdbStoreOptions): Promise<JobStore<Spec>> {
  return await openOn(options, openJobStore<Spec>)
}

/** Opens the execution store in an LMDB file, or makes it. Rejects as {@link openLmdbJobStore} does. */
export async function openLmdbExecutionStore<Spec = Json>(
  options: LmdbStoreOptions,
): Promise<ExecutionStore<Spec>> {
  return await openOn(options, openExecutionStore<Spec>)
}

async function openOn<Store>(
  options: LmdbStoreOptions,
  open: (kv: KvStore, options: OpenStoreOptions) => Promise<Store>,
): Promise<Store> {
  checkFields('options', options, STORE_FIELDS)
  const { clock, steadyClock, nodeId, maxSpecBytes, ...kvOptions } = { ...options }
  const storeOptions: OpenStoreOptions = {
    ...(clock === undefined ? SYSTEM_CLOCKS : { clock }),
    ...(steadyClock === undefined ? {} : { steadyClock }),
    ...(nodeId === undefined ? {} : { nodeId }),
    ...(maxSpecBytes === undefined ? {} : { maxSpecBytes }),
    onMigration: ({ from, to, backup }) => {
      const message = `The store ${options.path} was of schema ${from} and is of schema ${to} now; a copy from before is ${backup}.`
      options.onNotice?.({ code: 'MIGRATED', message })
    },
  }
  // Before a file is made.
  checkOpenOptions(storeOptions)
  const kv = await openLmdbKv({ ...kvOptions, tables: STORE_TABLES })
  try {
    return await open(kv, storeOptions)
  } catch (error) {
    await kv.close()
    // What an opening writes is nothing that anybody asked for, so nobody has to ask whether it is there.
    throw isStoreError(error, 'OUTCOME_UNKNOWN') ? failedError(options.path, error.cause) : error
  }
}
