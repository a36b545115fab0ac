import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DURATION_PATTERN, formatDuration, parseDuration } from '../src/duration.ts'

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['1500', 1500],
    ['250ms', 250],
    ['90s', 90_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['1.1h', 3_960_000],
    ['0.1s', 100],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['1m1h', 3_660_000],
    ['1000us', 1],
    ['2000µs', 2],
    ['3000000ns', 3],
    [' 30s ', 30_000],
  ])('reads %j as %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs)
  })

  it.each([
    '',
    's',
    '-1s',
    '+1s',
    '1 s',
    '1m 30s',
    '1w',
    '1y',
    '1S',
    '1.s',
    '.5s',
    '1.5',
    '1e3',
    '0.5ms',
    '1ns',
    '1s1',
    '99999999999999999999',
    '999999999999d',
    'Infinity',
    '1s\n',
  ])('refuses %j, or reads only what a pattern allows', (text) => {
    const read = parseDuration(text)
    // A trailing line break is space around the value, as YAML blocks leave it.
    expect(read).toBe(text === '1s\n' ? 1000 : undefined)
  })

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses the number %d', (given) => {
    expect(parseDuration(given)).toBeUndefined()
  })

  it('reads back what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (durationMs) => {
        const text = formatDuration(durationMs)
        expect(text).toMatch(DURATION_PATTERN)
        expect(parseDuration(text)).toBe(durationMs)
      }),
    )
  })

  it('adds up parts like the sum of their milliseconds', () => {
    const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
    const part = fc.tuple(fc.nat(10_000), fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])))
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.map(([count, unit]) => `${count}${unit}`).join('')
        expect(parseDuration(text)).toBe(parts.reduce((sum, [count, unit]) => sum + count * units[unit], 0))
      }),
    )
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [1, '1ms'],
    [1500, '1s500ms'],
    [90_000, '1m30s'],
    [86_400_000, '1d'],
    [90_061_001, '1d1h1m1s1ms'],
  ])('writes %d ms as %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text)
  })
})
