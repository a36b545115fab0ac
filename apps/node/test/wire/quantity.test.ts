import assert from 'node:assert/strict'
import { test } from 'vitest'
import { parseBytes, parseCpu, parseGpu } from '../../src/spec/quantity.ts'

test('amounts of CPU are cores or thousandths', () => {
  assert.deepEqual(['1', '0.5', '.25', '500m', '1500m'].map(parseCpu), [1, 0.5, 0.25, 0.5, 1.5])
  assert.deepEqual(['', 'm', '-1', '1 core', 'NaN', '1e3'].map(parseCpu), [
    null,
    null,
    null,
    null,
    null,
    null,
  ])
})

test('amounts of bytes are decimal, or binary with an i', () => {
  assert.deepEqual(['1', '1b', '1kb', '1 MB', '1.5Gb', '1ki', '1KiB', '2mi', '1,000'].map(parseBytes), [
    1,
    1,
    1000,
    1e6,
    1.5e9,
    1024,
    1024,
    2 * 1024 ** 2,
    1000,
  ])
  assert.deepEqual(['', 'mb', '-1', '1zb', '1 m b x', '99999999pb'].map(parseBytes), Array(6).fill(null))
})

test('GPUs are whole', () => {
  assert.deepEqual(['0', '2', '1.5', '-1', ''].map(parseGpu), [0, 2, null, null, null])
})
