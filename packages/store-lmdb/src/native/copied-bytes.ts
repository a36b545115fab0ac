/**
 * Copies what a read has left in lmdb's own memory into memory of the pool, which costs less than the buffer that
 * lmdb would make. Only the length that lmdb has set tells where the value ends: the memory itself goes on.
 */
export function copyOf(shared: Buffer): Buffer {
  const { length } = shared
  const copy = Buffer.allocUnsafe(length)
  copy.set(new Uint8Array(shared.buffer, shared.byteOffset, length))
  return copy
}
