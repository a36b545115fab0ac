import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { StoreError } from '../errors.ts'
import {
  corruptRecord,
  decodeBytes,
  decodeRecord,
  encodeBytes,
  encodeJsonText,
  versionOf,
} from '../kv/envelope.ts'
import { decodeIdTuple, decodeTuple, tuple } from '../kv/tuple.ts'
import type { TableName } from '../rows/tables.ts'
import { dictionaryOf } from './dictionary.ts'
import { type FoldLayout, layoutOfHome, MEMBER_TABLE } from './layout.ts'
import { VarintReader, VarintWriter } from './varint.ts'

const CODEC_JSON = 1
/** The codec of a record that holds all rows of an owner. */
const CODEC_FOLDED = 2
/** Version of the folded records, which fixes their layout, the dictionary, and the version 1 of the rows inside. */
const FOLDED_VERSION = 1
const ROW_VERSION = 1

/** A row of an owner, with the JSON text of its record. */
export interface TextRow {
  readonly table: TableName
  readonly key: Uint8Array
  readonly text: string
}

/** A row of an owner as it stands in its table. */
export interface OwnedRow {
  readonly table: TableName
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Tells whether a value of a table of owners is a folded record, as far as its first byte says. */
export function isFolded(value: Uint8Array): boolean {
  return value[0] === CODEC_FOLDED
}

/** Tells whether a value of a table of owners is an ordinary record. One that is neither is damaged. */
export function isLoose(value: Uint8Array): boolean {
  return value[0] === CODEC_JSON
}

/** Wraps the text of a row again, which gives the bytes that it had before it was folded. */
export function rowValue({ table, key, text }: TextRow): Uint8Array {
  return encodeJsonText(table, key, ROW_VERSION, text)
}

/**
 * Makes one record of all rows of an owner: its own row first, then the tables in the order of the layout. Returns
 * `null` where they would not come out of it exactly as they are.
 */
export function encodeFolded(
  layout: FoldLayout,
  ownerKey: Uint8Array,
  rows: readonly OwnedRow[],
): Uint8Array | null {
  const head = new VarintWriter()
  for (const { table, numbered } of layout.parts) {
    const keys = rows.filter((row) => row.table === table).map(({ key }) => key)
    head.number(keys.length)
    if (numbered && !writeNumbers(head, ownerKey, keys)) return null
  }
  const members = layout.hasMembers ? rows.filter(({ table }) => table === MEMBER_TABLE) : []
  if (layout.hasMembers) head.number(members.length)
  for (const { key } of members) head.bytes(key)

  const texts = rows.map(({ table, key, value }) => decodeTextOf(table, key, value))
  if (texts.some((text) => text.includes('\n'))) return null
  const body = Buffer.from(texts.join('\n'), 'utf8')
  const dictionary = dictionaryFor(layout, ownerKey, members)
  const packed = deflateRawSync(body, { level: 9, memLevel: 9, dictionary })
  const record = encodeBytes(
    layout.home,
    ownerKey,
    CODEC_FOLDED,
    FOLDED_VERSION,
    Buffer.concat([head.done(), packed]),
  )
  return comesBack(layout, ownerKey, record, rows) ? record : null
}

/** Takes a folded record apart. Throws `RECORD_CORRUPT`, which names the owner's row. */
export function decodeFolded(layout: FoldLayout, ownerKey: Uint8Array, record: Uint8Array): TextRow[] {
  const payload = decodeBytes(layout.home, ownerKey, CODEC_FOLDED, FOLDED_VERSION, record)
  try {
    return takeApart(layout, ownerKey, payload)
  } catch (cause) {
    throw damagedRecord(layout, ownerKey, cause)
  }
}

/**
 * Unwraps a record of any codec and version, a folded one to the record of its owner. For tools that look at rows as
 * they stand in a file. Throws `RECORD_CORRUPT`.
 */
export function decodeStoredRecord<T>(table: string, key: Uint8Array, record: Uint8Array): T {
  const layout = isFolded(record) ? layoutOfHome(table) : null
  if (layout === null) return decodeRecord<T>(table, key, versionOf(record), record)
  const [home] = decodeFolded(layout, key, record)
  if (home === undefined) throw damagedRecord(layout, key)
  return JSON.parse(home.text) as T
}

function damagedRecord(layout: FoldLayout, ownerKey: Uint8Array, cause?: unknown): StoreError {
  return corruptRecord(layout.home, ownerKey, 'cannot be unfolded', cause)
}

/** A row that was taken out of a record. Its key is made when it is asked for: most are not. */
class UnpackedRow implements TextRow {
  readonly table: TableName
  readonly text: string
  readonly #ownerKey: Uint8Array
  readonly #number: number
  #key: Uint8Array | undefined

