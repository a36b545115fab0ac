import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { dictionaryOf } from '../../src/fold/dictionary.ts'

test('the dictionary of version 1 is what every folded record of version 1 was written with', () => {
  const words = dictionaryOf([])
  expect(words).toHaveLength(4902)
  expect(createHash('sha256').update(words).digest('hex')).toBe(
    '3a1c7918a460701c9079dbbded5be9771da084442f6f0c12e9fb96cc5bdc6bc4',
  )
  expect(Buffer.from(dictionaryOf(['e-1', 'j-1']).subarray(words.length)).toString()).toBe('e-1j-1')
})
