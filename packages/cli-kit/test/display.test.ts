import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

import {
  bytesText,
  countOf,
  formatCsvLine,
  formatTable,
  indented,
  localTime,
  oneLine,
  paint,
  printable,
  printableLines,
  printableOutput,
  shellWord,
  shortId,
  span,
} from '../src/index.ts'

const PLAIN = { colour: false }
const ID = 'j-0a1b2c3d-1111-8222-9333-444455556666'

test('a table is aligned by what is seen, and never wider than its longest cells', () => {
  const table = formatTable(
    PLAIN,
    ['id', 'name'],
    [
      ['1', 'é漢字'],
      ['200', 'b'],
    ],
  )
  expect(table).toBe('id   name\n1    é漢字\n200  b\n')
  expect(formatTable(PLAIN, [], [['a', 'b']])).toBe('a  b\n')
  const styled = [[{ text: 'a\u001b', style: 'red' as const }, 'b']]
  expect(formatTable(PLAIN, [], styled)).toBe(formatTable(PLAIN, [], [['a\u001b', 'b']]))
  expect(formatTable({ colour: true }, [], styled)).toContain('\u001b[31ma')
})

test('no text commands the terminal', () => {
  const hostile = 'a\u001b[2Jb\nc\td\u202ee'
  expect(printable(hostile)).toBe('a\\u001b[2Jb\\nc\\td\\u202ee')
  expect(printableLines(hostile)).toBe('a\\u001b[2Jb\nc\\td\\u202ee')
  expect(formatTable(PLAIN, ['x'], [[hostile]])).not.toContain('\u001b')
  expect(formatCsvLine([hostile])).not.toContain('\u001b')
})

test('every character of control, direction and format is shown, and JSON stays JSON', () => {
  const alone = [
    '\u0000',
    '\u007f',
    '\u0085',
    '\u009b',
    '\u00ad',
    '\u061c',
    '\u200b',
    '\u200d',
    '\u200e',
    '\u2028',
    '\u2029',
  ]
  const more = ['\u202e', '\u2060', '\u2066', '\ufeff', '\ufff9', '\u{e0041}', '\u{1d173}', '\u{110bd}']
  for (const character of [...alone, ...more]) {
    for (const show of [printable, printableLines, printableOutput]) {
      const shown = show(`a${character}b`)
      expect(shown).toMatch(/^a(\\u[0-9a-f]{4})+b$/)
      expect(JSON.parse(`"${shown}"`)).toBe(`a${character}b`)
    }
  }
  expect(printable('naïve 漢字 🦀 ه')).toBe('naïve 漢字 🦀 ه')
})

test('the output of a program keeps its lines and tabs', () => {
  expect(printableOutput('a\tb\r\nc\nd\re\u001b]0;x\u0007')).toBe('a\tb\r\nc\nd\\u000de\\u001b]0;x\\u0007')
})

test('a cell with a comma or a quote is quoted', () => {
  expect(formatCsvLine(['plain', 'a,b', 'say "x"', ''])).toBe('plain,"a,b","say ""x""",\n')
})

test('colour comes only where it is wanted', () => {
  expect(paint(PLAIN, 'red', 'x')).toBe('x')
  expect(paint({ colour: true }, 'red', 'x')).toBe('\u001b[31mx\u001b[39m')
})

test.each([
  [0, '0s'],
  [-5, '0s'],
  [61_000, '1m1s'],
  [3_600_000, '1h'],
  [3_661_000, '1h1m'],
  [90_061_000, '1d1h'],
])('%d ms are %s', (durationMs, text) => {
  expect(span(durationMs)).toBe(text)
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_400_000, '1.4 MB'],
  [123_456, '123 kB'],
  [5e15, '5.0 PB'],
  [-1_400_000, '-1.4 MB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

test('an id is shortened only where a store made it', () => {
  expect(shortId(ID)).toBe('j-0a1b2c3d')
  expect(shortId(ID, true)).toBe(ID)
  expect(shortId('my-own-id')).toBe('my-own-id')
})

test('a count has its noun, and a time its place', () => {
  expect([countOf(1, 'job'), countOf(0, 'job'), countOf(2, 'job')]).toEqual(['1 job', '0 jobs', '2 jobs'])
  expect(localTime(new Date(2026, 2, 1, 17, 5, 9).getTime())).toBe('2026-03-01 17:05:09')
})

test('the lines of a text become one', () => {
  expect(oneLine('not enough nodes\n• Node n-1: no engine\n\n  - Node n-2: full\n')).toBe(
    'not enough nodes | Node n-1: no engine | Node n-2: full',
  )
  expect(oneLine('wasm error\n\tm.$0()\tat 7')).toBe('wasm error | m.$0() at 7')
})

test('text of others keeps what sets its lines in, and has no tabs', () => {
  expect(indented('error:\n\tm.$0()\n\t\tat\t7\u001b\n', 4)).toBe('error:\n      m.$0()\n        at 7\\u001b')
})

test('a word in a command line is what a shell reads of it, and no text commands the terminal', () => {
  expect(shellWord('/var/lib/saltcod/n-1_a.db')).toBe('/var/lib/saltcod/n-1_a.db')
  for (const word of [
    '',
    'two words',
    "it's",
    '$HOME `x` "y" \\ *',
    "a\n'b\\\u001b[2J\u202e7\t",
    '~',
    '漢字 é',
  ]) {
    const shown = shellWord(word)
    expect(printable(shown)).toBe(shown)
    expect(execFileSync('bash', ['--norc', '-c', `printf %s ${shown}`], { encoding: 'utf8' })).toBe(word)
  }
})
