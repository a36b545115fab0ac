import { isUint8Array } from 'node:util/types'
import { pack, unpack } from 'fdb-tuple'
import { StoreError } from '../errors.ts'

import { nameOf } from './arguments.ts'

/** One part of a key. */
export type KeyPart = string | number

/** The type code of a UUID in the tuple layer. */
const UUID_CODE = 0x30
const HYPHEN = 0x2d
/** The type code of a text, of the number 0, and what ends a text. */
const TEXT_CODE = 0x02
const ZERO_CODE = 0x14
const TEXT_END = 0x00
/** Numbers on this side of zero take up to six bytes, which two halves of 24 bits hold. */
const SHORT_NUMBER = 2 ** 48
const HALF = 2 ** 24
/** Values of the lower-case hexadecimal digits by character code; -1 for every other character. */
const DIGIT_VALUES = new Int8Array(128).fill(-1)
for (const [value, digit] of [...'0123456789abcdef'].entries()) DIGIT_VALUES[digit.charCodeAt(0)] = value

/** Where a tuple is put together before its length is known. */
let workspace = Buffer.allocUnsafe(1_024)

/**
 * Encodes parts as a tuple whose byte order is the order of the parts (FoundationDB's tuple layer). Tuples
 * concatenate, so a part may also be a tuple that is encoded already. Throws `TypeError` for a part that is no text,
 * no finite number and no bytes: the library writes some of these, and such a key can never be decoded.
 */
export function tuple(...parts: readonly (KeyPart | Uint8Array)[]): Uint8Array {
  let end = 0
  for (const part of parts) {
    if (typeof part === 'string') end = writeText(part, end)
    else if (typeof part === 'number') end = writeNumber(part, end)
    else if (isUint8Array(part)) end = writeBytes(part, end)
    else throw noPart(part)
  }
  const key = Buffer.allocUnsafe(end)
  for (let i = 0; i < end; i += 1) key[i] = workspace[i] as number
  return key
}

/**
 * Writes plain ASCII, as nearly all our texts are, and leaves every other to the library. Keys are made several times
 * for each change of a store, and packing them was a tenth of its time.
 */
function writeText(text: string, start: number): number {
  const { length } = text
  makeRoom(start + length + 2)
  workspace[start] = TEXT_CODE
  let end = start + 1
  for (let i = 0; i < length; i += 1) {
    const code = text.charCodeAt(i)
    if (code === 0 || code > 0x7f) return writeBytes(pack([text]) as Uint8Array, start)
    workspace[end++] = code
  }
  workspace[end] = TEXT_END
  return end + 1
}

/**
 * Writes a whole number: its length and sign, then its bytes, high byte first; a negative one as what is left to all
 * ones.
 */
function writeNumber(number: number, start: number): number {
  const size = Math.abs(number)
  if (!Number.isInteger(number) || size >= SHORT_NUMBER) {
    if (!Number.isFinite(number)) throw noPart(number)
    return writeBytes(pack([number]) as Uint8Array, start)
  }
  let length = 0
  for (let limit = 1; limit <= size; limit *= 256) length += 1
  const value = number < 0 ? 256 ** length - 1 - size : size
  const high = Math.floor(value / HALF)
  const low = value % HALF
  makeRoom(start + length + 1)
  workspace[start] = number < 0 ? ZERO_CODE - length : ZERO_CODE + length
  let end = start + 1
  for (let i = length - 1; i >= 0; i -= 1) {
    workspace[end++] = i > 2 ? high >> (8 * (i - 3)) : low >> (8 * i)
  }
  return end
}

/** Copies bytes and returns where they end. A loop, since parts are short and a call of `set` costs more. */
function writeBytes(bytes: Uint8Array, start: number): number {
  const { length } = bytes
  makeRoom(start + length)
  for (let i = 0; i < length; i += 1) workspace[start + i] = bytes[i] as number
  return start + length
}

function noPart(part: unknown): TypeError {
  return new TypeError(`A part of a key must be a text, a finite number or bytes, but is ${nameOf(part)}.`)
}

function makeRoom(bytes: number): void {
  if (bytes <= workspace.length) return
  workspace = Buffer.concat([workspace], 2 * bytes)
}

/**
 * Encodes an id as one part of a tuple: 17 bytes where it is the prefix, a hyphen and a lower-case UUID,
 * its text otherwise. No two ids share an encoding. Throws `TypeError` for an id that is no text.
 */
export function idTuple(prefix: string, id: string): Uint8Array {
  if (typeof id !== 'string') throw new TypeError(`An id must be a text, but is ${nameOf(id)}.`)
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

/**
 * Decodes a key. Throws `RECORD_CORRUPT` where the bytes are no tuple of texts, numbers and ids, as only damage makes
 * them.
 */
export function decodeTuple(key: Uint8Array): DecodedPart[] {
  return unpacked(key).map((item) => {
    if (typeof item === 'string' || typeof item === 'number') return item
    if (item !== null && typeof item === 'object' && 'type' in item && item.type === 'uuid') {
      return { uuid: formatUuid(item.value as Uint8Array) }
    }
    throw damagedKey('the key is no tuple of texts, numbers and ids', key)
  })
}

function unpacked(key: Uint8Array): ReturnType<typeof unpack> {
  try {
    return unpack(Buffer.from(key.buffer, key.byteOffset, key.byteLength))
  } catch {
    throw damagedKey('the key is no tuple', key)
  }
}

/** Returns the id that a decoded part stands for. */
export function decodeId(prefix: string, part: DecodedPart | undefined): string {
  if (typeof part === 'string') return part
  if (typeof part === 'object') return `${prefix}-${part.uuid}`
  throw damagedKey('the key holds no id where one belongs', new Uint8Array(0))
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

/** Of which table the key is, only the caller knows. */
function damagedKey(what: string, key: Uint8Array): StoreError {
  return new StoreError('RECORD_CORRUPT', what, {
    table: '',
    key: keyToHex(key),
    hint: 'the file is damaged: check says where, and salvage saves what can be decoded',
  })
}
