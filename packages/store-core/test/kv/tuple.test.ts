import assert from 'node:assert/strict'

import fc from 'fast-check'
import { pack } from 'fdb-tuple'
import { test } from 'vitest'
import { testSeed } from '../../../../test/seed.ts'
import { decodeId, decodeIdTuple, decodeTuple, endOfTuple, idTuple, tuple } from '../../src/kv/tuple.ts'

const SEED = testSeed()
const options = { seed: SEED, numRuns: 2_000 }

/** Texts without lone surrogates, with everything else, also NUL. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('\0', 'a', 'b', '\u00ff', '\uffff', '😀'), maxLength: 6 }),
)
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 300 }),
  fc.constantFrom(0, -0, 255, 256, 65_535, 65_536),
)
/** Keys of one shape, as the rows of one index have it. */
const key = fc.tuple(number, text, number, text)
type Key = readonly [number, string, number, string]

/** The order that the parts have: numbers by size, texts by code points. */
function compareParts(a: Key, b: Key): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] as number | string
    const order =
      typeof left === 'number'
        ? left - Number(right)
        : Buffer.compare(Buffer.from(left), Buffer.from(String(right)))
    if (order !== 0) return Math.sign(order)
  }
  return 0
}

test(`the order of encoded tuples is the order of their parts (seed ${SEED})`, () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      assert.equal(Buffer.compare(tuple(...a), tuple(...b)), compareParts(a, b))
    }),
    options,
  )
})

test(`a tuple is what the tuple layer's own library makes of its parts (seed ${SEED})`, () => {
  const part = fc.oneof(
    text,
    number,
    fc.integer({ min: -300, max: 300 }),
    fc.constantFrom(
      ...[1, 2, 3, 4, 5, 6, 7].flatMap((bytes) => bounds(256 ** bytes)).filter(Number.isSafeInteger),
    ),
    fc.string({ minLength: 200, maxLength: 3_000 }),
  )
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      const plain = parts.map((one) => (Object.is(one, -0) ? 0 : one))
      assert.equal(Buffer.from(tuple(...parts)).toString('hex'), (pack(plain) as Buffer).toString('hex'))
    }),
    options,
  )
})

/** A number that begins a further byte, with its neighbours, on both sides of zero. */
function bounds(number: number): number[] {
  return [number - 1, number, number + 1].flatMap((one) => [one, -one])
}

test(`what is encoded comes back (seed ${SEED})`, () => {
  fc.assert(
    fc.property(key, (parts) => {
      assert.deepEqual(
        decodeTuple(tuple(...parts)),
        parts.map((part) => (Object.is(part, -0) ? 0 : part)),
      )
    }),
    options,
  )
})

test(`tuples concatenate, and a prefix bounds what begins with it and nothing else (seed ${SEED})`, () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const [head, ...tail] = a
      assert.deepEqual(Buffer.concat([tuple(head), tuple(...tail)]), Buffer.from(tuple(...a)))
      const prefix = tuple(a[0], a[1])
      const whole = tuple(...b)
      const inside = Buffer.compare(whole, prefix) >= 0 && Buffer.compare(whole, endOfTuple(prefix)) < 0
      assert.equal(inside, compareParts([a[0], a[1], 0, ''], [b[0], b[1], 0, '']) === 0)
    }),
    options,
  )
})

test(`ids keep their identity: ours in 17 bytes, all others as they are (seed ${SEED})`, () => {
  const id = fc.oneof(
    fc.uuid().map((uuid) => `j-${uuid}`),
    fc.uuid().map((uuid) => `j-${uuid.toUpperCase()}`),
    fc.uuid().map((uuid) => `e-${uuid}`),
    fc.uuid(),
    fc.string({ unit: fc.constantFrom('j', '-', '0', 'a', 'A', '.'), minLength: 1, maxLength: 40 }),
  )
  fc.assert(
    fc.property(id, id, (a, b) => {
      const [first, second] = [idTuple('j', a), idTuple('j', b)]
      assert.equal(Buffer.compare(first, second) === 0, a === b)
      assert.equal(
        first.length === 17 && first[0] === 0x30,
        /^j-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(a),
      )
      assert.equal(decodeIdTuple('j', first), a)
      assert.equal(decodeId('j', decodeTuple(first)[0]), a)
      assert.deepEqual(decodeTuple(tuple(7, first, 'x')).length, 3)
    }),
    options,
  )
})

test('many different parts, and long ones, are told apart', () => {
  const seen = new Set<string>()
  for (let n = 0; n < 20_000; n++) seen.add(Buffer.from(tuple(n, `text ${n}`)).toString('hex'))
  for (const length of [255, 256, 257, 5_000])
    seen.add(Buffer.from(tuple('x'.repeat(length))).toString('hex'))
  assert.equal(seen.size, 20_004)
  assert.deepEqual(tuple(3, 'text 3'), tuple(3, 'text 3'))
  assert.deepEqual(decodeTuple(tuple('x'.repeat(5_000))), ['x'.repeat(5_000)])
})

test('a part that is no text, no finite number and no bytes is refused', () => {
  const parts = [
    undefined,
    null,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    {},
    [],
    10n,
    new Date(0),
    Symbol('x'),
  ]
  for (const part of parts) {
    assert.throws(() => tuple('a', part as never), TypeError)
    assert.throws(() => idTuple('j', part as never), TypeError)
  }
  assert.deepEqual(decodeTuple(tuple('a', 1.5, new Uint8Array(tuple(2)))), ['a', 1.5, 2])
})
