import { isStoreError } from '../errors.ts'
import type { KvStore } from '../kv/contract.ts'
import { checkFields, type Fields, type FieldTable } from '../kv/fields.ts'
import { failedError } from '../kv/refusal.ts'
import type { MigrationReport } from '../migrations/migrations.ts'
import type { Clock } from '../rows/clock.ts'
import { STORE_TABLES } from '../rows/tables.ts'
import { checkOpenOptions, type OpenStoreOptions } from './open-parts.ts'

/** What the user of a backend may say of a store, beside the backend's own options. */
export interface BackendStoreOptions extends Omit<OpenStoreOptions, 'clock' | 'onMigration'> {
  /**
   * Tells the time, in milliseconds since 1970. Default: the system's clock, and `performance.now` as `steadyClock`.
   */
  readonly clock?: Clock
}

/** How a backend opens its key-value store for one of the two stores. `Own` are its options without the tables. */
export interface StoreBackend<Own extends object> {
  /** The fields of its options. */
  readonly fields: Fields<Own>
  /** Opens its key-value store. */
  readonly openKv: (options: Own & { readonly tables: readonly string[] }) => KvStore | Promise<KvStore>
  /** Told where the store was of an earlier schema. */
  readonly migrated?: (options: Own, report: MigrationReport) => void
}

const OWN_FIELDS: Fields<BackendStoreOptions> = {
  clock: true,
  steadyClock: true,
  nodeId: true,
  maxSpecBytes: true,
}

/**
 * Opens one of the two stores on a backend: checks all options before the backend makes a file, opens it with the
 * tables of a store, and closes it where the store cannot be opened. `open` is `openJobStore` or `openExecutionStore`.
 * Throws `TypeError` for options that are none, what `openKv` throws, and what `open` throws.
 */
export async function openOnBackend<Own extends object, Store>(
  options: Own & BackendStoreOptions,
  backend: StoreBackend<Own>,
  open: (kv: KvStore, options: OpenStoreOptions) => Promise<Store>,
): Promise<Store> {
  const fields: FieldTable = { ...(backend.fields as FieldTable), ...(OWN_FIELDS as FieldTable) }
  checkFields<object>('options', options, fields as Fields<object>)
  const { clock, steadyClock, nodeId, maxSpecBytes, ...rest } = { ...options }
  const own = rest as unknown as Own
  const storeOptions: OpenStoreOptions = {
    ...(clock === undefined ? { clock: Date.now, steadyClock: () => performance.now() } : { clock }),
    ...(steadyClock === undefined ? {} : { steadyClock }),
    ...(nodeId === undefined ? {} : { nodeId }),
    ...(maxSpecBytes === undefined ? {} : { maxSpecBytes }),
    onMigration: (report) => backend.migrated?.(own, report),
  }
  checkOpenOptions(storeOptions)
  const kv = await backend.openKv({ ...own, tables: STORE_TABLES })
  try {
    return await open(kv, storeOptions)
  } catch (error) {
    await kv.close()
    // What an opening writes is nothing that anybody asked for, so nobody has to ask whether it is there.
    throw isStoreError(error, 'OUTCOME_UNKNOWN') ? failedError(kv.location, error.cause) : error
  }
}
