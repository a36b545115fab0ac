import { crc32 } from 'node:zlib'
import { StoreError } from '../errors.ts'
import { jsonText } from './json-text.ts'
import { keyToHex } from './tuple.ts'

/** UTF-8 JSON: every record but those of folded owners. */
const CODEC_JSON = 1
const HEADER_BYTES = 2
const CHECKSUM_BYTES = 4
/** What CRC-32 gives for any bytes followed by their own CRC-32, little-endian; it spares cutting the sum off. */
const CRC_RESIDUE = 0x2144df1c
const tableSeeds = new Map<string, number>()

/**
 * Wraps a value as it stands on disk: codec, record version, payload, and a CRC-32 (little-endian) over table
 * name, key and all of these. The key is part of the sum because LMDB has no checksums: a page that lands
 * in the wrong place holds values that are whole, under keys that are not theirs. Throws `TypeError` or
 * `INVALID_ARGUMENT` where the value cannot be written as JSON.
 */
export function encodeRecord(table: string, key: Uint8Array, version: number, value: unknown): Uint8Array {
  return encodeJsonText(table, key, version, jsonText(`record for table ${table}`, value))
}

/** Wraps a value that is JSON text already, as {@link encodeRecord} does. */
export function encodeJsonText(table: string, key: Uint8Array, version: number, text: string): Uint8Array {
  const start = key.length
  const end = start + HEADER_BYTES + Buffer.byteLength(text)
  // Key and record in one buffer, so that one pass sums both.
  const bytes = Buffer.allocUnsafe(end + CHECKSUM_BYTES)
  bytes.set(key, 0)
  bytes[start] = CODEC_JSON
  bytes[start + 1] = version
  bytes.write(text, start + HEADER_BYTES, 'utf8')
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end), seedOf(table)), end)
  return bytes.subarray(start)
}

/** Wraps bytes of another codec than JSON. */
export function encodeBytes(
  table: string,
  key: Uint8Array,
  codec: number,
  version: number,
  payload: Uint8Array,
): Uint8Array {
  const start = key.length
  const end = start + HEADER_BYTES + payload.length
  const bytes = Buffer.allocUnsafe(end + CHECKSUM_BYTES)
  bytes.set(key, 0)
  bytes[start] = codec
  bytes[start + 1] = version
  bytes.set(payload, start + HEADER_BYTES)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end), seedOf(table)), end)
  return bytes.subarray(start)
}

/**
 * Unwraps a value to its payload. Throws `RECORD_CORRUPT` where it is torn, changed, misplaced or of another codec
 * or version.
 */
export function decodeBytes(
  table: string,
  key: Uint8Array,
  codec: number,
  version: number,
  record: Uint8Array,
): Buffer {
  const bytes = checkedBytes(table, key, codec, version, record)
  return bytes.subarray(HEADER_BYTES, bytes.length - CHECKSUM_BYTES)
}

/** Returns a whole record whose envelope is sound. */
function checkedBytes(
  table: string,
  key: Uint8Array,
  codec: number,
  version: number,
  record: Uint8Array,
): Buffer {
  const bytes =
    record instanceof Buffer ? record : Buffer.from(record.buffer, record.byteOffset, record.byteLength)
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES)
    throw corruptRecord(table, key, 'is shorter than its header')
  if (crc32(bytes, crc32(key, seedOf(table))) !== CRC_RESIDUE)
    throw corruptRecord(table, key, 'fails its checksum')
  if (bytes[0] !== codec) throw corruptRecord(table, key, `has the unknown codec ${bytes[0]}`)
  if (bytes[1] !== version) throw corruptRecord(table, key, `has the unknown record version ${bytes[1]}`)
  return bytes
}

/**
 * Returns the version of a record, as its envelope tells without being looked at further; 1 where it is too short to
 * tell.
 */
export function versionOf(record: Uint8Array): number {
  return record[1] ?? 1
}

/** Unwraps a value. Throws `RECORD_CORRUPT` where it is torn, changed, misplaced or of an unknown codec or version. */
export function decodeRecord<T>(table: string, key: Uint8Array, version: number, record: Uint8Array): T {
  const bytes = checkedBytes(table, key, CODEC_JSON, version, record)
  try {
    return JSON.parse(bytes.toString('utf8', HEADER_BYTES, bytes.length - CHECKSUM_BYTES)) as T
  } catch (cause) {
    throw corruptRecord(table, key, 'is no JSON', cause)
  }
}

function seedOf(table: string): number {
  let seed = tableSeeds.get(table)
  if (seed === undefined) {
    seed = crc32(table)
    tableSeeds.set(table, seed)
  }
  return seed
}

/** Makes the error for a record that cannot be read. */
export function corruptRecord(table: string, key: Uint8Array, problem: string, cause?: unknown): StoreError {
  const hex = keyToHex(key)
  return new StoreError('RECORD_CORRUPT', `the record ${hex} of table ${table} ${problem}`, {
    table,
    key: hex,
    remedy: 'check',
    hint: 'a check tells what else is damaged, and a salvage saves all other records',
    ...(cause === undefined ? {} : { cause }),
  })
}
