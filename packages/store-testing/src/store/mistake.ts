import assert from 'node:assert/strict'
import { inspect } from 'node:util'

import type { DurableStore } from '@saltcod/store-core'
import type { ExpectedError } from '../kv/expectation.ts'
import { assertRejects } from '../kv/expectation.ts'

/** A call that a caller should not make. */
export interface Mistake {
  readonly what: string
  /** Values of another type than it must have: `TypeError`. */
  readonly types?: readonly unknown[]
  /** Values out of their limits: `INVALID_ARGUMENT`. */
  readonly values?: readonly unknown[]
  /** Makes the call with one of the values, whatever type it should have. */
  readonly call: (value: never) => Promise<unknown>
}

/** Values that are no text; a caller in another process can hand over no others. */
export const NO_TEXTS: readonly unknown[] = [null, 5, Number.NaN, {}, [], true, new Date(0), 10n]

/** Values that are no number. */
export const NO_NUMBERS: readonly unknown[] = [null, '5', 'soon', {}, [], true, new Date(0), 10n]

/** Numbers that are no time, no size and no number of anything. */
export const NO_AMOUNTS: readonly unknown[] = [Number.NaN, Number.POSITIVE_INFINITY, -1]

/** Values that are no list. */
export const NO_LISTS: readonly unknown[] = [null, 5, 'Running', {}, true, new Set(['Running'])]

/** Values that have no fields. */
export const NO_OBJECTS: readonly unknown[] = [null, 5, 'x', [], true, new Date(0), new Map()]

/** What JSON carries and is no text. */
export const JSON_OF_NO_TEXT: readonly unknown[] = [null, 5, {}, [], true]

/** What JSON carries and has no fields. */
export const JSON_OF_NO_OBJECT: readonly unknown[] = [null, 5, 'x', [], true]

/** Asserts that every call is refused as it should be and that all of them leave the store as it was. */
export async function assertRefused(store: DurableStore, mistakes: readonly Mistake[]): Promise<void> {
  const before = await stateOf(store)
  for (const { what, types = [], values = [], call } of mistakes) {
    for (const value of types) await refuse(what, value, call, 'TypeError')
    for (const value of values) await refuse(what, value, call, 'INVALID_ARGUMENT')
  }
  assert.deepEqual(await stateOf(store), before)
}

/** The mistakes of calling methods with something that is no request. */
export function noRequests(store: DurableStore, names: readonly string[]): Mistake[] {
  return names.map((what) => ({
    what,
    types: NO_OBJECTS,
    call: async (request) => {
      const method = Reflect.get(store, what) as (request: unknown) => Promise<unknown>
      await method.call(store, request)
    },
  }))
}

/** What any change would move. */
async function stateOf(store: DurableStore): Promise<unknown> {
  const { sequence, quarantined } = await store.info()
  const { changeSets } = await store.changes()
  return { sequence, quarantined, changeSets, counts: await store.counts() }
}

async function refuse(
  what: string,
  value: unknown,
  call: Mistake['call'],
  expected: ExpectedError,
): Promise<void> {
  await assertRejects(call(value as never), expected).catch((error: unknown) => {
    throw new Error(`${what}: ${inspect(value)}`, { cause: error })
  })
}
