import type { KvChangedKey } from '@saltcod/store-core'

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

  /** Returns all keys, in order within each table, and forgets them. */
  take(): KvChangedKey[] {
    const taken: KvChangedKey[] = []
    for (const [table, keys] of this.#keys) {
      for (const key of [...keys].sort()) taken.push({ table, key: Buffer.from(key, 'latin1') })
    }
    this.#keys = new Map()
    this.#size = 0
    return taken
  }
}
