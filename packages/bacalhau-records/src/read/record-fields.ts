import type { Json } from '@saltcod/store-core'
import { type TellHere, UnreadableRecord } from './note.ts'

const ZERO_TIME = /^0001-01-01T00:00:00/

/** The longest text of JSON that is parsed; no record of Bacalhau comes near. */
const MAX_JSON_BYTES = 32 * 1024 * 1024
/** No record of Bacalhau is nested deeper, and whoever walks through one needs a stack as deep. */
const MAX_NESTING = 500

/** A JSON object as Go wrote it, of which each field may be missing, `null`, or of a wrong type. */
export class RecordFields {
  readonly #value: Readonly<Record<string, unknown>>
  readonly #path: string
  readonly #tell: TellHere

  constructor(value: unknown, path: string, tell: TellHere) {
    this.#value = isObject(value) ? value : {}
    this.#path = path
    this.#tell = tell
    if (value !== undefined && value !== null && !isObject(value)) this.#wrong('', 'an object', value)
  }

  /** Whether the field is there and not `null`. */
  has(name: string): boolean {
    return this.raw(name) !== undefined
  }

  /** Returns a field as it is; `undefined` where it is missing or `null`. */
  raw(name: string): unknown {
    return Object.hasOwn(this.#value, name) ? (this.#value[name] ?? undefined) : undefined
  }

  /** Returns a text; empty where it is missing. */
  text(name: string): string {
    const value = this.raw(name)
    if (typeof value === 'string') return value
    if (value !== undefined) this.#wrong(name, 'a text', value)
    return ''
  }

  /** Returns a text that must be there. Throws {@link UnreadableRecord}. */
  requiredText(name: string): string {
    const value = this.raw(name)
    if (typeof value === 'string' && value !== '') return value
    throw new UnreadableRecord('wrong-type', `${this.#place(name)} is ${shown(value)}, not a text`)
  }

  /** Returns a whole number from 0; 0 where it is missing. */
  count(name: string): number {
    const value = this.raw(name)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    if (value !== undefined) this.#wrong(name, 'a whole number from 0', value)
    return 0
  }

  /** Returns nanoseconds since 1970 as milliseconds; `null` where they are missing, or 0. */
  nanoseconds(name: string): number | null {
    const value = this.raw(name)
    if (value === undefined || value === 0) return null
    if (typeof value === 'number' && value > 0 && value < 8.64e21) return Math.floor(value / 1_000_000)
    this.#wrong(name, 'a time in nanoseconds', value)
    return null
  }

  /** Returns an RFC 3339 text as milliseconds since 1970; `null` where it is missing, or Go's zero time. */
  time(name: string): number | null {
    const value = this.raw(name)
    if (value === undefined) return null
    if (typeof value === 'string') {
      if (ZERO_TIME.test(value)) return null
      const atMs = Date.parse(value)
      if (Number.isSafeInteger(atMs) && atMs >= 0) return atMs
    }
    this.#wrong(name, 'a time', value)
    return null
  }

  /** Returns an object of texts. */
  texts(name: string): Record<string, string> {
    const value = this.raw(name)
    if (value === undefined) return {}
    if (!isObject(value)) {
      this.#wrong(name, 'an object of texts', value)
      return {}
    }
    const entries = Object.entries(value)
    const kept = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    if (kept.length < entries.length) this.#wrong(name, 'an object of texts', value)
    return Object.fromEntries(kept)
  }

  /** Returns anything that JSON can hold; `null` where it is missing. */
  json(name: string): Json {
    return (this.raw(name) ?? null) as Json
  }

  /** Returns an object inside. */
  inner(name: string): RecordFields {
    return new RecordFields(this.raw(name), this.#place(name), this.#tell)
  }

  /** Tells of fields that are not among the known ones and not empty. */
  tellUnknown(known: ReadonlySet<string>): void {
    for (const [name, value] of Object.entries(this.#value)) {
      if (known.has(name) || isEmpty(value)) continue
      this.#tell('dropped', 'unknown-field', `the field ${this.#place(name)} is not known and is left out`)
    }
  }

  /** Tells of fields that have no place in our model and are not empty. */
  tellNotKept(names: readonly string[]): void {
    for (const name of names) {
      if (isEmpty(this.raw(name))) continue
      this.#tell(
        'dropped',
        'field-not-kept',
        `the field ${this.#place(name)} has no place here and is left out`,
      )
    }
  }

  #place(name: string): string {
    if (this.#path === '' || name === '') return `${this.#path}${name}`
    return `${this.#path}.${name}`
  }

  #wrong(name: string, wanted: string, value: unknown): void {
    this.#tell(
      'changed',
      'wrong-type',
      `${this.#place(name)} is ${shown(value)}, not ${wanted}; it counts as empty`,
    )
  }
}

/** Reads a value of JSON that is an object. Throws {@link UnreadableRecord}. */
export function parseObject(bytes: Uint8Array | string): Readonly<Record<string, unknown>> {
  if (bytes.length > MAX_JSON_BYTES) {
    throw new UnreadableRecord('no-json', `its value has ${bytes.length} bytes, more than a record may have`)
  }
  let value: unknown
  try {
    value = JSON.parse(
      typeof bytes === 'string'
        ? bytes
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(),
    )
  } catch {
    throw new UnreadableRecord('no-json', 'its value is no JSON')
  }
  // Each level takes two characters.
  if (bytes.length >= 2 * MAX_NESTING && isDeeper(value, MAX_NESTING)) {
    throw new UnreadableRecord('no-json', 'it is nested too deep')
  }
  if (isObject(value)) return value
  throw new UnreadableRecord('wrong-type', `its value is ${shown(value)}, not an object`)
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

/** Tells whether a value is an object that is no list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.values(value).every(isEmpty)
}

function shown(value: unknown): string {
  const text = value === undefined ? 'missing' : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
