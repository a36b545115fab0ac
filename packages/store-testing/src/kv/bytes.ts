import type { KvRow, KvStore } from '@saltcod/store-core/backend'

/** Returns a byte string of the given bytes. */
export function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values)
}

/** Returns the UTF-8 bytes of a text. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

/** Returns the text of UTF-8 bytes, or `undefined` for `undefined`. */
export function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value)
}

/** Returns a byte string of one repeated byte. */
export function filled(length: number, byte: number): Uint8Array {
  return new Uint8Array(length).fill(byte)
}

/** Returns a number as four bytes that order as the number does. */
export function numbered(value: number): Uint8Array {
  return bytes((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
}

/** Returns bytes in hexadecimal, which orders as the bytes do, or `undefined` for `undefined`. */
export function hex(value: Uint8Array): string
export function hex(value: Uint8Array | undefined): string | undefined
export function hex(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString('hex')
}

/** Returns rows as pairs of hexadecimal texts. */
export function hexRows(rows: readonly KvRow[]): [string, string][] {
  return rows.map(({ key, value }) => [hex(key), hex(value)])
}

/** Reads up to 10,000 rows of a table as pairs of hexadecimal texts. */
export function allRows(kv: KvStore, table: string): [string, string][] {
  return hexRows(kv.read((snapshot) => snapshot.range(table, { limit: 10_000 })))
}

/** Reads the text under a key of text, or `undefined` where there is none. */
export function readText(kv: KvStore, table: string, key: string): string | undefined {
  return kv.read((snapshot) => textOf(snapshot.get(table, text(key))))
}
