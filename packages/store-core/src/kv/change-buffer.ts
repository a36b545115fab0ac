import type { KvWriter } from './body.ts'
import type { KvRange, KvRow } from './contract.ts'
import type { KvGroupWriter } from './write-group.ts'

/** One change that waits to be applied; a value of `null` removes. */
export interface BufferedChange {
  readonly table: string
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

interface BufferedTable {
  readonly name: string
  readonly changes: Map<string, OwnChange>
  /** The keys of the changes in order, made when the first range is read. */
  sorted: string[] | undefined
}

/** A change with what is needed to undo it. */
class OwnChange implements BufferedChange {
  readonly in: BufferedTable
  readonly text: string
  readonly key: Uint8Array
  readonly value: Uint8Array | null
  /** What it took the place of, until its body's changes are kept. */
  before: OwnChange | undefined

  constructor(table: BufferedTable, text: string, key: Uint8Array, value: Uint8Array | null) {
    this.in = table
    this.text = text
    this.key = key
    this.value = value
    this.before = table.changes.get(text)
  }

  get table(): string {
    return this.in.name
  }
}

/** Rows that a range reads from below the buffer beyond those that it was asked for, to save a second call. */
const SPARE_ROWS = 8

/**
 * What the bodies of one group write, kept beside the transaction until all of them have run. A body that fails is
 * undone here and has never touched the transaction, so it needs no nested one, which costs much (measured with LMDB:
 * a third of the time of a group of small changes). And a row that many bodies change, such as a counter, reaches the
 * transaction once for the group.
 */
export class KvChangeBuffer implements KvGroupWriter {
  readonly #base: KvWriter
  readonly #tables: Map<string, BufferedTable> = new Map()
  /** What the body that is running has changed, in order. */
  #pending: OwnChange[] = []

  /** Reads from the rows of a transaction, and writes into them when it is applied. */
  constructor(base: KvWriter) {
    this.#base = base
  }

