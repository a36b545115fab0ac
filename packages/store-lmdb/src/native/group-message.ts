import type { BufferedChange } from '@saltcod/store-core/backend'

/** A table, the length of a key, and that of a value or {@link REMOVED}, before the bytes of both. */
const HEAD_BYTES = 2 + 4 + 4
const REMOVED = 0xffff_ffff

/**
 * Makes one piece of memory of changes, which can be handed to another thread without a copy. Tables are told by their
 * place in a list that both threads have.
 */
export function groupMessage(changes: Iterable<BufferedChange>, tables: readonly string[]): ArrayBuffer {
  const list = [...changes]
  let bytes = 0
  for (const { key, value } of list) bytes += HEAD_BYTES + key.length + (value?.length ?? 0)
  // Not of the pool, which others share.
  const memory = new ArrayBuffer(bytes)
  const buffer = Buffer.from(memory)
  const places = new Map(tables.map((table, place) => [table, place]))
  let at = 0
  for (const { table, key, value } of list) {
    const place = places.get(table)
    if (place === undefined) throw new TypeError(`The table ${table} is not open.`)
    at = buffer.writeUInt16LE(place, at)
    at = buffer.writeUInt32LE(key.length, at)
    at = buffer.writeUInt32LE(value?.length ?? REMOVED, at)
    buffer.set(key, at)
    at += key.length
    if (value === null) continue
    buffer.set(value, at)
    at += value.length
  }
  return memory
}

/** Returns the changes of a message, whose bytes lie in it. */
export function* changesOf(message: ArrayBuffer, tables: readonly string[]): Generator<BufferedChange> {
  const buffer = Buffer.from(message)
  for (let at = 0; at < buffer.length; ) {
    const table = tables[buffer.readUInt16LE(at)] ?? ''
    const keyBytes = buffer.readUInt32LE(at + 2)
    const valueBytes = buffer.readUInt32LE(at + 6)
    const keyAt = at + HEAD_BYTES
    const valueAt = keyAt + keyBytes
    at = valueBytes === REMOVED ? valueAt : valueAt + valueBytes
    const value = valueBytes === REMOVED ? null : buffer.subarray(valueAt, at)
    yield { table, key: buffer.subarray(keyAt, valueAt), value }
  }
}
