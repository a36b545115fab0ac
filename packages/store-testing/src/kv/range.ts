import assert from 'node:assert/strict'

import { type KvRange, type KvStore, MAX_KEY_BYTES, MAX_RANGE_ROWS } from '@saltcod/store-core/backend'
import { bytes, filled, hex, hexRows, numbered } from './bytes.ts'
import { assertRejects, assertThrows } from './expectation.ts'
import { ALPHA, BETA, KV_SUITE_TABLES, type KvCase } from './fixture.ts'
import { KvModel } from './model.ts'

/** In byte order; signed, textual and length-first orders would all put them differently. */
const ORDERED: readonly Uint8Array[] = [
  bytes(0),
  bytes(0, 0),
  bytes(0, 255),
  bytes(1),
  bytes(65),
  bytes(97),
  bytes(97, 0),
  bytes(97, 97),
  bytes(97, 255, 255),
  bytes(98),
  bytes(127),
  bytes(128),
  bytes(254, 255, 255),
  bytes(255),
  bytes(255, 0),
  bytes(255, 255),
]

/** Bounds on, between, before and after those keys. */
const BOUNDS: readonly Uint8Array[] = [
  bytes(0),
  bytes(0, 1),
  bytes(97),
  bytes(97, 0),
  bytes(97, 1),
  bytes(128),
  bytes(255),
  bytes(255, 255),
  bytes(255, 255, 255),
]

/** Cases about ranges: order, bounds, direction, limit. */
export const rangeCases: readonly KvCase[] = [
  {
    name: 'rows come in the byte order of their keys, whatever order they were put in',
    run: async ({ kv }) => {
      await fill(kv)
      assert.deepEqual(
        kv.read((snapshot) => snapshot.keys(ALPHA, { limit: 100 })).map((key) => hex(key)),
        ORDERED.map((key) => hex(key)),
      )
      assert.deepEqual(
        kv.read((snapshot) => snapshot.keys(ALPHA, { limit: 100, reverse: true })).map((key) => hex(key)),
        ORDERED.map((key) => hex(key)).reverse(),
      )
    },
  },
  {
    name: 'every combination of bounds, direction and limit gives what a sorted list gives',
    run: async ({ kv }) => {
      const model = await fill(kv)
      for (const range of combinations()) {
        const rows = kv.read((snapshot) => snapshot.range(ALPHA, range))
        const keys = kv.read((snapshot) => snapshot.keys(ALPHA, range))
        const expected = model.range(ALPHA, range)
        assert.deepEqual(hexRows(rows), expected, `rows of ${describeRange(range)}`)
        assert.deepEqual(
          keys.map((key) => hex(key)),
          expected.map(([key]) => key),
          `keys of ${describeRange(range)}`,
        )
      }
    },
  },
  {
    name: 'an empty table and a range that contains nothing give an empty list',
    run: async ({ kv }) => {
      for (const range of combinations()) {
        assert.deepEqual(
          kv.read((snapshot) => snapshot.range(ALPHA, range)),
          [],
        )
      }
      await fill(kv)
      const inverted: KvRange = { gte: bytes(98), lte: bytes(97), limit: 10 }
      const hollow: KvRange = { gt: bytes(97), lt: bytes(97), limit: 10 }
      for (const range of [inverted, { ...inverted, reverse: true }, hollow, { ...hollow, reverse: true }]) {
        assert.deepEqual(
          kv.read((snapshot) => snapshot.keys(ALPHA, range)),
          [],
        )
      }
      assert.deepEqual(
        kv.read((snapshot) => snapshot.range(BETA, { limit: 10 })),
        [],
      )
    },
  },
  {
    name: 'going on from the last key pages through a table, in both directions',
    run: async ({ kv }) => {
      await fill(kv)
      for (const reverse of [false, true]) {
        const seen: string[] = []
        let range: KvRange = { limit: 3, reverse }
        for (;;) {
          const page = kv.read((snapshot) => snapshot.keys(ALPHA, range))
          const last = page.at(-1)
          if (last === undefined) break
          seen.push(...page.map((key) => hex(key)))
          range = reverse ? { lt: last, limit: 3, reverse } : { gt: last, limit: 3 }
        }
        const expected = ORDERED.map((key) => hex(key))
        assert.deepEqual(seen, reverse ? expected.reverse() : expected)
      }
    },
  },
  {
    name: `a range returns up to ${MAX_RANGE_ROWS} rows of a larger table`,
    run: async ({ kv }) => {
      const total = MAX_RANGE_ROWS + 5
      const chunks = Array.from({ length: Math.ceil(total / 1000) }, (_, index) => index * 1000)
      await Promise.all(
        chunks.map((start) =>
          kv.write((tx) => {
            for (let id = start; id < Math.min(start + 1000, total); id += 1) {
              tx.put(ALPHA, numbered(id), numbered(id))
            }
          }),
        ),
      )
      const first = kv.read((snapshot) => snapshot.range(ALPHA, { limit: MAX_RANGE_ROWS }))
      assert.equal(first.length, MAX_RANGE_ROWS)
      for (const [id, { key, value }] of first.entries()) {
        if (hex(key) !== hex(numbered(id)) || hex(value) !== hex(key)) assert.fail(`row ${id} is ${hex(key)}`)
      }
      const rest = kv.read((snapshot) =>
        snapshot.keys(ALPHA, { gt: numbered(MAX_RANGE_ROWS - 1), limit: MAX_RANGE_ROWS }),
      )
      assert.equal(rest.length, 5)
    },
  },
  {
    name: 'a limit is required, whole, and from 1 to the maximum',
    run: async ({ kv }) => {
      await fill(kv)
      for (const limit of [undefined, null, '1', 0, -1, 1.5, Number.NaN, Infinity, MAX_RANGE_ROWS + 1]) {
        const range = { limit } as unknown as KvRange
        assertRefusesLimit(() => kv.read((snapshot) => snapshot.range(ALPHA, range)), limit)
        assertRefusesLimit(() => kv.read((snapshot) => snapshot.keys(ALPHA, range)), limit)
      }
      assertRefusesLimit(() => kv.read((snapshot) => snapshot.range(ALPHA, undefined as never)), 'nothing')
      assert.equal(kv.read((snapshot) => snapshot.range(ALPHA, { limit: 1 })).length, 1)
    },
  },
  {
    name: 'an unknown key of a range, or of the options of a write, is refused with the nearest one',
    run: async ({ kv }) => {
      const slips = [
        ['gtee', 'gte'],
        ['limt', 'limit'],
        ['revers', 'reverse'],
      ] as const
      for (const [slip, meant] of slips) {
        const range = { limit: 1, [slip]: 1 } as unknown as KvRange
        const message = new RegExp(`unknown key ${slip}; did you mean ${meant}\\?`)
        assert.throws(() => kv.read((snapshot) => snapshot.range(ALPHA, range)), {
          name: 'TypeError',
          message,
        })
        await assert.rejects(
          kv.write((tx) => tx.keys(ALPHA, range)),
          { name: 'TypeError', message },
        )
      }
      await assert.rejects(
        kv.write(() => undefined, { backgroud: true } as never),
        { name: 'TypeError', message: /did you mean background\?/ },
      )
      if (kv.capabilities.rewrite === undefined) return
      await assert.rejects(kv.capabilities.rewrite({ sgnal: true } as never), {
        name: 'TypeError',
        message: /did you mean signal\?/,
      })
    },
  },
  {
    name: 'two bounds on one side and bounds that are no keys are refused',
    run: async ({ kv }) => {
      const wrong = [
        { gte: bytes(1), gt: bytes(1) },
        { lte: bytes(1), lt: bytes(1) },
        { gte: bytes() },
        { lt: bytes() },
        { gt: 'text' },
        { lte: 7 },
      ]
      for (const bounds of wrong) {
        const range = { ...bounds, limit: 1 } as unknown as KvRange
        assertThrows(() => kv.read((snapshot) => snapshot.range(ALPHA, range)), 'TypeError')
        await assertRejects(
          kv.write((tx) => tx.keys(ALPHA, range)),
          'TypeError',
        )
      }
      for (const side of ['gte', 'gt', 'lt', 'lte']) {
        const range = { [side]: filled(MAX_KEY_BYTES + 1, 1), limit: 1 } as unknown as KvRange
        assertThrows(() => kv.read((snapshot) => snapshot.range(ALPHA, range)), 'KEY_TOO_LONG')
      }
    },
  },
]

