import assert from 'node:assert/strict'

import fc from 'fast-check'
import { test } from 'vitest'
import { testSeed } from '../../../../test/seed.ts'
import { isStoreError } from '../../src/errors.ts'
import { decodeRecord, encodeRecord } from '../../src/kv/envelope.ts'
import { tuple } from '../../src/kv/tuple.ts'

const SEED = testSeed()
const KEY = tuple('j1')
const VALUE = { id: 'job', labels: { a: 'ü', __proto__x: 1 }, list: [1, null, true, -0.5], text: 'ü€😀\0"' }

function isCorrupt(call: () => unknown): boolean {
  try {
    call()
    return false
  } catch (error) {
    return isStoreError(error, 'RECORD_CORRUPT')
  }
}

test(`any JSON comes back as it was (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const record = encodeRecord('jobs', KEY, 1, value)
      assert.equal(JSON.stringify(decodeRecord('jobs', KEY, 1, record)), JSON.stringify(value))
    }),
    { seed: SEED, numRuns: 500 },
  )
})

test('any flipped bit of a record is found', () => {
  const record = encodeRecord('jobs', KEY, 1, VALUE)
  for (let bit = 0; bit < record.length * 8; bit++) {
    const damaged = Uint8Array.from(record)
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.ok(
      isCorrupt(() => decodeRecord('jobs', KEY, 1, damaged)),
      `bit ${bit}`,
    )
  }
})

test('a record that is cut, empty, too long or all zeros is found', () => {
  const record = encodeRecord('jobs', KEY, 1, VALUE)
  for (let length = 0; length < record.length; length++) {
    assert.ok(
      isCorrupt(() => decodeRecord('jobs', KEY, 1, record.subarray(0, length))),
      `${length} bytes`,
    )
  }
  const longer = Buffer.concat([record, Buffer.from([0])])
  assert.ok(isCorrupt(() => decodeRecord('jobs', KEY, 1, longer)))
  assert.ok(isCorrupt(() => decodeRecord('jobs', KEY, 1, new Uint8Array(record.length))))
})

test('a whole record under another key, in another table or of another version is found', () => {
  const record = encodeRecord('jobs', KEY, 1, VALUE)
  assert.ok(isCorrupt(() => decodeRecord('jobs', tuple('j2'), 1, record)))
  assert.ok(isCorrupt(() => decodeRecord('executions', KEY, 1, record)))
  assert.ok(isCorrupt(() => decodeRecord('jobs', KEY, 2, record)))
  assert.deepEqual(decodeRecord('jobs', KEY, 1, record), VALUE)
})

test('the error names table and key, and what to do', () => {
  try {
    decodeRecord('jobs', KEY, 1, new Uint8Array(3))
    assert.fail('should have been refused')
  } catch (error) {
    assert.ok(isStoreError(error, 'RECORD_CORRUPT'))
    assert.equal(error.details.table, 'jobs')
    assert.equal(error.details.key, Buffer.from(KEY).toString('hex'))
    assert.ok(error.message.includes('jobs') && error.hint !== undefined)
  }
})