  constructor(place: Place, ownerKey: Uint8Array, text: string) {
    this.table = place.table
    this.text = text
    this.#ownerKey = ownerKey
    this.#number = place.number ?? 0
    this.#key = place.key
  }

  get key(): Uint8Array {
    this.#key ??= tuple(this.#ownerKey, this.#number)
    return this.#key
  }
}

/** Where a row belongs: its key, or the number behind the owner's. */
interface Place {
  readonly table: TableName
  readonly key?: Uint8Array
  readonly number?: number
}

function takeApart(layout: FoldLayout, ownerKey: Uint8Array, payload: Buffer): TextRow[] {
  const head = new VarintReader(payload)
  const [specs = [], history = []] = layout.parts.map(({ table, numbered }): Place[] => {
    const count = head.number()
    if (!numbered) return Array.from({ length: count }, () => ({ table, key: ownerKey }))
    return readNumbers(head, count).map((number) => ({ table, number }))
  })
  const members: { readonly table: TableName; readonly key: Uint8Array }[] = []
  const memberCount = layout.hasMembers ? head.number() : 0
  for (let n = 0; n < memberCount; n++) members.push({ table: MEMBER_TABLE, key: head.bytes() })

  const dictionary = dictionaryFor(layout, ownerKey, members)
  const texts = inflateRawSync(head.rest(), { dictionary }).toString('utf8').split('\n')
  const places: readonly Place[] = [{ table: layout.home, key: ownerKey }, ...specs, ...members, ...history]
  if (texts.length !== places.length) throw new Error(`${texts.length} rows instead of ${places.length}`)
  return places.map((place, index) => new UnpackedRow(place, ownerKey, texts[index] ?? ''))
}

/** Rows repeat the ids that their keys tell, as text. */
function dictionaryFor(
  layout: FoldLayout,
  ownerKey: Uint8Array,
  members: readonly { readonly key: Uint8Array }[],
): Uint8Array {
  // More than a few would push the words of the dictionary out of reach.
  const near = members.slice(0, 8).map(({ key }) => decodeIdTuple('e', key))
  return dictionaryOf([...near, decodeIdTuple(layout.idPrefix, ownerKey)])
}

/** Writes the numbers behind the owner's key, each as its distance from the one before. */
function writeNumbers(head: VarintWriter, ownerKey: Uint8Array, keys: readonly Uint8Array[]): boolean {
  let last = 0
  for (const key of keys) {
    const number = numberOf(key)
    if (!Number.isSafeInteger(number) || number < last) return false
    if (Buffer.compare(tuple(ownerKey, number), key) !== 0) return false
    head.number(number - last)
    last = number
  }
  return true
}

/** Returns the number at the end of a key; `NaN` where there is none. */
function numberOf(key: Uint8Array): number {
  try {
    return Number(decodeTuple(key).at(-1))
  } catch {
    return Number.NaN
  }
}

function readNumbers(head: VarintReader, count: number): number[] {
  const numbers: number[] = []
  let last = 0
  for (let n = 0; n < count; n++) {
    last += head.number()
    numbers.push(last)
  }
  return numbers
}

function decodeTextOf(table: string, key: Uint8Array, value: Uint8Array): string {
  return decodeBytes(table, key, CODEC_JSON, ROW_VERSION, value).toString('utf8')
}

function comesBack(
  layout: FoldLayout,
  ownerKey: Uint8Array,
  record: Uint8Array,
  rows: readonly OwnedRow[],
): boolean {
  const back = decodeFolded(layout, ownerKey, record)
  return (
    back.length === rows.length &&
    back.every((row, index) => {
      const before = rows[index]
      return (
        before !== undefined &&
        row.table === before.table &&
        Buffer.compare(row.key, before.key) === 0 &&
        Buffer.compare(rowValue(row), before.value) === 0
      )
    })
  )
}
