import type { DurableStore } from '@saltcod/store-core'

/**
 * Returns a store that is closed and opened again before the first read after a write, so that an opening which did not
 * write it answers.
 */
export async function openedAnew<Store extends DurableStore>(open: () => Promise<Store>): Promise<Store> {
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
    const writes = isWrite(method)
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

function isWrite(method: string): boolean {
  return /^(submit|import|fold|revise|transition|hold|delete|create|update|record|claim|extend|complete|retry|apply|add|set|trim|acknowledge|reclaim)/.test(
    method,
  )
}
