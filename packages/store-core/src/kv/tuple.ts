import { pack, unpack } from 'fdb-tuple'

/** One part of a key. */
export type KeyPart = string | number

/** The type code of a UUID in the tuple layer. */
const UUID_CODE = 0x30
const HYPHEN = 0x2d
/** Most texts and times that are remembered; the same few come again and again within a group of writes. */
const MEMO_TEXT_LENGTH = 256
const MEMO_LIMIT = 8_192
const partMemo = new Map<KeyPart, Uint8Array>()
/** Values of the lower-case hexadecimal digits by character code; -1 for every other character. */
const DIGIT_VALUES = new Int8Array(128).fill(-1)
for (const [value, digit] of [...'0123456789abcdef'].entries()) DIGIT_VALUES[digit.charCodeAt(0)] = value

/**
 * Encodes parts as a tuple whose byte order is the order of the parts (FoundationDB's tuple layer). Tuples
 * concatenate, so a part may also be a tuple that is encoded already.
 */
export function tuple(...parts: readonly (KeyPart | Uint8Array)[]): Uint8Array {
  let length = 0
  const encoded: Uint8Array[] = []
  for (const part of parts) {
    const bytes = typeof part === 'object' ? part : encodePart(part)
    encoded.push(bytes)
    length += bytes.length
  }
  const key = Buffer.allocUnsafe(length)
  let offset = 0
  for (const bytes of encoded) offset = copyInto(key, offset, bytes)
  return key
}

/** Copies bytes and returns where they end. A loop, since parts are short and a call of `set` costs more. */
function copyInto(target: Uint8Array, start: number, bytes: Uint8Array): number {
  const { length } = bytes
  for (let i = 0; i < length; i += 1) target[start + i] = bytes[i] as number
  return start + length
}

function encodePart(part: KeyPart): Uint8Array {
  // The memo cannot tell -0 from 0, and the tuple layer writes it as another number.
  if (Object.is(part, -0)) return encodePart(0)
  // A long text is no part of our keys but of somebody's question, and not worth remembering.
  if (typeof part === 'string' && part.length > MEMO_TEXT_LENGTH) return pack([part]) as Uint8Array
  const known = partMemo.get(part)
  if (known !== undefined) return known
  const made = pack([part]) as Uint8Array
  if (partMemo.size >= MEMO_LIMIT) partMemo.clear()
  partMemo.set(part, made)
  return made
}

/**
 * Encodes an id as one part of a tuple: 17 bytes where it is the prefix, a hyphen and a lower-case UUID,
 * its text otherwise. No two ids share an encoding.
 */
export function idTuple(prefix: string, id: string): Uint8Array {
  if (id.length !== prefix.length + 37 || !id.startsWith(prefix) || id[prefix.length] !== '-')
    return tuple(id)
  const made = Buffer.allocUnsafe(17)
  made[0] = UUID_CODE
  return writeUuid(made, id, prefix.length + 1) ? made : tuple(id)
}

/** Writes the digits of a UUID behind the first byte of a key; tells whether the text is one. */
function writeUuid(key: Uint8Array, text: string, start: number): boolean {
  let at = start
  for (let i = 1; i < 17; i += 1) {
    if ((i === 5 || i === 7 || i === 9 || i === 11) && text.charCodeAt(at++) !== HYPHEN) return false
    const high = DIGIT_VALUES[text.charCodeAt(at)] ?? -1
    const low = DIGIT_VALUES[text.charCodeAt(at + 1)] ?? -1
    if (high < 0 || low < 0) return false
    key[i] = high * 16 + low
    at += 2
  }
  return true
}

/** The smallest key that is larger than every key which begins with this tuple. */
export function endOfTuple(prefix: Uint8Array): Uint8Array {
  const end = Buffer.allocUnsafe(prefix.length + 1)
  end.set(prefix, 0)
  end[prefix.length] = 0xff
  return end
}

/** A part of a key as it is read back; an id that took 17 bytes comes as `uuid`. */
export type DecodedPart = string | number | { readonly uuid: string }

/** Decodes a key. Throws an `Error` where the bytes are no tuple of texts, numbers and ids. */
export function decodeTuple(key: Uint8Array): DecodedPart[] {
  return unpack(Buffer.from(key.buffer, key.byteOffset, key.byteLength)).map((item) => {
    if (typeof item === 'string' || typeof item === 'number') return item
    if (item !== null && typeof item === 'object' && 'type' in item && item.type === 'uuid') {
      return { uuid: formatUuid(item.value as Uint8Array) }
    }
    throw new Error('the key is no tuple of texts, numbers and ids')
  })
}

/** Returns the id that a decoded part stands for. */
export function decodeId(prefix: string, part: DecodedPart | undefined): string {
  if (typeof part === 'string') return part
  if (typeof part === 'object') return `${prefix}-${part.uuid}`
  throw new Error('the key holds no id where one belongs')
}

/** Decodes a tuple that is one id. */
export function decodeIdTuple(prefix: string, bytes: Uint8Array): string {
  if (bytes.length === 17 && bytes[0] === UUID_CODE) return `${prefix}-${formatUuid(bytes.subarray(1))}`
  return decodeId(prefix, decodeTuple(bytes)[0])
}

/** Writes 16 bytes as a lower-case UUID. */
export function formatUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Writes a key as hexadecimal text, for messages and for the quarantine. */
export function keyToHex(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex')
}
