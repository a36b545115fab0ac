import { describe, expect, test } from 'vitest'
import { parseBytes, parseCpu, parseGpu } from '../src/quantity.ts'
import { parseSize } from '../src/size.ts'

test.each<[string, number | undefined]>([
  ['1', 1],
  ['0.5', 0.5],
  ['.25', 0.25],
  ['500m', 0.5],
  ['1500m', 1.5],
  ...['', 'm', '-1', '1 core', 'NaN', '1e3', '1k'].map((text): [string, undefined] => [text, undefined]),
])('%j of CPU are %s cores', (text, cores) => {
  expect(parseCpu(text)).toBe(cores)
})

test.each([['0', 0], ['2', 2], ...['1.5', '-1', ''].map((text): [string, undefined] => [text, undefined])])(
  '%j GPUs are %s',
  (text, count) => {
    expect(parseGpu(text)).toBe(count)
  },
)

describe('an amount of bytes', () => {
  test.each<[string, number | undefined]>([
    ['1', 1],
    ['1b', 1],
    ['1kb', 1000],
    ['1 MB', 1e6],
    ['512m', 512e6],
    ['1.5Gb', 1.5e9],
    ['1ki', 1024],
    ['1KiB', 1024],
    ['2mi', 2 * 1024 ** 2],
    ...['', 'mb', '-1', '1zb', '99999999pb', '1i', '1bi', '1mbb', '1..5mb'].map(
      (text): [string, undefined] => [text, undefined],
    ),
  ])('%j is the same in a job file and in a setting', (text, bytes) => {
    expect([parseBytes(text), parseSize(text)]).toEqual([bytes, bytes])
  })

  test.each([
    ['1,000', 1000],
    ['1 m b', 1e6],
    ['.5gb', 5e8],
    ['1.0001kb', 1000],
    ['0.5b', 1],
  ])('%j is taken in a job file alone, as %d', (text, bytes) => {
    expect([parseBytes(text), parseSize(text)]).toEqual([bytes, undefined])
  })
})
