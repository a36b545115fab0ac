import { encodeJsonText } from '../kv/envelope.ts'
import type { DiskNames } from './field-names.ts'
import { RecordTable } from './record-table.ts'
import type { FieldCheck, RowShape } from './row-shape.ts'
import type { TableName } from './tables.ts'

const REMEMBERED = 16

interface Remembered<T> {
  readonly key: Uint8Array
  readonly bytes: Uint8Array
  readonly record: T
}

/**
 * A table of few small rows that nearly every change reads and writes back, such as the counters. The last ones that
 * were written are remembered by their bytes, so that the same bytes need not be parsed again; what they mean always
 * comes from the transaction.
 */
export class HotTable<T> extends RecordTable<T> {
  readonly #toJson: (record: T) => string
  readonly #remembered: Remembered<T>[] = []
  #next = 0

  /** `toJson` writes a record as JSON with the names on disk, for less than `JSON.stringify` costs. */
  constructor(
    name: TableName,
    version: number,
    toJson: (record: T) => string,
    names?: DiskNames<T> | null,
    shape?: RowShape<T> | FieldCheck,
  ) {
    super(name, version, names, shape)
    this.#toJson = toJson
  }

  override decode(key: Uint8Array, bytes: Uint8Array): T {
    for (const known of this.#remembered) {
      if (isSame(known.bytes, bytes) && isSame(known.key, key)) return known.record
    }
    return super.decode(key, bytes)
  }

  protected override encode(key: Uint8Array, record: T): Uint8Array {
    const bytes = encodeJsonText(this.name, key, this.version, this.#toJson(record))
    this.#remembered[this.#next] = { key, bytes, record }
    this.#next = (this.#next + 1) % REMEMBERED
    return bytes
  }
}

/** A loop from the end, where the checksum stands: bytes that differ mostly differ there. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = a.length - 1; i >= 0; i -= 1) if (a[i] !== b[i]) return false
  return true
}
