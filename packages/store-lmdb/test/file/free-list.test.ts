import { expect, test } from 'vitest'

import { byTransaction } from '../../src/file/free-list.ts'

test('the records of the list are in the order of their numbers, not of their bytes', () => {
  const keys = [254, 255, 256, 511, 512].map((transaction) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(transaction))
    return bytes
  })
  expect([...keys].reverse().sort(byTransaction)).toEqual(keys)
})
