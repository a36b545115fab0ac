import type { JobStore } from '../contract/job-store.ts'
import { type OpenStoreOptions, openParts } from '../durable/open-parts.ts'
import type { KvStore } from '../kv/contract.ts'
import type { Json } from '../kv/json.ts'
import { JobStoreOnKv } from './job-store-on-kv.ts'

/**
 * Opens the job store that a key-value backend holds, or makes one in an empty backend. Leases of earlier
 * openings are void. One of an earlier schema is backed up and migrated. Throws `STORE_NOT_FOUND` (reading an empty
 * one), `STORE_FOREIGN`, `SCHEMA_TOO_NEW`, `STORE_OTHER_NODE`.
 */
export async function openJobStore<Spec = Json>(
  kv: KvStore,
  options: OpenStoreOptions,
): Promise<JobStore<Spec>> {
  const store = new JobStoreOnKv<Spec>(await openParts(kv, 'jobs', options))
  if (kv.readOnly) return store
  await store.migrate()
  await store.voidForeignLeases()
  return store
}
