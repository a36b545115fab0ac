import type { ExecutionStore, JobStore, Json } from '@saltcod/store-core'
import {
  type BackendStoreOptions,
  openExecutionStore,
  openJobStore,
  openOnBackend,
  type StoreBackend,
} from '@saltcod/store-core/backend'

import { openMemoryKv } from './memory-kv.ts'

/** Options of {@link openMemoryJobStore} and {@link openMemoryExecutionStore}. */
export interface MemoryStoreOptions extends BackendStoreOptions {}

const MEMORY: StoreBackend<object> = { fields: {}, openKv: openMemoryKv }

/** Opens an empty job store that lives as long as the process. */
export async function openMemoryJobStore<Spec = Json>(
  options: MemoryStoreOptions = {},
): Promise<JobStore<Spec>> {
  return await openOnBackend(options, MEMORY, openJobStore<Spec>)
}

/** Opens an empty execution store that lives as long as the process. */
export async function openMemoryExecutionStore<Spec = Json>(
  options: MemoryStoreOptions = {},
): Promise<ExecutionStore<Spec>> {
  return await openOnBackend(options, MEMORY, openExecutionStore<Spec>)
}
