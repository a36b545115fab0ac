import assert from 'node:assert/strict'

import type { DurableStore } from '@saltcod/store-core'
import { DURABLE_STORE_FIELDS, type FieldTable, WATCH_FIELDS } from '@saltcod/store-core/backend'
import type { StoreCase } from './fixture.ts'
import { assertRefused } from './mistake.ts'

/** A request with one key that nobody knows, at some depth. */
interface Slip {
  readonly request: unknown
  /** The key with the keys that lead to it. */
  readonly path: string
  /** What was meant. */
  readonly meant: string
}

/** Cases about keys that a method does not know; the table has the methods that only this kind of store has. */
export function unknownFieldCases<Store extends DurableStore>(methods: object): readonly StoreCase<Store>[] {
  const tables = { ...DURABLE_STORE_FIELDS, ...methods } as unknown as Readonly<Record<string, FieldTable>>
  return [
    {
      name: 'an unknown key of a request is refused with the nearest one, in every method and at every depth',
      run: async ({ store }) => {
        const slips = Object.entries(tables).flatMap(([method, table]) =>
          slipsOf(table).map((slip) => ({ method, ...slip })),
        )
        await assertRefused(
          store,
          slips.map(({ method, path, request }) => ({
            what: `${method} with ${path}`,
            types: [request],
            call: (value) => call(store, method, value),
          })),
        )
        for (const { method, path, meant, request } of slips) {
          await assert.rejects(call(store, method, request), {
            name: 'TypeError',
            message: `${method}: unknown key ${path}; did you mean ${meant}?`,
          })
        }
      },
    },
    {
      name: 'watch refuses an unknown key',
      run: async ({ store }) => {
        for (const { request, path, meant } of slipsOf(WATCH_FIELDS)) {
          await assert.rejects(store.watch(request as never).next(), {
            name: 'TypeError',
            message: `watch: unknown key ${path}; did you mean ${meant}?`,
          })
        }
      },
    },
    {
      name: 'a key that is like no other, or is one of every object, is refused with those that are known',
      run: async ({ store }) => {
        for (const key of ['aBirdOfAnotherFeather', 'constructor', 'toString', '__proto__', 'a\u001b[2J']) {
          const query: unknown = JSON.parse(`{ ${JSON.stringify(key)}: 1 }`)
          const shown = /^\w+$/.test(key) ? key : JSON.stringify(key)
          await assert.rejects(store.counts(query as never), {
            name: 'TypeError',
            message: `counts: unknown key ${shown}; known are kind, namespace`,
          })
        }
      },
    },
  ]
}

async function call(store: DurableStore, name: string, request: unknown): Promise<unknown> {
  const method = Reflect.get(store, name) as (request: unknown) => Promise<unknown>
  return await Reflect.apply(method, store, [request])
}

function slipsOf(table: FieldTable, path: string = ''): Slip[] {
  const [known = ''] = Object.keys(table)
  const own: Slip = { request: { [`${known}x`]: 1 }, path: `${path}${known}x`, meant: `${path}${known}` }
  const inner = Object.entries(table).flatMap(([name, fields]) => {
    if (fields === true) return []
    const [item] = Array.isArray(fields) ? (fields as readonly [FieldTable]) : [undefined]
    if (item === undefined) {
      return slipsOf(fields as FieldTable, `${path}${name}.`).map((slip) => ({
        ...slip,
        request: { [name]: slip.request },
      }))
    }
    return slipsOf(item, `${path}${name}[0].`).map((slip) => ({
      ...slip,
      request: { [name]: [slip.request] },
    }))
  })
  return [own, ...inner]
}
