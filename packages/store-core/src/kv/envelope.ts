import { crc32 } from 'node:zlib'
import { StoreError } from '../errors.ts'
import { keyToHex } from './tuple.ts'

/** The only codec so far: UTF-8 JSON. */
const CODEC_JSON = 1
const HEADER_BYTES = 6
const tableSeeds = new Map<string, number>()

/**
 * Wraps a value as it stands on disk: codec, record version, CRC-32 (big-endian) over table name, key,
 * those two bytes and the payload, then the payload. The key is part of the sum because LMDB has no checksums: a page that lands in
 * the wrong place holds values that are whole, under keys that are not theirs.
 */
export function encodeRecord(table: string, key: Uint8Array, version: number, value: unknown): Uint8Array {
  const text = JSON.stringify(value)
  const record = Buffer.allocUnsafe(HEADER_BYTES + Buffer.byteLength(text))
  record[0] = CODEC_JSON
  record[1] = version
  record.write(text, HEADER_BYTES, 'utf8')
  record.writeUInt32BE(checksum(table, key, record), 2)
  return record
}

/** Unwraps a value. Throws `RECORD_CORRUPT` where it is torn, changed, misplaced or of an unknown codec or version. */
export function decodeRecord<T>(table: string, key: Uint8Array, version: number, record: Uint8Array): T {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
  if (bytes.length < HEADER_BYTES) throw corrupt(table, key, 'is shorter than its header')
  if (bytes.readUInt32BE(2) !== checksum(table, key, bytes)) throw corrupt(table, key, 'fails its checksum')
  if (bytes[0] !== CODEC_JSON) throw corrupt(table, key, `has the unknown codec ${bytes[0]}`)
  if (bytes[1] !== version) throw corrupt(table, key, `has the unknown record version ${bytes[1]}`)
  try {
    return JSON.parse(bytes.toString('utf8', HEADER_BYTES)) as T
  } catch (cause) {
    throw corrupt(table, key, 'is no JSON', cause)
  }
}

function checksum(table: string, key: Uint8Array, record: Buffer): number {
  let seed = tableSeeds.get(table)
  if (seed === undefined) {
    seed = crc32(table)
    tableSeeds.set(table, seed)
  }
  const head = crc32(record.subarray(0, 2), crc32(key, seed))
  return crc32(record.subarray(HEADER_BYTES), head)
}

function corrupt(table: string, key: Uint8Array, problem: string, cause?: unknown): StoreError {
  const hex = keyToHex(key)
  return new StoreError('RECORD_CORRUPT', `the record ${hex} of table ${table} ${problem}`, {
    table,
    key: hex,
    hint: 'run a check with the inspector; its salvage saves all other records',
    ...(cause === undefined ? {} : { cause }),
  })
}
