import { openedStores, rememberNodeStores } from '../store-memory.ts'
import type { NodeOptions } from './options.ts'

/** Returns what has the repository remember how far stores have come. */
export function memoryOf(
  { config, nodeId, log }: NodeOptions,
  stores: Parameters<typeof openedStores>[0],
): (how: { readonly met: boolean }) => Promise<void> {
  const startedAtMs = Date.now()
  return async ({ met }) => {
    const opened = await openedStores(stores)
    const warnings = rememberNodeStores({ config, nodeId, opened, met, nowMs: startedAtMs })
    for (const warning of warnings) log.warn(warning)
  }
}
