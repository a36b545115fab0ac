import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatSize, parseSize, SIZE_PATTERN } from '../src/size.ts'

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['1k', 1000],
    ['1kB', 1000],
    ['1KB', 1000],
    ['1KiB', 1024],
    ['1Ki', 1024],
    ['1MB', 1_000_000],
    ['64MiB', 67_108_864],
    ['64 mib', 67_108_864],
    ['1.5GB', 1_500_000_000],
    ['1.001kB', 1001],
    ['2TiB', 2_199_023_255_552],
    ['1PB', 1_000_000_000_000_000],
    [' 10MB ', 10_000_000],
  ])('reads %j as %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each(['', 'MB', '-1MB', '1XB', '1MBB', '1 M B', '1.MB', '.5MB', '1e6', '0.5B', '1.0001kB', '100000PB'])(
    'refuses %j',
    (text) => {
      expect(parseSize(text)).toBeUndefined()
    },
  )

  it.each([-1, 1.5, Number.NaN, 2 ** 53])('refuses the number %d', (given) => {
    expect(parseSize(given)).toBeUndefined()
  })

  it('reads back what formatSize writes', () => {
    const bytes = fc.oneof(
      fc.maxSafeNat(),
      fc.tuple(fc.nat(1000), fc.nat(4)).map(([count, power]) => count * 1024 ** power),
      fc.tuple(fc.nat(1000), fc.nat(4)).map(([count, power]) => count * 1000 ** power),
    )
    fc.assert(
      fc.property(bytes, (given) => {
        const text = formatSize(given)
        expect(text).toMatch(SIZE_PATTERN)
        expect(parseSize(text)).toBe(given)
      }),
    )
  })
})

describe('formatSize', () => {
  it.each([
    [0, '0B'],
    [1, '1B'],
    [1000, '1kB'],
    [1024, '1KiB'],
    [1_500_000, '1500kB'],
    [67_108_864, '64MiB'],
    [10_000_000, '10MB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })
})
