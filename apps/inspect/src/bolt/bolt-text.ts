import { createHash } from 'node:crypto'
import { Failure, printable } from '@saltcod/cli-kit'
import type { Json } from '@saltcod/store-core'
import { EXIT } from '../exit-code.ts'
import { exactText, parseExactJson, withoutMarks } from '../store/exact-json.ts'
import { redact } from '../store/redact.ts'
import { Secrets } from '../store/secrets.ts'

/** How bytes of a BoltDB file can be printed, by the words of `bbolt`. */
export const BOLT_FORMATS = ['auto', 'ascii-encoded', 'hex', 'bytes', 'utf8', 'redacted'] as const

/** One of {@link BOLT_FORMATS}. */
export type BoltFormat = (typeof BOLT_FORMATS)[number]

/** No record of a program is nested deeper. */
const MAX_DEPTH = 200

/** Characters that Go does not count as printable: of control, of format, unassigned, and blanks but the usual one. */
const UNPRINTABLE = /[^\P{C}]|[^\P{Z} ]/u

/** Writes bytes as `bbolt` does: `auto` is the text where it can be printed, and hexadecimal digits else. */
export function bytesAsText(bytes: Uint8Array, format: BoltFormat): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (format === 'hex') return buffer.toString('hex')
  if (format === 'redacted') {
    return `<redacted len:${buffer.length} sha256:${createHash('sha256').update(buffer).digest('hex')}>`
  }
  if (format === 'ascii-encoded') return quoted(buffer)
  if (format !== 'auto') return buffer.toString()
  return textOf(buffer) ?? buffer.toString('hex')
}

/** The text of bytes that can be printed; else undefined. */
function textOf(buffer: Buffer): string | undefined {
  const text = buffer.toString()
  return Buffer.from(text).equals(buffer) && !UNPRINTABLE.test(text) ? text : undefined
}

/** A text in quotes, with escapes for what cannot be printed, as Go writes it. */
function quoted(buffer: Buffer): string {
  let text = ''
  for (let at = 0; at < buffer.length; ) {
    const character = characterAt(buffer, at)
    text += character === undefined ? byteEscape(buffer[at] ?? 0) : escaped(character)
    at += character === undefined ? 1 : Buffer.byteLength(character)
  }
  return `"${text}"`
}

/** The character that begins there; undefined where the bytes are none. */
function characterAt(buffer: Buffer, at: number): string | undefined {
  const first = buffer[at] ?? 0
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  const bytes = buffer.subarray(at, at + length)
  const text = bytes.toString()
  return Buffer.from(text).equals(bytes) ? text : undefined
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

function escaped(character: string): string {
  const short = ESCAPES[character]
  if (short !== undefined) return short
  if (!UNPRINTABLE.test(character)) return character
  const code = character.codePointAt(0) ?? 0
  if (code < 0x80) return byteEscape(code)
  const digits = code.toString(16)
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
}

function byteEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}

/** Reads a key or a name of the command line. Throws a `Failure` where it is no number of hexadecimal digits. */
export function bytesOfArgument(text: string, format: 'ascii-encoded' | 'hex'): Buffer {
  if (format === 'ascii-encoded') return Buffer.from(text)
  const digits = text.replace(/^0x/, '')
  if (digits.length % 2 === 0 && /^[0-9a-f]*$/i.test(digits)) return Buffer.from(digits, 'hex')
  throw new Failure(EXIT.usage, `${printable(text)} is no key in hexadecimal digits`, {
    hint: 'give two digits for each byte, or leave out --parse-format hex',
  })
}

/** A number where JSON can hold it exactly, else its digits. */
export function exactNumber(count: bigint): number | string {
  return count <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(count) : String(count)
}

/** A path of buckets for people. */
export function pathText(path: readonly Uint8Array[]): string {
  return path.map((name) => printable(bytesAsText(name, 'auto'))).join('/')
}

/** A value as it is printed, and whether something in it is hidden. */
export interface BoltValueText {
  readonly text: string
  /** Numbers that JavaScript would round are in it as `parseExactJson` leaves them. */
  readonly json: Json | undefined
  readonly hidden: boolean
}

/**
 * Writes a value. One of JSON loses the values of its environment variables, also where the job wrote them out, and
 * what is named like a password, unless secrets are to be shown; all else stays, number by number. Throws a `Failure`
 * where the bytes themselves are asked for and would show some.
 */
export function valueText(
  value: Uint8Array,
  {
    format,
    showSecrets = false,
  }: { readonly format: BoltFormat; readonly showSecrets?: boolean | undefined },
): BoltValueText {
  const json = format === 'redacted' ? undefined : jsonOf(value)
  if (json !== undefined && isDeeper(json, MAX_DEPTH)) return deepText(value, format, showSecrets)
  if (json === undefined || showSecrets) return { text: bytesAsText(value, format), json, hidden: false }
  let hidden = false
  const redacted = redact(json, () => {
    hidden = true
  })
  if (!hidden) return { text: bytesAsText(value, format), json, hidden }
  if (format !== 'auto') throw wouldShowSecrets(format)
  const blanked = new Secrets().add(withoutMarks(json)).blankOutputs(redacted)
  return { text: exactText(JSON.stringify(blanked)), json: blanked, hidden }
}

/** What is nested deeper than a stack is can be printed as it stands alone. */
function deepText(value: Uint8Array, format: BoltFormat, showSecrets: boolean): BoltValueText {
  if (showSecrets) return { text: bytesAsText(value, format), json: undefined, hidden: false }
  if (format !== 'auto') throw wouldShowSecrets(format)
  return { text: bytesAsText(value, 'redacted'), json: undefined, hidden: true }
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner as Json, levels - 1))
}

function wouldShowSecrets(format: BoltFormat): Failure {
  return new Failure(EXIT.usage, `--format ${format} would show the secrets of a job`, {
    hint: 'add --show-secrets, or use --format auto, which hides them',
  })
}

function jsonOf(value: Uint8Array): Json | undefined {
  if (value[0] !== 0x7b && value[0] !== 0x5b) return undefined
  try {
    return parseExactJson(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString())
  } catch {
    return undefined
  }
}
