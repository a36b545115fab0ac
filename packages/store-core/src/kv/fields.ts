import { closest, distance } from 'fastest-levenshtein'

/**
 * The fields of an object that a caller hands over, and of what is inside of it: `true` for a value, and for free JSON
 * such as a specification or labels. The compiler refuses a table that leaves out a field of its type, or has one too
 * many.
 */
export type Fields<T> = { readonly [K in keyof T]-?: FieldsOf<NonNullable<T[K]>> }

type FieldsOf<V> = [V] extends [readonly (infer Item)[]]
  ? IsObject<NonNullable<Item>> extends true
    ? readonly [Fields<NonNullable<Item>>]
    : true
  : IsObject<V> extends true
    ? Fields<V>
    : true

/** Free JSON, maps by name, functions, and what has methods, such as a signal, are taken as they are. */
type IsObject<V> = [unknown] extends [V]
  ? false
  : [V] extends [object]
    ? string extends keyof V
      ? false
      : [V] extends [Method]
        ? false
        : [Extract<V[keyof V], Method>] extends [never]
          ? true
          : false
    : false

type Method = (...args: never) => unknown

/** A table of fields, whatever type it is of. */
export interface FieldTable {
  readonly [name: string]: true | FieldTable | readonly [FieldTable]
}

const PLAIN_NAME = /^[\w$-]{1,60}$/

/**
 * Refuses an object that has another field than its type has, at every depth that the table tells of. What is no
 * object is left to the checks of types. Throws `TypeError` with the nearest name, where one is near.
 */
export function checkFields<T>(where: string, value: T, fields: Fields<NonNullable<T>>): void {
  checkTable(where, '', value, fields as FieldTable)
}

function checkTable(where: string, path: string, value: unknown, table: FieldTable): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  for (const [name, inner] of Object.entries(value)) {
    const known = Object.hasOwn(table, name) ? table[name] : undefined
    if (known === undefined) throw unknownField(where, path, name, Object.keys(table))
    if (known === true || typeof inner !== 'object') continue
    if (!Array.isArray(known)) checkTable(where, `${path}${name}.`, inner, known as FieldTable)
    else if (Array.isArray(inner)) {
      const [item] = known as readonly [FieldTable]
      for (const [index, one] of inner.entries()) checkTable(where, `${path}${name}[${index}].`, one, item)
    }
  }
}

function unknownField(where: string, path: string, name: string, known: readonly string[]): TypeError {
  const shown = PLAIN_NAME.test(name) ? name : JSON.stringify(name.slice(0, 60))
  const near = nearestName(name, known)
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${path}${near}?`
  return new TypeError(`${where}: unknown key ${path}${shown}; ${hint}`)
}

function nearestName(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || name.length > 60) return undefined
  const wanted = name.toLowerCase()
  const near = closest(
    wanted,
    known.map((one) => one.toLowerCase()),
  )
  const isNear = distance(wanted, near) <= Math.max(2, Math.floor(name.length / 3))
  return isNear ? known.find((one) => one.toLowerCase() === near) : undefined
}
