import { createHash } from 'node:crypto'
import { Failure, printable } from '@saltcod/cli-kit'
import type { Json } from '@saltcod/store-core'
import { EXIT } from '../exit-code.ts'
import { redact } from '../store/redact.ts'

/** How bytes of a BoltDB file can be printed, by the words of `bbolt`. */
export const BOLT_FORMATS = ['auto', 'ascii-encoded', 'hex', 'bytes', 'utf8', 'redacted'] as const

/** One of {@link BOLT_FORMATS}. */
export type BoltFormat = (typeof BOLT_FORMATS)[number]

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

/** A text in quotes, with escapes for what cannot be printed. */
function quoted(buffer: Buffer): string {
  const text = textOf(buffer)
  if (text !== undefined) return `"${text.replace(/["\\]/g, '\\$&')}"`
  const escaped = [...buffer].map((byte) => {
    const character = String.fromCharCode(byte)
    if (character === '"' || character === '\\') return `\\${character}`
    return byte >= 0x20 && byte < 0x7f ? character : `\\x${byte.toString(16).padStart(2, '0')}`
  })
  return `"${escaped.join('')}"`
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

/** A path of buckets for people. */
export function pathText(path: readonly Uint8Array[]): string {
  return path.map((name) => printable(bytesAsText(name, 'auto'))).join('/')
}

/** A value as it is printed, and whether something in it is hidden. */
export interface BoltValueText {
  readonly text: string
  readonly json: Json | undefined
  readonly hidden: boolean
}

/**
 * Writes a value. One of JSON loses the values of its environment variables and what is named like a password, unless
 * secrets are to be shown. Throws a `Failure` where the bytes themselves are asked for and would show some.
 */
export function valueText(
  value: Uint8Array,
  {
    format,
    showSecrets = false,
  }: { readonly format: BoltFormat; readonly showSecrets?: boolean | undefined },
): BoltValueText {
  const json = format === 'redacted' ? undefined : jsonOf(value)
  if (json === undefined || showSecrets) return { text: bytesAsText(value, format), json, hidden: false }
  let hidden = false
  const redacted = redact(json, () => {
    hidden = true
  })
  if (!hidden) return { text: bytesAsText(value, format), json, hidden }
  if (format !== 'auto') {
    throw new Failure(EXIT.usage, `--format ${format} would show the secrets of a job`, {
      hint: 'add --show-secrets, or use --format auto, which hides them',
    })
  }
  return { text: JSON.stringify(redacted), json: redacted, hidden }
}

function jsonOf(value: Uint8Array): Json | undefined {
  if (value[0] !== 0x7b && value[0] !== 0x5b) return undefined
  try {
    return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()) as Json
  } catch {
    return undefined
  }
}
