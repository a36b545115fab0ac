import { inspect } from 'node:util'

import { checkFields, type Fields } from '@saltcod/store-core/backend'
import type { LmdbKvOptions } from './opening.ts'

const SIZES = ['quotaBytes', 'lowSpaceBytes', 'mapBytes', 'maxResidentBytes'] as const
const FLAGS = ['readOnly', 'create'] as const

/** The fields of the options of an opening. */
export const OPENING_FIELDS: Fields<LmdbKvOptions> = {
  path: true,
  tables: true,
  readOnly: true,
  create: true,
  quotaBytes: true,
  lowSpaceBytes: true,
  mapBytes: true,
  maxResidentBytes: true,
  scratchDirectory: true,
  onNotice: true,
}

/** Checks the options of an opening, before anything is looked at or made. Throws `TypeError`. */
export function checkOpeningOptions(options: LmdbKvOptions): void {
  if (typeof options !== 'object' || options === null)
    throw wrong('options', 'an object with a path', options)
  checkFields('openLmdbKv', options, OPENING_FIELDS)
  const { tables, onNotice } = options
  checkPath(options.path)
  if (!Array.isArray(tables) || !tables.every((table) => typeof table === 'string' && table !== '')) {
    throw wrong('tables', 'a list of names', tables)
  }
  for (const name of FLAGS) {
    const value: unknown = options[name]
    if (value !== undefined && typeof value !== 'boolean') throw wrong(name, 'true or false', value)
  }
  for (const name of SIZES) {
    const value = options[name]
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
      throw wrong(name, 'a whole number of bytes from 0', value)
    }
  }
  if (onNotice !== undefined && typeof onNotice !== 'function')
    throw wrong('onNotice', 'a function', onNotice)
}

/** Checks the path of a store. Throws `TypeError`. */
export function checkPath(path: string): void {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return
  throw wrong('path', 'the path of a file as a text', path)
}

function wrong(name: string, wanted: string, value: unknown): TypeError {
  return new TypeError(`The option ${name} must be ${wanted}, but is ${inspect(value, { depth: 0 })}.`)
}
