import type { KvRange } from '@saltcod/store-core/backend'
import { hex } from './bytes.ts'

/** A row of the model: key and value in hexadecimal. */
export type ModelRow = readonly [key: string, value: string]

/**
 * What a table should hold, in the plainest way: a sorted array of hexadecimal texts, which order as their
 * bytes do. It is slow and obviously right.
 */
export class KvModel {
  readonly #tables: Map<string, ModelRow[]>

  constructor(tables: readonly string[], rows: (table: string) => ModelRow[] = () => []) {
    this.#tables = new Map(tables.map((table) => [table, rows(table)]))
  }

  /** Returns a model with the same rows that changes by itself. */
  copy(): KvModel {
    return new KvModel([...this.#tables.keys()], (table) => [...this.rows(table)])
  }

  /** Returns all rows of a table in order. */
  rows(table: string): readonly ModelRow[] {
    return this.#tables.get(table) ?? []
  }

  /** Returns the value under a key in hexadecimal, or `undefined` where there is none. */
  get(table: string, key: Uint8Array): string | undefined {
    return this.rows(table).find(([at]) => at === hex(key))?.[1]
  }

  /** Sets the value under a key. */
  put(table: string, key: Uint8Array, value: Uint8Array): void {
    const rows = this.rows(table).filter(([at]) => at !== hex(key))
    rows.push([hex(key), hex(value)])
    rows.sort(([left], [right]) => (left < right ? -1 : 1))
    this.#tables.set(table, rows)
  }

  /** Removes a key and tells whether it was there. */
  remove(table: string, key: Uint8Array): boolean {
    const rows = this.rows(table)
    const kept = rows.filter(([at]) => at !== hex(key))
    this.#tables.set(table, kept)
    return kept.length < rows.length
  }

  /** Returns the rows of a range in order, at most `limit`. */
  range(table: string, { gte, gt, lt, lte, reverse, limit }: KvRange): ModelRow[] {
    const within = this.rows(table).filter(
      ([key]) =>
        (gte === undefined || key >= hex(gte)) &&
        (gt === undefined || key > hex(gt)) &&
        (lt === undefined || key < hex(lt)) &&
        (lte === undefined || key <= hex(lte)),
    )
    if (reverse === true) within.reverse()
    return within.slice(0, limit)
  }
}
