import { expect, test } from 'vitest'
import { decodeTuple, tuple } from '../../src/kv/tuple.ts'

test('a key does not depend on which zero was encoded first', () => {
  expect(tuple(-0)).toEqual(tuple(0))
  expect(decodeTuple(tuple(-0, 1))).toEqual([0, 1])
  expect(Buffer.compare(tuple(-1), tuple(-0))).toBeLessThan(0)
  expect(Buffer.compare(tuple(-0), tuple(1))).toBeLessThan(0)
})
