import type { KvChangedKey } from '@saltcod/store-core/backend'

/** The keys that were put or removed since a rewrite looked last, each once. */
export class ChangeJournal {
  readonly #maxKeys: number
  /** By table; a key is kept as text with one character a byte, which takes a byte each and compares as they do. */
  #keys = new Map<string, Set<string>>()
  #size = 0

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  get size(): number {
    return this.#size
  }

  /** Whether there were more keys than it may hold, so that some are missing. */
  get overflowed(): boolean {
    return this.#size > this.#maxKeys
  }

  /** Takes note of changes. */
  add(changes: Iterable<KvChangedKey>): void {
    for (const { table, key } of changes) {
      if (this.overflowed) return
      let keys = this.#keys.get(table)
      if (keys === undefined) {
        keys = new Set()
        this.#keys.set(table, keys)
      }
      const before = keys.size
      keys.add(Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1'))
      this.#size += keys.size - before
    }
  }

  /** Returns all keys, and forgets them. */
  take(): TakenKeys {
    const taken = new TakenKeys(this.#keys)
    this.#keys = new Map()
    this.#size = 0
    return taken
  }
}

/** Keys in order within each table; a few at a time become bytes again, for there may be many. */
export class TakenKeys {
  readonly #tables: [table: string, keys: string[]][]

  constructor(keys: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#tables = [...keys].map(([table, texts]) => [table, [...texts].sort().reverse()])
  }

  /** Returns the next keys, at most so many, all of one table; an empty list behind the last one. */
  next(count: number): KvChangedKey[] {
    const last = this.#tables.at(-1)
    if (last === undefined) return []
    const [table, texts] = last
    const keys = texts.splice(-count).reverse()
    if (texts.length === 0) this.#tables.pop()
    return keys.map((text) => ({ table, key: Buffer.from(text, 'latin1') }))
  }
}
