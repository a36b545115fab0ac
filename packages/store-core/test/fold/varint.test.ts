import { expect, test } from 'vitest'
import { VarintReader, VarintWriter } from '../../src/fold/varint.ts'

const NUMBERS = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER]

test('numbers and bytes come back as they were written', () => {
  const writer = new VarintWriter()
  for (const number of NUMBERS) writer.number(number)
  writer.bytes(Buffer.from('key'))
  const reader = new VarintReader(Buffer.concat([writer.done(), Buffer.from('rest')]))
  expect(NUMBERS.map(() => reader.number())).toEqual(NUMBERS)
  expect(Buffer.from(reader.bytes()).toString()).toBe('key')
  expect(Buffer.from(reader.rest()).toString()).toBe('rest')
})

test('what ends too soon is a RangeError', () => {
  for (const bytes of [[], [0x80], Array.from({ length: 12 }, () => 0xff)])
    expect(() => new VarintReader(Uint8Array.from(bytes)).number()).toThrow(RangeError)
  expect(() => new VarintReader(Uint8Array.of(5, 1, 2)).bytes()).toThrow(RangeError)
})
