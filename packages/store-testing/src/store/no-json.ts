import assert from 'node:assert/strict'

import { isStoreError, type Json } from '@saltcod/store-core'
import type { Mistake } from './mistake.ts'

/** Values that writing as JSON and reading back would change, or lose; none of them is `undefined`. */
const NO_JSON: readonly unknown[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -0,
  1n,
  Symbol('x'),
  () => 1,
  new Date(0),
  new Map([['a', 1]]),
  new Set([1]),
  new Uint8Array([1]),
  Buffer.from('x'),
  /x/,
  new Error('x'),
  Object(1),
  Object('x'),
  new URL('http://localhost'),
  new (class Point {
    x = 1
  })(),
  new (class List extends Array<number> {})(),
  new Proxy({ x: 1 }, {}),
]

/** Lists and objects that have something in them that JSON would change, or lose. */
const NO_JSON_INSIDE: readonly unknown[] = [
  { x: undefined },
  [undefined],
  Object.assign(new Array(2), { 1: 1 }),
  { toJSON: () => 'other' },
  { [Symbol('x')]: 1 },
  Object.assign([1], { x: 1 }),
  circle(),
  Object.assign(Object.create({ inherited: 1 }) as object, { x: 1 }),
  hidden({ x: 1 }, 'y', 1),
  hidden({ x: 1 }, 'toJSON', () => 'other'),
  hidden([1], 'toJSON', () => 'other'),
  counting({ x: 1 }),
  counting([1]),
]

/** Values that come back as they were. */
export const UNUSUAL_JSON: readonly Json[] = [
  null,
  '',
  '\ud800',
  0,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  2 ** 60,
  [],
  {},
  [[[null]]],
  JSON.parse('{"__proto__":{"x":1},"constructor":1,"toJSON":2,"":3}') as Json,
  Object.assign(Object.create(null) as object, { x: [Object.create(null) as Json] }),
  Array.from({ length: 200 }).reduce<Json>((inner) => [inner], 'deep'),
]

/** A value with a field that no loop shows. */
function hidden(value: object, name: string, field: unknown): object {
  return Object.defineProperty(value, name, { value: field, enumerable: false })
}

/** A value whose first part is another number each time that it is read. */
function counting(value: object): object {
  let times = 0
  const [name = ''] = Object.keys(value)
  return Object.defineProperty(value, name, {
    get: () => {
      times += 1
      return times
    },
    enumerable: true,
  })
}

function circle(): unknown {
  const list: unknown[] = []
  list.push({ list })
  return list
}

/**
 * Makes the mistakes of a place that takes JSON, which is `path` in the request: they are refused with
 * `INVALID_ARGUMENT`, also where they stand further inside.
 */
export function jsonMistakes(path: string, call: (value: never) => Promise<unknown>): Mistake[] {
  const inside = (value: unknown) => ({ Tasks: [{ x: value }] })
  const placed = (where: string) => async (value: never) => {
    try {
      return await call(value)
    } catch (error) {
      if (isStoreError(error, 'INVALID_ARGUMENT')) {
        assert.ok(error.message.startsWith(where), `the message is: ${error.message}`)
      }
      throw error
    }
  }
  return [
    { what: path, values: [...NO_JSON, ...NO_JSON_INSIDE], call: placed(path) },
    {
      what: `${path} further inside`,
      values: [undefined, ...NO_JSON, ...NO_JSON_INSIDE].map(inside),
      call: placed(`${path}.Tasks[0].x`),
    },
  ]
}