/** Puts the keys of `ORDERED` in an order far from theirs and returns what the table should hold. */
async function fill(kv: KvStore): Promise<KvModel> {
  const model = new KvModel(KV_SUITE_TABLES)
  const shuffled = ORDERED.map((_, index) => ORDERED[(index * 7 + 3) % ORDERED.length] as Uint8Array)
  await kv.write((tx) => {
    for (const key of shuffled) {
      tx.put(ALPHA, key, bytes(...key, 1))
      model.put(ALPHA, key, bytes(...key, 1))
    }
  })
  return model
}

function combinations(): KvRange[] {
  const lower = [{}, ...BOUNDS.flatMap((bound) => [{ gte: bound }, { gt: bound }])]
  const upper = [{}, ...BOUNDS.flatMap((bound) => [{ lte: bound }, { lt: bound }])]
  const rest = [1, 2, 100].flatMap((limit) => [
    { limit },
    { limit, reverse: true },
    { limit, reverse: false },
  ])
  return lower.flatMap((from) => upper.flatMap((to) => rest.map((more) => ({ ...from, ...to, ...more }))))
}

function describeRange(range: KvRange): string {
  return JSON.stringify(range, (_, value: unknown) => (value instanceof Uint8Array ? hex(value) : value))
}

function assertRefusesLimit(call: () => unknown, limit: unknown): void {
  assert.throws(
    call,
    (error: Error) => error.name === 'TypeError' || error.name === 'RangeError',
    `the limit ${String(limit)} should be refused`,
  )
}
