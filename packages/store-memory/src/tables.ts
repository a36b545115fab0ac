import type { KvGroupWriter, KvRange, KvRow, KvTableStatistics } from '@saltcod/store-core/backend'

import { ByteTree } from './byte-tree.ts'

/** The committed state of all tables. */
export class Tables {
  readonly names: ReadonlySet<string>
  readonly #trees: Map<string, ByteTree>

  constructor(names: readonly string[]) {
    this.names = new Set(names)
    this.#trees = new Map(names.map((name) => [name, new ByteTree()]))
  }

  /** Returns what bodies work on: the committed state, with changes that nobody else sees until they are kept. */
  begin(): TablesChange {
    return new TablesChange(this.#trees)
  }

  /** Counts the rows and bytes of each table. */
  statistics(): KvTableStatistics[] {
    return [...this.#trees].map(([table, tree]) => ({ table, rows: tree.rows, usedBytes: tree.bytes }))
  }

  /** Drops all rows. */
  clear(): void {
    for (const name of this.names) this.#trees.set(name, new ByteTree())
  }
}

/** What bodies see, one after the other: reads copies of the committed rows, writes into copies of the trees. */
class TablesChange implements KvGroupWriter {
  readonly #committed: Map<string, ByteTree>
  readonly #changed: Map<string, ByteTree> = new Map()

  constructor(committed: Map<string, ByteTree>) {
    this.#committed = committed
  }

  get(table: string, key: Uint8Array): Uint8Array | undefined {
    const value = this.#tree(table).get(key)
    return value === undefined ? undefined : new Uint8Array(value)
  }

  range(table: string, range: KvRange): KvRow[] {
    const rows = this.#tree(table).range(range)
    return rows.map(({ key, value }) => ({ key: new Uint8Array(key), value: new Uint8Array(value) }))
  }

  keys(table: string, range: KvRange): Uint8Array[] {
    return this.#tree(table)
      .range(range)
      .map(({ key }) => new Uint8Array(key))
  }

  put(table: string, key: Uint8Array, value: Uint8Array): void {
    // Buffer takes its memory from a pool, which for the many small values is a third faster.
    this.#writable(table).set(new Uint8Array(key), Buffer.from(value))
  }

  remove(table: string, key: Uint8Array): boolean {
    return this.#writable(table).remove(key)
  }

  /** Makes the changes the committed state. */
  keep(): void {
    for (const [table, tree] of this.#changed) this.#committed.set(table, tree)
    this.#changed.clear()
  }

  undo(): void {
    this.#changed.clear()
  }

  #tree(table: string): ByteTree {
    const tree = this.#changed.get(table) ?? this.#committed.get(table)
    if (tree === undefined) throw new TypeError(`There is no table ${JSON.stringify(table)}.`)
    return tree
  }

  #writable(table: string): ByteTree {
    const changed = this.#changed.get(table)
    if (changed !== undefined) return changed
    const copy = this.#tree(table).copy()
    this.#changed.set(table, copy)
    return copy
  }
}
