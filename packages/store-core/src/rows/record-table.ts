import { type KvSnapshot, type KvTransaction, MAX_KEY_BYTES } from '../kv/contract.ts'
import { corruptRecord, decodeRecord, encodeRecord } from '../kv/envelope.ts'
import { isPlainJson } from '../kv/json.ts'
import { type DiskNames, FieldNames } from './field-names.ts'
import { checkOf, type FieldCheck, type RowShape } from './row-shape.ts'
import type { TableName } from './tables.ts'

/** A table whose values are records: JSON in an envelope with a checksum. */
export class RecordTable<T> {
  readonly name: TableName
  readonly version: number
  readonly #names: FieldNames<T> | undefined
  readonly #problemOf: ((record: unknown) => string | null) | undefined

  /**
   * `names` are those of the fields on disk, where they are others than in memory; `shape` is what each may hold, or
   * what a record is that is no object. Without one whatever is JSON is a record.
   */
  constructor(
    name: TableName,
    version: number,
    names?: DiskNames<T> | null,
    shape?: RowShape<T> | FieldCheck,
  ) {
    this.name = name
    this.version = version
    this.#names = names == null ? undefined : new FieldNames(names)
    this.#problemOf = shape && checkOf(shape)
  }

  /** Returns the record under a key; `undefined` where there is none. Throws `RECORD_CORRUPT`. */
  get(snapshot: KvSnapshot, key: Uint8Array): T | undefined {
    const bytes = this.#bytes(snapshot, key)
    return bytes === undefined ? undefined : this.decode(key, bytes)
  }

  /** Returns the record under a key with the length of its value. Throws `RECORD_CORRUPT`. */
  load(snapshot: KvSnapshot, key: Uint8Array): { record: T; bytes: number } | undefined {
    const bytes = this.#bytes(snapshot, key)
    return bytes === undefined ? undefined : { record: this.decode(key, bytes), bytes: bytes.length }
  }

  /** A key that is too long to be written is not there, so that a lookup by any text has an answer. */
  #bytes(snapshot: KvSnapshot, key: Uint8Array): Uint8Array | undefined {
    return key.length > MAX_KEY_BYTES ? undefined : snapshot.get(this.name, key)
  }

  /** Decodes a row's value. Throws `RECORD_CORRUPT`. */
  decode(key: Uint8Array, bytes: Uint8Array): T {
    const record = this.fromDisk(decodeRecord(this.name, key, this.version, bytes))
    const problem = this.#problemOf?.(record) ?? null
    if (problem !== null) throw corruptRecord(this.name, key, problem)
    return record
  }

  /** Writes a record and returns how many bytes its value takes. */
  put(transaction: KvTransaction, key: Uint8Array, record: T): number {
    const bytes = this.encode(key, record)
    transaction.put(this.name, key, bytes)
    return bytes.length
  }

  /**
   * Returns a record that was just written as it will be read: itself, or read back where objects in it are of another
   * realm or without a prototype, or nested deep. Most records are plain, and parsing them again would cost as much as
   * all the rest of a small change.
   */
  written(rows: KvSnapshot, key: Uint8Array, record: T): T {
    return isPlainJson(record) ? record : (this.get(rows, key) ?? record)
  }

  /** Encodes a record to the value of its row. */
  protected encode(key: Uint8Array, record: T): Uint8Array {
    return encodeRecord(this.name, key, this.version, this.toDisk(record))
  }

  /** Returns a record as it was read with its names in memory. */
  fromDisk(stored: unknown): T {
    return this.#names === undefined ? (stored as T) : this.#names.fromDisk(stored)
  }

  /** Returns a record with its names on disk. */
  toDisk(record: T): unknown {
    return this.#names === undefined ? record : this.#names.toDisk(record)
  }
}
