import type { KvRange, KvReader, KvRow, KvWriter } from '@saltcod/store-core'

/** One change that waits to be applied; a value of `null` removes. */
export interface BufferedChange {
  readonly table: string
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/**
 * What one body writes, kept beside the transaction until the body has succeeded. A body that fails has
 * then touched nothing, so it needs no nested transaction, which would copy every page that it shares with
 * the others of its group (measured: a third of the time of a group of small changes).
 */
export class ChangeBuffer implements KvWriter {
  readonly #base: KvReader
  readonly #tables = new Map<string, Map<string, BufferedChange>>()

  constructor(base: KvReader) {
    this.#base = base
  }

  /** Every change, the newest of each key. */
  *changes(): Generator<BufferedChange> {
    for (const table of this.#tables.values()) yield* table.values()
  }

  get(table: string, key: Uint8Array): Uint8Array | undefined {
    const own = this.#tables.get(table)?.get(textOf(key))
    if (own === undefined) return this.#base.get(table, key)
    return own.value === null ? undefined : Buffer.from(own.value)
  }

  range(table: string, range: KvRange): KvRow[] {
    const own = this.#within(table, range)
    if (own.size === 0) return this.#base.range(table, range)
    const rows = new Map<string, KvRow>()
    // Each change hides at most one row, so so many more suffice.
    for (const row of this.#base.range(table, { ...range, limit: range.limit + own.size })) {
      rows.set(textOf(row.key), row)
    }
    for (const [text, { key, value }] of own) {
      if (value === null) rows.delete(text)
      else rows.set(text, { key: Buffer.from(key), value: Buffer.from(value) })
    }
    return inOrder(rows, range)
  }

  keys(table: string, range: KvRange): Uint8Array[] {
    const own = this.#within(table, range)
    if (own.size === 0) return this.#base.keys(table, range)
    const keys = new Map<string, Uint8Array>()
    for (const key of this.#base.keys(table, { ...range, limit: range.limit + own.size })) {
      keys.set(textOf(key), key)
    }
    for (const [text, { key, value }] of own) {
      if (value === null) keys.delete(text)
      else keys.set(text, Buffer.from(key))
    }
    return inOrder(keys, range)
  }

  put(table: string, key: Uint8Array, value: Uint8Array): void {
    this.#table(table).set(textOf(key), { table, key, value })
  }

  remove(table: string, key: Uint8Array): boolean {
    const text = textOf(key)
    const own = this.#tables.get(table)?.get(text)
    const there = own === undefined ? this.#base.get(table, key) !== undefined : own.value !== null
    if (there || own !== undefined) this.#table(table).set(text, { table, key, value: null })
    return there
  }

  #table(name: string): Map<string, BufferedChange> {
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = new Map()
      this.#tables.set(name, table)
    }
    return table
  }

  #within(name: string, range: KvRange): Map<string, BufferedChange> {
    const found = new Map<string, BufferedChange>()
    const table = this.#tables.get(name)
    if (table === undefined) return found
    const { gt, gte, lt, lte } = boundsOf(range)
    for (const [text, change] of table) {
      const low = (gte === undefined || text >= gte) && (gt === undefined || text > gt)
      if (low && (lt === undefined || text < lt) && (lte === undefined || text <= lte))
        found.set(text, change)
    }
    return found
  }
}

/** A key as text with one character a byte, which compares as the bytes do. */
function textOf(key: Uint8Array): string {
  const bytes = key instanceof Buffer ? key : Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  return bytes.toString('latin1')
}

function boundsOf(range: KvRange): { gt?: string; gte?: string; lt?: string; lte?: string } {
  const { gt, gte, lt, lte } = range
  return {
    ...(gt === undefined ? {} : { gt: textOf(gt) }),
    ...(gte === undefined ? {} : { gte: textOf(gte) }),
    ...(lt === undefined ? {} : { lt: textOf(lt) }),
    ...(lte === undefined ? {} : { lte: textOf(lte) }),
  }
}

function inOrder<T>(rows: Map<string, T>, range: KvRange): T[] {
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
  if (range.reverse === true) sorted.reverse()
  return sorted.slice(0, range.limit).map(([, row]) => row)
}
