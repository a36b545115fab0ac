/**
 * Checks of the types of what a caller hands over. A wrong type is a mistake in the caller's program and nothing that
 * data can cause, so each of them throws a `TypeError`; but for free JSON, whose parts may come from anywhere.
 */

import { StoreError } from '../errors.ts'
import { nameOf } from '../kv/arguments.ts'
import { findNoJson, isPlainJson, type NoJson } from '../kv/json.ts'
import { tooDeep } from '../kv/json-text.ts'

/** Checks that a value is a text. Throws `TypeError`. */
export function requireText(what: string, value: unknown): void {
  if (typeof value !== 'string') throw wrongType(what, 'a text', value)
}

/** Checks that a value, where one is given, is a text. Throws `TypeError`. */
export function requireOptionalText(what: string, value: unknown): void {
  if (value !== undefined) requireText(what, value)
}

/** Checks that a value, where one is given, is a number. Throws `TypeError`. */
export function requireOptionalNumber(what: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'number') throw wrongType(what, 'a number', value)
}

/** Checks that a value, where one is given, is true or false. Throws `TypeError`. */
export function requireOptionalFlag(what: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw wrongType(what, 'true or false', value)
}

/** Checks that a value is a list. Throws `TypeError`. */
export function requireList(what: string, value: unknown): void {
  if (!Array.isArray(value)) throw wrongType(what, 'a list', value)
}

/** Checks that a value is an object with fields, no list, date or map. Throws `TypeError`. */
export function requireObject(what: string, value: unknown): void {
  if (Object.prototype.toString.call(value) !== '[object Object]') throw wrongType(what, 'an object', value)
}

/** Checks, where a value is given, that JSON carries it; see {@link requireJson}. Throws `INVALID_ARGUMENT`. */
export function requireOptionalJson(path: string, value: unknown): void {
  if (value !== undefined) requireJson(path, value)
}

/**
 * Checks that a value is the same after writing it as JSON and reading it back: `null`, true, false, a text, a finite
 * number other than -0, or a list or plain object of these. `path` is its name in the request. Returns whether it may
 * be given back as it is, without reading it. Throws `TypeError` where there is none, and `INVALID_ARGUMENT` with the
 * path of what JSON does not carry.
 */
export function requireJson(path: string, value: unknown): boolean {
  if (isPlainJson(value)) return true
  if (value === undefined) throw wrongType(path, 'a value of JSON', value)
  let found: NoJson | null
  try {
    found = findNoJson(path, value)
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(path, error)
    throw error
  }
  if (found === null) return false
  const where = found.path.length > 300 ? `${found.path.slice(0, 300)}…` : found.path
  throw new StoreError('INVALID_ARGUMENT', `${where} ${found.problem}, which JSON does not carry`, {
    hint: 'leave it out, or give a text, a number, true, false, null, or a list or plain object of these',
  })
}

/** Makes the error for a value of another type than it must have. */
export function wrongType(what: string, wanted: string, value: unknown): TypeError {
  return new TypeError(
    `the ${what} must be ${wanted}, but is ${typeof value === 'number' ? value : nameOf(value)}`,
  )
}
