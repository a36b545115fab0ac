import type { ExecutionStore, JobStore, Json } from '@saltcod/store-core'
import {
  type Clock,
  type OpenStoreOptions,
  openExecutionStore,
  openJobStore,
  STORE_TABLES,
} from '@saltcod/store-core/backend'

import { openMemoryKv } from './memory-kv.ts'

/** Options of {@link openMemoryJobStore} and {@link openMemoryExecutionStore}. */
export interface MemoryStoreOptions extends Omit<OpenStoreOptions, 'clock'> {
  /** Tells the time, in milliseconds since 1970. Default: the system's clock, and `performance.now` as `steadyClock`. */
  readonly clock?: Clock
}

/** Opens an empty job store that lives as long as the process. */
export async function openMemoryJobStore<Spec = Json>(
  options: MemoryStoreOptions = {},
): Promise<JobStore<Spec>> {
  return await openJobStore<Spec>(openMemoryKv({ tables: STORE_TABLES }), withClocks(options))
}

/** Opens an empty execution store that lives as long as the process. */
export async function openMemoryExecutionStore<Spec = Json>(
  options: MemoryStoreOptions = {},
): Promise<ExecutionStore<Spec>> {
  return await openExecutionStore<Spec>(openMemoryKv({ tables: STORE_TABLES }), withClocks(options))
}

function withClocks({ clock, ...options }: MemoryStoreOptions): OpenStoreOptions {
  const steadyClock = () => performance.now()
  return clock === undefined ? { clock: Date.now, steadyClock, ...options } : { clock, ...options }
}
