import { type Config, rememberStores, type StoreIds } from '@saltcod/config'
import type { ExecutionStore, JobStore } from '@saltcod/store-core'
import { findingWithCommand } from './inspector-command.ts'

/**
 * Makes the repository remember the stores that a node has. Returns what its operator should know, a line each: where
 * stores lie elsewhere, a repository that takes nothing is no reason not to start.
 */
export function rememberNodeStores(config: Config, nodeId: string, opened?: StoreIds): readonly string[] {
  try {
    const more = opened === undefined ? {} : { opened }
    return rememberStores({ config, nodeId, nowMs: Date.now(), ...more }).map(findingWithCommand)
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    return [`where the stores are cannot be remembered in ${config.dataDir}: ${what}`]
  }
}

/** Returns the ids of the stores of a node; none of a store whose row with it is damaged. */
export async function idsOf(stores: {
  readonly jobs: JobStore
  readonly executions: ExecutionStore | undefined
}): Promise<StoreIds> {
  const idOf = async (store: JobStore | ExecutionStore | undefined): Promise<string | undefined> => {
    const info = await store?.info()
    return info?.storeId || undefined
  }
  return { requester: await idOf(stores.jobs), compute: await idOf(stores.executions) }
}