  /** Every change of all bodies, the newest of each key. */
  *changes(): Generator<BufferedChange> {
    for (const { changes } of this.#tables.values()) yield* changes.values()
  }

  /** Calls back for each change of the body that is running, with what the group had for its key before. */
  visitPending(visit: (change: BufferedChange, before: BufferedChange | undefined) => void): void {
    for (const change of this.#pending) visit(change, change.before)
  }

  /** Keeps what the body that has run has changed. */
  keep(_frees?: boolean): void {
    for (const change of this.#pending) change.before = undefined
    this.#pending = []
  }

  /** Undoes what the body that has run has changed. */
  undo(): void {
    for (const { in: table, text, before } of this.#pending.reverse()) {
      if (before === undefined) {
        table.changes.delete(text)
        table.sorted = undefined
      } else table.changes.set(text, before)
    }
    this.#pending = []
  }

  /** Hands every change of all bodies to the transaction. */
  apply(): void {
    for (const { table, key, value } of this.changes()) {
      if (value === null) this.#base.remove(table, key)
      else this.#base.put(table, key, value)
    }
  }

  get(table: string, key: Uint8Array): Uint8Array | undefined {
    const own = this.#tables.get(table)?.changes.get(textOf(key))
    if (own === undefined) return this.#base.get(table, key)
    return own.value === null ? undefined : Buffer.from(own.value)
  }

  range(table: string, range: KvRange): KvRow[] {
    const own = this.#within(table, range)
    if (own.length === 0) return this.#base.range(table, range)
    const rowOf = ({ key, value }: BufferedChange): KvRow | null =>
      value === null ? null : { key: Buffer.from(key), value: Buffer.from(value) }
    return merged(
      range,
      own,
      (part) => this.#base.range(table, part),
      (row) => row.key,
      rowOf,
    )
  }

  keys(table: string, range: KvRange): Uint8Array[] {
    const own = this.#within(table, range)
    if (own.length === 0) return this.#base.keys(table, range)
    const keyOf = ({ key, value }: BufferedChange): Uint8Array | null =>
      value === null ? null : Buffer.from(key)
    return merged(
      range,
      own,
      (part) => this.#base.keys(table, part),
      (key) => key,
      keyOf,
    )
  }

  put(table: string, key: Uint8Array, value: Uint8Array): void {
    this.#change(table, textOf(key), key, value)
  }

  remove(table: string, key: Uint8Array): boolean {
    const text = textOf(key)
    const own = this.#tables.get(table)?.changes.get(text)
    const there = own === undefined ? this.#base.get(table, key) !== undefined : own.value !== null
    if (there) this.#change(table, text, key, null)
    return there
  }

  #change(name: string, text: string, key: Uint8Array, value: Uint8Array | null): void {
    let table = this.#tables.get(name)
    if (table === undefined) {
      table = { name, changes: new Map(), sorted: undefined }
      this.#tables.set(name, table)
    }
    const change = new OwnChange(table, text, key, value)
    table.changes.set(text, change)
    if (change.before === undefined && table.sorted !== undefined) {
      table.sorted.splice(firstFrom(table.sorted, text), 0, text)
    }
    this.#pending.push(change)
  }

  /** The changes in a range, in its direction. */
  #within(name: string, range: KvRange): BufferedChange[] {
    const table = this.#tables.get(name)
    if (table === undefined) return []
    table.sorted ??= [...table.changes.keys()].sort(compareTexts)
    const { sorted, changes } = table
    const { gte, gt, lt, lte } = range
    const from =
      gte !== undefined ? firstFrom(sorted, textOf(gte)) : gt !== undefined ? firstAfter(sorted, gt) : 0
    const to =
      lt !== undefined
        ? firstFrom(sorted, textOf(lt))
        : lte !== undefined
          ? firstAfter(sorted, lte)
          : sorted.length
    const found: BufferedChange[] = []
    for (let i = from; i < to; i += 1) {
      const change = changes.get(sorted[i] as string)
      if (change !== undefined) found.push(change)
    }
    return range.reverse === true ? found.reverse() : found
  }
}

/** Reads a range from below in parts, and lays the changes over it, until there are enough rows. */
function merged<T>(
  range: KvRange,
  own: readonly BufferedChange[],
  read: (part: KvRange) => T[],
  keyOf: (row: T) => Uint8Array,
  rowOf: (change: BufferedChange) => T | null,
): T[] {
  const found: T[] = []
  const sign = range.reverse === true ? -1 : 1
  const limit = range.limit + SPARE_ROWS
  let next = 0
  let part: KvRange = { ...range, limit }
  for (;;) {
    const rows = read(part)
    for (const row of rows) {
      const key = keyOf(row)
      let hidden = false
      for (let change = own[next]; change !== undefined; change = own[next]) {
        const order = Buffer.compare(change.key, key) * sign
        if (order > 0) break
        next += 1
        const made = rowOf(change)
        if (made !== null) found.push(made)
        if (order === 0) hidden = true
      }
      if (!hidden) found.push(row)
      if (found.length >= range.limit) return found.slice(0, range.limit)
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < limit) break
    part = behind(range, keyOf(last), limit)
  }
  for (; next < own.length && found.length < range.limit; next += 1) {
    const made = rowOf(own[next] as BufferedChange)
    if (made !== null) found.push(made)
  }
  return found
}

/** What is left of a range behind a key. */
function behind(range: KvRange, key: Uint8Array, limit: number): KvRange {
  const { gte: _gte, gt: _gt, lt: _lt, lte: _lte, ...kept } = range
  if (range.reverse === true) {
    const { gte, gt } = range
    return {
      ...kept,
      lt: key,
      limit,
      ...(gte === undefined ? {} : { gte }),
      ...(gt === undefined ? {} : { gt }),
    }
  }
  const { lt, lte } = range
  return {
    ...kept,
    gt: key,
    limit,
    ...(lt === undefined ? {} : { lt }),
    ...(lte === undefined ? {} : { lte }),
  }
}

/** A key as text with one character a byte, which compares as the bytes do. */
function textOf(key: Uint8Array): string {
  const bytes = key instanceof Buffer ? key : Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  return bytes.toString('latin1')
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : 1
}

/** Index of the first text that is not before another. */
function firstFrom(sorted: readonly string[], text: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as string) < text) low = middle + 1
    else high = middle
  }
  return low
}

function firstAfter(sorted: readonly string[], key: Uint8Array): number {
  const text = textOf(key)
  const at = firstFrom(sorted, text)
  return sorted[at] === text ? at + 1 : at
}
