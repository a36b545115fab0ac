import { isProxy } from 'node:util/types'

import { nameOf } from './arguments.ts'

/** A value that JSON can hold; what the store keeps for its users without reading it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Deeper values are looked at in another way. */
const MAX_DEPTH = 50

/**
 * Tells whether a value is what writing it as JSON and reading it back would give, to a depth of 50; false also stands
 * for not knowing. It copies nothing, and costs a small part of what reading it back costs.
 */
export function isPlainJson(value: unknown, depth: number = 0): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || depth === MAX_DEPTH || isProxy(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Array.prototype) {
    const items = value as readonly unknown[]
    for (let i = 0; i < items.length; i += 1)
      if (isComputed(items, i) || !isPlainJson(items[i], depth + 1)) return false
    // And `length`, which every list has.
    return Reflect.ownKeys(items).length === items.length + 1
  }
  if (prototype !== Object.prototype) return false
  const fields = value as Readonly<Record<string, unknown>>
  let seen = 0
  for (const name in fields) {
    if (isComputed(fields, name) || !isPlainJson(fields[name], depth + 1)) return false
    seen += 1
  }
  // Symbols, and what a loop does not show, such as a `toJSON` that would be called.
  return Reflect.ownKeys(fields).length === seen
}

const lookUpGetter = Reflect.get(Object.prototype, '__lookupGetter__') as (name: PropertyKey) => unknown

/**
 * Tells whether a value is computed when it is read, and may be another one each time. A descriptor costs three times
 * as much.
 */
function isComputed(object: object, name: PropertyKey): boolean {
  return lookUpGetter.call(object, name) !== undefined
}

/** Something in a value that JSON has no words for. */
export interface NoJson {
  /** Where it stands, such as `spec.Tasks[0].x`. */
  readonly path: string
  /** What is wrong with it, such as `is NaN`. */
  readonly problem: string
}

/**
 * Finds the first thing in a value that would not be the same after writing it as JSON and reading it back; `null`
 * where there is none. Objects without a prototype, and plain ones of another realm, are the same. Throws `RangeError`
 * for a value that is nested too deep.
 */
export function findNoJson(path: string, value: unknown): NoJson | null {
  return findBelow(path, value, new Set())
}

function findBelow(path: string, value: unknown, above: Set<object>): NoJson | null {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return null
  if (Object.is(value, -0)) return { path, problem: 'is -0' }
  if (typeof value === 'number' && Number.isFinite(value)) return null
  if (typeof value !== 'object') return { path, problem: `is ${nameOf(value)}` }
  if (isProxy(value)) return { path, problem: 'is a Proxy' }
  if (above.has(value)) return { path, problem: 'leads back to itself' }
  const isList = Array.isArray(value)
  if (!(isList ? Array.isArray(Object.getPrototypeOf(value)) : isPlainObject(value)))
    return { path, problem: `is ${nameOf(value)}` }
  const names = Object.keys(value)
  const hidden = hiddenPart(path, value)
  if (hidden !== null) return hidden
  const other = isList ? names[names.findIndex((name, index) => name !== String(index))] : undefined
  if (other !== undefined && !/^\d+$/.test(other))
    return { path: fieldPath(path, other), problem: 'stands beside the items of a list' }
  above.add(value)
  const length = isList ? value.length : names.length
  for (let i = 0; i < length; i += 1) {
    const name = names[i] ?? ''
    const found = isList
      ? findBelow(`${path}[${i}]`, value[i], above)
      : findBelow(fieldPath(path, name), (value as Readonly<Record<string, unknown>>)[name], above)
    if (found !== null) return found
  }
  above.delete(value)
  return null
}

/** Finds a key that a loop does not show, and a value that is computed when it is read. */
function hiddenPart(path: string, value: object): NoJson | null {
  const isList = Array.isArray(value)
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'symbol') return { path, problem: `has the key ${String(key)}` }
    const { enumerable, get } = Object.getOwnPropertyDescriptor(value, key) ?? {}
    const where = isList && /^\d+$/.test(key) ? `${path}[${key}]` : fieldPath(path, key)
    if (get !== undefined) return { path: where, problem: 'is computed by a getter' }
    if (enumerable === false && !(key === 'length' && isList))
      return { path: where, problem: 'is hidden (not enumerable)' }
  }
  return null
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  // The prototype of all objects of another realm.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
}

function fieldPath(path: string, name: string): string {
  return /^[\w$-]{1,60}$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name.slice(0, 60))}]`
}

/** A flat map of short texts, such as labels or the details of an event. */
export type TextMap = Readonly<Record<string, string>>
