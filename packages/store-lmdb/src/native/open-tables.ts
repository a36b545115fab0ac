import type { KvRange, KvRow } from '@saltcod/store-core/backend'
import type { Database, DatabaseOptions, RootDatabase } from 'lmdb'
import { copyOf } from './copied-bytes.ts'
import { nativeRange, requireOrder } from './native-range.ts'
import { ENCODING } from './native-root.ts'
import type { NativeTable } from './native-types.ts'
import { type TreeSize, treeSizeOf } from './tree-size.ts'

type Bytes = Buffer
type Table = Database<Bytes, Uint8Array>

/** The tables of an open file, by their names. */
export abstract class OpenTables {
  protected abstract root: RootDatabase<Bytes, Uint8Array>
  readonly #tables = new Map<string, Table | undefined>()

  /** Makes the error to be thrown of one that LMDB has thrown. */
  protected abstract fail(error: unknown): Error

  /** Opens those of the named tables that the file has. Returns the names of the others, which are empty. */
  openTables(names: readonly string[]): string[] {
    return names.filter((name) => !this.openTable(name, false))
  }

  /** Sizes of one table, as the transaction under way sees it; zeros where the file has no such table. */
  treeSize(name: string): TreeSize {
    const table = this.#tables.get(name)
    if (table === undefined) return { depth: 0, branchPages: 0, leafPages: 0, overflowPages: 0, rows: 0 }
    const native = table as unknown as NativeTable
    try {
      // Without a transaction to read in, the numbers would be those of a stray piece of memory.
      native.ensureReadTxn()
      return treeSizeOf(native.db.stat())
    } catch (error) {
      throw this.fail(error)
    }
  }

  get(name: string, key: Uint8Array): Uint8Array | undefined {
    try {
      const shared = this.#tables.get(name)?.getBinaryFast(key)
      // The memory is lmdb's, and the next read writes over it.
      return shared === undefined ? undefined : copyOf(shared)
    } catch (error) {
      throw this.fail(error)
    }
  }

  /** Returns rows in order; no further one once they have `maxBytes`. */
  range(name: string, range: KvRange, maxBytes: number = Number.POSITIVE_INFINITY): KvRow[] {
    try {
      const rows: KvRow[] = []
      const table = this.#tables.get(name)
      if (table === undefined) return rows
      let bytes = 0
      for (const row of table.getRange(nativeRange(range))) {
        rows.push(row)
        bytes += row.key.length + row.value.length
        if (bytes >= maxBytes) break
      }
      requireOrder(range, rows.at(0)?.key, rows.at(-1)?.key)
      return rows
    } catch (error) {
      throw this.fail(error)
    }
  }

  keys(name: string, range: KvRange): Uint8Array[] {
    try {
      const keys: Uint8Array[] = []
      const table = this.#tables.get(name)
      if (table === undefined) return keys
      for (const key of table.getKeys(nativeRange(range))) keys.push(key)
      requireOrder(range, keys.at(0), keys.at(-1))
      return keys
    } catch (error) {
      throw this.fail(error)
    }
  }

  put(name: string, key: Uint8Array, value: Uint8Array): void {
    try {
      this.#table(name).putSync(key, value as Bytes)
    } catch (error) {
      throw this.fail(error)
    }
  }

  /** Puts a row behind the last one of its table, so that pages are filled to their end. */
  append(name: string, key: Uint8Array, value: Uint8Array): void {
    try {
      // What it returns is not in its declaration: whether the row is there now.
      const done: unknown = this.#table(name).putSync(key, value as Bytes, { append: true })
      if (done !== true) throw new Error(`a row of the table ${name} is out of order`)
    } catch (error) {
      throw this.fail(error)
    }
  }

  remove(name: string, key: Uint8Array): boolean {
    try {
      return this.#table(name).removeSync(key)
    } catch (error) {
      throw this.fail(error)
    }
  }

  /** Names of the tables that are open. */
  protected get openNames(): string[] {
    return [...this.#tables].filter(([, table]) => table !== undefined).map(([name]) => name)
  }

  protected openTable(name: string, create: boolean): boolean {
    if (this.#tables.get(name) !== undefined) return true
    const options: DatabaseOptions & { create: boolean } = { ...ENCODING, create }
    const table = this.root.openDB<Bytes, Uint8Array>(name, options) as Table | undefined
    this.#tables.set(name, table)
    return table !== undefined
  }

  /** Forgets all tables, also those that the file had not. Returns their names. */
  protected forgetTables(): string[] {
    const names = [...this.#tables.keys()]
    this.#tables.clear()
    return names
  }

  /** Takes the named tables for ones that the file has not. */
  protected missTables(names: readonly string[]): void {
    for (const name of names) this.#tables.set(name, undefined)
  }

  #table(name: string): Table {
    const table = this.#tables.get(name)
    if (table === undefined) throw new TypeError(`The table ${name} is not open.`)
    return table
  }
}
