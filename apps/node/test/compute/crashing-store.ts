import { type ExecutionStore, StoreError } from '@saltcod/store-core'
import type { Link } from '../../src/link/link.ts'

const WRITES: ReadonlySet<string | symbol> = new Set([
  'createExecution',
  'updateExecution',
  'acknowledgeExecution',
  'acknowledgeOutbox',
  'deleteExecution',
  'setCheckpoint',
])

/** A node that dies at a write: from then on it can neither read nor write nor speak. */
export interface Mortal {
  readonly store: ExecutionStore
  readonly link: Link
  /** Whether it has died. */
  readonly dead: () => boolean
  /** The writes that it has made. */
  readonly writes: () => readonly string[]
}

/** Makes a node's store and link die at the write with a number, before or after that write is durable. */
export function mortal(store: ExecutionStore, link: Link, at: number, moment: 'before' | 'after'): Mortal {
  const writes: string[] = []
  let dead = false
  const gone = (): StoreError => new StoreError('STORE_CLOSED', 'this node died')
  const wrap = <T extends object>(target: T, isWrite: (name: string | symbol) => boolean): T =>
    new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name)
        if (typeof value !== 'function') return value
        return async (...args: unknown[]): Promise<unknown> => {
          if (dead) throw gone()
          const last = isWrite(name) && writes.push(String(name)) === at
          if (last) dead = true
          if (last && moment === 'before') throw gone()
          const answer: unknown = await Reflect.apply(value, object, args)
          if (dead) throw gone()
          return answer
        }
      },
    })
  return {
    store: wrap(store, (name) => WRITES.has(name)),
    link: wrap(link, () => false),
    dead: () => dead,
    writes: () => writes,
  }
}
