import assert from 'node:assert/strict'

import { test } from 'vitest'

import { checkOpenOptions, type OpenStoreOptions } from '../../src/backend.ts'

test('options of an opening are what they should be, or a TypeError says what is wrong', () => {
  const clock = () => 0
  checkOpenOptions({ clock })
  checkOpenOptions({ clock, nodeId: 'n', maxSpecBytes: 1 })
  const wrong: readonly unknown[] = [
    null,
    {},
    { clock: 5 },
    ...['', ' ', 5, null].map((nodeId) => ({ clock, nodeId })),
    ...['1', Number.NaN, 0, -1, 1.5, null].map((maxSpecBytes) => ({ clock, maxSpecBytes })),
  ]
  for (const options of wrong) {
    assert.throws(() => {
      checkOpenOptions(options as OpenStoreOptions)
    }, TypeError)
  }
})
