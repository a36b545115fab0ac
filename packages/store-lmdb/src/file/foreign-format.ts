/** Names of formats by the bytes at the beginning of a file, for messages. */

/** Magic number of LMDB, of a bbolt page and of others, as the file holds it. */
export const LMDB_MAGIC: number = 0xbeefc0de
const BOLT_MAGIC = 0xed0cdaed

const SIGNATURES: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['a SQLite database', Buffer.from('SQLite format 3\0')],
  ['a gzip archive', Buffer.from([0x1f, 0x8b])],
  ['a zip archive', Buffer.from([0x50, 0x4b, 0x03, 0x04])],
  ['a program', Buffer.from([0x7f, 0x45, 0x4c, 0x46])],
]

/** Describes what a file holds that is not a store, from its first bytes: `is a SQLite database`. */
export function describeForeign(head: Buffer): string {
  for (const [name, signature] of SIGNATURES) {
    if (head.subarray(0, signature.length).equals(signature)) return `is ${name}`
  }
  if (isBolt(head)) return 'is a BoltDB database'
  if (magicAt(head, 16) === LMDB_MAGIC) return 'is an LMDB file in the older data format 1'
  if (isText(head)) return 'is a text file'
  return 'is not a store'
}

/** A torn first page still leaves the second one, at any page size. */
function isBolt(head: Buffer): boolean {
  for (let start = 0; start <= 65_536; start = start === 0 ? 4_096 : start * 2) {
    if (magicAt(head, start + 16) === BOLT_MAGIC) return true
  }
  return false
}

function magicAt(head: Buffer, offset: number): number | undefined {
  return offset + 4 <= head.length ? head.readUInt32LE(offset) : undefined
}

function isText(head: Buffer): boolean {
  const sample = head.subarray(0, 512)
  return (
    sample.length > 0 &&
    sample.every((byte) => (byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13)
  )
}
