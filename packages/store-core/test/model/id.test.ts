import assert from 'node:assert/strict'

import { test } from 'vitest'

import { isStoreError } from '../../src/errors.ts'
import { idTuple } from '../../src/kv/tuple.ts'
import { checkId, MAX_ID_LENGTH, newId, shortIdBounds } from '../../src/model/id.ts'

test('ids are UUIDs of version 8 behind their letter', () => {
  for (const prefix of ['j', 'e', 'v'] as const) {
    for (let n = 0; n < 1_000; n++) {
      assert.match(
        newId(prefix),
        new RegExp(`^${prefix}-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
      )
    }
  }
})

test('ids made in a row lie side by side, and none comes twice', () => {
  const ids = Array.from({ length: 5_000 }, () => newId('j'))
  assert.equal(new Set(ids).size, ids.length)
  const heads = ids.map((id) => Number.parseInt(id.slice(2, 10), 16))
  for (const [index, head] of heads.entries()) {
    if (index > 0) assert.equal(head, ((heads[index - 1] ?? 0) + 1) % 2 ** 32)
  }
})

test('a short id bounds the keys of the ids that it begins', () => {
  const id = newId('j')
  for (const length of [6, 7, 10, 11, 15, 25, 37, 38]) {
    const bounds = shortIdBounds('j', id.slice(0, length))
    assert.ok(bounds !== null, `${length} characters`)
    const key = idTuple('j', id)
    assert.ok(Buffer.compare(bounds.low, key) <= 0 && Buffer.compare(key, bounds.high) <= 0)
  }
  const other = idTuple('j', 'j-abcd0000-0000-8000-8000-000000000000')
  const bounds = shortIdBounds('j', 'j-abce')
  assert.ok(bounds !== null && Buffer.compare(other, bounds.low) < 0)
})

test('what is no short id has no bounds', () => {
  for (const text of [
    '',
    'j',
    'j-',
    'j-abc',
    'abcd1234',
    'J-abcd',
    'j-ABCD',
    'e-abcd',
    'j-abcg',
    `j-${'a'.repeat(37)}`,
    'j-ab\0d',
  ]) {
    assert.equal(shortIdBounds('j', text), null, JSON.stringify(text))
  }
})

test('ids of the caller have 1 to 128 harmless characters', () => {
  for (const id of ['a', '0', 'my.job_1-x', 'x'.repeat(MAX_ID_LENGTH), newId('e')]) checkId('job', id)
  const bad = [
    '',
    '.',
    '-a',
    '_a',
    'a..b',
    'a/b',
    '../a',
    'a b',
    'ü',
    'a\0',
    'a\n',
    '\ud800',
    'x'.repeat(MAX_ID_LENGTH + 1),
  ]
  for (const id of bad) {
    assert.throws(
      () => {
        checkId('job', id)
      },
      (error) => isStoreError(error, 'INVALID_ARGUMENT'),
    )
  }
})
