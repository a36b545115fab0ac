import type { ExecutionStore } from '../contract/execution-store.ts'
import { type OpenStoreOptions, openParts } from '../durable/open-parts.ts'
import type { KvStore } from '../kv/contract.ts'
import type { Json } from '../kv/json.ts'
import { ExecutionStoreOnKv } from './execution-store-on-kv.ts'

/**
 * Opens the execution store that a key-value backend holds, or makes one in an empty backend. Throws
 * `STORE_NOT_FOUND` (reading an empty one), `STORE_FOREIGN`, `SCHEMA_TOO_NEW`, `STORE_OTHER_NODE`.
 */
export async function openExecutionStore<Spec = Json>(
  kv: KvStore,
  options: OpenStoreOptions,
): Promise<ExecutionStore<Spec>> {
  const store = new ExecutionStoreOnKv<Spec>(await openParts(kv, 'executions', options))
  if (!kv.readOnly) await store.migrate()
  return store
}
