import type { DurableStore, ExecutionStore, JobStore } from '@saltcod/store-core'
import {
  EXECUTION_STORE_OPERATIONS,
  JOB_STORE_OPERATIONS,
  type OperationKind,
} from '@saltcod/store-core/backend'

/**
 * Returns a job store that is closed and opened again before the first read after a write, so that an opening which
 * did not write it answers. For suites, with `opensAnew`.
 */
export async function jobStoreOpenedAnew(open: () => Promise<JobStore>): Promise<JobStore> {
  return await openedAnew(open, JOB_STORE_OPERATIONS)
}

/** Returns an execution store that is closed and opened again as {@link jobStoreOpenedAnew} says. */
export async function executionStoreOpenedAnew(open: () => Promise<ExecutionStore>): Promise<ExecutionStore> {
  return await openedAnew(open, EXECUTION_STORE_OPERATIONS)
}

async function openedAnew<Store extends DurableStore>(
  open: () => Promise<Store>,
  operations: Readonly<Record<string, OperationKind>>,
): Promise<Store> {
  let current = await open()
  let written = false
  let closed = false
  let running = 0
  let turning: Promise<void> | null = null
  const turn = async () => {
    await current.close()
    current = await open()
    written = false
  }
  const call = async (method: string, args: readonly unknown[]): Promise<unknown> => {
    const writes = operations[method] === 'write'
    // Others that are under way would lose their store.
    if (!closed && !writes && written && running === 0) turning ??= turn().finally(() => (turning = null))
    if (turning !== null) await turning
    running += 1
    try {
      const store = current as unknown as Readonly<Record<string, (...all: unknown[]) => Promise<unknown>>>
      return await store[method]?.apply(current, [...args])
    } finally {
      running -= 1
      if (writes) written = true
    }
  }
  return new Proxy(current, {
    get: (_target, property) => {
      const value: unknown = Reflect.get(current, property)
      if (typeof property !== 'string' || typeof value !== 'function') return value
      if (property === 'watch') return value.bind(current) as unknown
      if (property === 'close') {
        return async () => {
          closed = true
          await current.close()
        }
      }
      return (...args: unknown[]) => call(property, args)
    },
  })
}
