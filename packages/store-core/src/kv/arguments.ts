/**
 * Checks of what a body hands to the key-value contract. They stand in front of every backend, so that
 * all of them refuse the same calls in the same words.
 */

import { isUint8Array } from 'node:util/types'

import { StoreError } from '../errors.ts'
import {
  type KvRange,
  type KvRewriteOptions,
  type KvWriteOptions,
  MAX_KEY_BYTES,
  MAX_RANGE_ROWS,
} from './contract.ts'
import { checkFields, type Fields } from './fields.ts'

/** Refuses a table that was not named when the store was opened. Throws a `TypeError`. */
export function checkTable(tables: ReadonlySet<string>, table: string): void {
  if (tables.has(table)) return
  throw new TypeError(
    `There is no table ${JSON.stringify(table)}; the store was opened with ${[...tables].join(', ') || 'none'}.`,
  )
}

/** Refuses a key that is not bytes or is empty (`TypeError`), or is too long (`KEY_TOO_LONG`). */
export function checkKey(key: Uint8Array, what: string = 'key'): void {
  if (!isUint8Array(key)) throw new TypeError(`A ${what} must be a Uint8Array, but is ${nameOf(key)}.`)
  if (key.length === 0) throw new TypeError(`A ${what} must have at least one byte, but is empty.`)
  if (key.length > MAX_KEY_BYTES) {
    throw new StoreError('KEY_TOO_LONG', `a ${what} of ${key.length} bytes is longer than ${MAX_KEY_BYTES}`, {
      actual: key.length,
      expected: MAX_KEY_BYTES,
      hint: 'shorten the key; long text belongs in the value',
    })
  }
}

/** Refuses a value that is not bytes. Throws a `TypeError`. An empty value is fine. */
export function checkValue(value: Uint8Array): void {
  if (!isUint8Array(value)) throw new TypeError(`A value must be a Uint8Array, but is ${nameOf(value)}.`)
}

const RANGE_FIELDS: Fields<KvRange> = { gte: true, gt: true, lt: true, lte: true, limit: true, reverse: true }
const WRITE_FIELDS: Fields<KvWriteOptions> = { background: true, frees: true }
const REWRITE_FIELDS: Fields<KvRewriteOptions> = { signal: true, onProgress: true }

/** Refuses options of a write with an unknown key. For backends. Throws a `TypeError`. */
export function checkWriteOptions(options: KvWriteOptions): void {
  checkFields('write', options, WRITE_FIELDS)
}

/** Refuses options of a rewrite with an unknown key. For backends. Throws a `TypeError`. */
export function checkRewriteOptions(options: KvRewriteOptions): void {
  checkFields('rewrite', options, REWRITE_FIELDS)
}

/**
 * Refuses a range with an unknown key, without a usable limit, with two bounds on one side, or with a bound that is no
 * key. Throws a `TypeError`, or `KEY_TOO_LONG`.
 */
export function checkRange(range: KvRange): void {
  if (typeof range !== 'object' || range === null) {
    throw new TypeError(`A range must be an object with a limit, but is ${nameOf(range)}.`)
  }
  // Ranges are many: only one that is wrong is looked at closely.
  for (const name in range) if (!Object.hasOwn(RANGE_FIELDS, name)) checkFields('range', range, RANGE_FIELDS)
  const { gte, gt, lt, lte, limit } = range
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RANGE_ROWS) {
    throw new TypeError(
      `the limit of a range must be a whole number from 1 to ${MAX_RANGE_ROWS}, but is ${String(limit)}`,
    )
  }
  if (gte !== undefined && gt !== undefined) throw new TypeError('A range has both gte and gt; give one.')
  if (lte !== undefined && lt !== undefined) throw new TypeError('A range has both lte and lt; give one.')
  const lower = gte ?? gt
  const upper = lte ?? lt
  if (lower !== undefined) checkKey(lower, 'lower bound')
  if (upper !== undefined) checkKey(upper, 'upper bound')
}

/** Names what a value is, for saying that it should have been something else. */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return typeof value === 'object' ? `a ${value.constructor?.name ?? 'bare object'}` : `a ${typeof value}`
}
