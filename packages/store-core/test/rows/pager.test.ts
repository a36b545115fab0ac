import assert from 'node:assert/strict'

import fc from 'fast-check'
import { test } from 'vitest'
import { testSeed } from '../../../../test/seed.ts'
import { KvModel } from '../../../store-testing/src/kv/model.ts'
import { isStoreError } from '../../src/errors.ts'
import type { KvRange, KvSnapshot } from '../../src/kv/contract.ts'
import { tuple } from '../../src/kv/tuple.ts'
import type { Page } from '../../src/model/page.ts'
import { type Listing, readPage } from '../../src/rows/pager.ts'

const SEED = testSeed()

interface Row {
  readonly stretch: number
  readonly time: number
  readonly id: string
  readonly shown: boolean
}

const row: fc.Arbitrary<Row> = fc.record({
  stretch: fc.nat(2),
  time: fc.nat(4),
  id: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }),
  shown: fc.boolean(),
})
const rows = fc.uniqueArray(row, { maxLength: 40, selector: ({ id }) => id })
const stretches = fc.constantFrom([0], [1], [0, 1], [0, 1, 2], [2, 0])

/** The snapshot that a sorted list gives. */
function snapshotOf(list: readonly Row[]): KvSnapshot {
  const model = new KvModel(['index'])
  for (const { stretch, time, id, shown } of list) {
    model.put('index', tuple(stretch, time, id), Buffer.from(shown ? id : ''))
  }
  const bytes = (hex: string) => Buffer.from(hex, 'hex')
  const range = (table: string, request: KvRange) =>
    model.range(table, request).map(([key, value]) => ({ key: bytes(key), value: bytes(value) }))
  return {
    get: () => undefined,
    range,
    keys: (table, request) => range(table, request).map(({ key }) => key),
  }
}

function listingOf(numbers: readonly number[]): Listing<string> {
  return {
    table: 'index',
    prefixes: numbers.map((stretch) => tuple(stretch)),
    query: numbers,
    load: (_key, value) => (value.length === 0 ? undefined : Buffer.from(value).toString()),
    idOf: () => '',
  }
}

function expectedOf(list: readonly Row[], numbers: readonly number[], reverse: boolean): string[] {
  const found = list
    .filter(({ stretch, shown }) => shown && numbers.includes(stretch))
    .sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id)
  return reverse ? found.reverse() : found
}

test(`any walk to and fro shows what a sorted list shows (seed ${SEED})`, () => {
  fc.assert(
    fc.property(
      rows,
      stretches,
      fc.boolean(),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean()),
      (list, numbers, reverse, limit, steps) => {
        const snapshot = snapshotOf(list)
        const expected = expectedOf(list, numbers, reverse)
        const read = (cursor: string | null) =>
          readPage(snapshot, listingOf(numbers), { limit, reverse, cursor }).page
        let page: Page<string> = read(null)
        let start = 0
        assert.deepEqual(page.items, expected.slice(0, limit))
        for (const forward of steps) {
          const cursor = forward ? page.next : page.previous
          if (cursor === null) {
            if (forward) assert.equal(start + page.items.length, expected.length)
            else assert.equal(start, 0)
            continue
          }
          const shown = page.items.length
          page = read(cursor)
          if (forward) start += shown
          else start -= page.items.length
          assert.deepEqual(page.items, expected.slice(start, start + page.items.length))
          assert.ok(page.items.length === limit || (forward ? page.next : page.previous) === null)
        }
      },
    ),
    { seed: SEED, numRuns: 1_000 },
  )
})

test('a cursor of another listing, or of none, is refused', () => {
  const snapshot = snapshotOf([0, 1, 2].map((time) => ({ stretch: 0, time, id: `${time}`, shown: true })))
  const { next } = readPage(snapshot, listingOf([0]), { limit: 1 }).page
  assert.ok(next !== null)
  const refused = (cursor: string, numbers: readonly number[] = [0], reverse = false) => {
    assert.throws(
      () => readPage(snapshot, listingOf(numbers), { cursor, reverse }),
      (error) => isStoreError(error, 'INVALID_CURSOR'),
    )
  }
  refused(next, [1])
  refused(next, [0, 1])
  refused(next, [0], true)
  for (const cursor of [
    '',
    'x',
    next.slice(0, 8),
    next.slice(0, 9),
    `${next.slice(0, 8)}constructor`,
    `${next}${'A'.repeat(9_000)}`,
  ]) {
    refused(cursor)
  }
  assert.deepEqual(readPage(snapshot, listingOf([0]), { cursor: next }).page.items, ['1', '2'])
})
