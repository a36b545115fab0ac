import { AsyncLocalStorage } from 'node:async_hooks'

import type { KvStore, KvTransaction, OperationKind } from '../packages/store-core/src/backend.ts'
import { tuple } from '../packages/store-core/src/format.ts'

/** What the calls of one method did to the backend. */
interface MethodUse {
  calls: number
  /** Write transactions that were asked for. */
  writes: number
  /** Places of the rows that they put or removed. */
  readonly places: Set<string>
}

type Operations = Readonly<Record<string, OperationKind>>

const CLOCK_KEY = Buffer.from(tuple('clock')).toString('hex')
/** What a read may write down: damaged records that it met, and that the clock was set. */
const NOTES: ReadonlySet<string> = new Set(['quarantine', 'meta clock'])

/**
 * Watches what each method of a store does to the backend beneath it. A write transaction belongs to the call that
 * asked for it, however many are under way.
 */
export class WatchedOperations {
  readonly #operations: Operations
  readonly #uses = new Map<string, MethodUse>()
  readonly #current = new AsyncLocalStorage<MethodUse>()

  /** Takes the table that says which method writes. */
  constructor(operations: Operations) {
    this.#operations = operations
  }

  /** Watches the write transactions of a backend, and returns it. */
  backend(kv: KvStore): KvStore {
    const write = kv.write.bind(kv)
    const watched: KvStore['write'] = (body, options) => {
      const use = this.#current.getStore()
      if (use === undefined) return write(body, options)
      use.writes += 1
      return write((rows) => body(noting(rows, use.places)), options)
    }
    return Object.defineProperty(kv, 'write', { value: watched })
  }

  /** Returns a store whose calls are watched. */
  store<Store extends object>(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        if (typeof name !== 'string' || !(name in this.#operations)) return value.bind(target) as unknown
        return (...args: unknown[]): unknown => {
          const use = this.#useOf(name)
          use.calls += 1
          return this.#current.run(use, () => Reflect.apply(value, target, args))
        }
      },
    })
  }

  /** Says which reads changed more than notes. */
  changingReads(): string[] {
    return this.#those('read', ({ places }) => {
      const changed = [...places].filter((place) => !NOTES.has(place))
      return changed.length === 0 ? undefined : `changed ${changed.join(', ')}`
    })
  }

  /** Says which reads asked for a write and had nothing to note; beside damage, all may be noted already. */
  needlessReads(): string[] {
    return this.#those('read', ({ writes, places }) =>
      writes > 0 && places.size === 0 ? 'asked for a write that changed nothing' : undefined,
    )
  }

  /** Says which writes never wrote. */
  idleWrites(): string[] {
    return this.#those('write', ({ places }) => (places.size === 0 ? 'never changed a row' : undefined))
  }

  /** Names the methods that were never called. */
  uncalled(): string[] {
    return Object.keys(this.#operations).filter((name) => this.#useOf(name).calls === 0)
  }

  #those(kind: OperationKind, trouble: (use: MethodUse) => string | undefined): string[] {
    return Object.entries(this.#operations).flatMap(([name, itsKind]) => {
      const told = itsKind === kind ? trouble(this.#useOf(name)) : undefined
      return told === undefined ? [] : [`${name} is called a ${kind}, and ${told}`]
    })
  }

  #useOf(name: string): MethodUse {
    const known = this.#uses.get(name)
    if (known !== undefined) return known
    const use: MethodUse = { calls: 0, writes: 0, places: new Set() }
    this.#uses.set(name, use)
    return use
  }
}

function noting(rows: KvTransaction, places: Set<string>): KvTransaction {
  const note = (table: string, key: Uint8Array): void => {
    const isClock = table === 'meta' && Buffer.from(key).toString('hex') === CLOCK_KEY
    places.add(isClock ? 'meta clock' : table)
  }
  return {
    get: (table, key) => rows.get(table, key),
    range: (table, range) => rows.range(table, range),
    keys: (table, range) => rows.keys(table, range),
    put: (table, key, value) => {
      note(table, key)
      rows.put(table, key, value)
    },
    remove: (table, key) => {
      note(table, key)
      return rows.remove(table, key)
    },
  }
}
