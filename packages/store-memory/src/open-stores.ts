import {
  type Clock,
  type ExecutionStore,
  type JobStore,
  type Json,
  type OpenStoreOptions,
  openExecutionStore,
  openJobStore,
  STORE_TABLES,
} from '@saltcod/store-core'

import { openMemoryKv } from './memory-kv.ts'

/** Options of {@link openMemoryJobStore} and {@link openMemoryExecutionStore}. */
export interface MemoryStoreOptions extends Omit<OpenStoreOptions, 'clock'> {
  /** Tells the time, in milliseconds since 1970. Default: the system's clock. */
  readonly clock?: Clock
}

/** Opens an empty job store that lives as long as the process. */
export async function openMemoryJobStore<Spec = Json>({
  clock = Date.now,
  ...options
}: MemoryStoreOptions = {}): Promise<JobStore<Spec>> {
  return await openJobStore<Spec>(openMemoryKv({ tables: STORE_TABLES }), { clock, ...options })
}

/** Opens an empty execution store that lives as long as the process. */
export async function openMemoryExecutionStore<Spec = Json>({
  clock = Date.now,
  ...options
}: MemoryStoreOptions = {}): Promise<ExecutionStore<Spec>> {
  return await openExecutionStore<Spec>(openMemoryKv({ tables: STORE_TABLES }), { clock, ...options })
}
