/**
 * Checks of the types of what a caller hands over. A wrong type is a mistake in the caller's program and nothing that
 * data can cause, so each of them throws a `TypeError`.
 */

import { nameOf } from '../kv/arguments.ts'

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

/**
 * Checks that a value, where one is given, is something that JSON has words for; what is inside of it follows the
 * rules of JSON. Throws `TypeError`.
 */
export function requireOptionalJson(what: string, value: unknown): void {
  if (value !== undefined) requireJson(what, value)
}

/**
 * Checks that there is a value that JSON has words for; what is inside of it follows the rules of JSON. Throws
 * `TypeError`.
 */
export function requireJson(what: string, value: unknown): void {
  const type = typeof value
  if (type !== 'undefined' && type !== 'function' && type !== 'symbol' && type !== 'bigint') return
  throw wrongType(what, 'a value of JSON', value)
}

/** Makes the error for a value of another type than it must have. */
export function wrongType(what: string, wanted: string, value: unknown): TypeError {
  return new TypeError(
    `the ${what} must be ${wanted}, but is ${typeof value === 'number' ? value : nameOf(value)}`,
  )
}
