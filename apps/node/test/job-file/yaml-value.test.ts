import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readYaml } from '../../src/job-file/yaml-value.ts'

function complaintsOf(text: string): readonly string[] {
  const read = readYaml(text)
  if ('value' in read) return []
  const all =
    'complaints' in read ? read.complaints : ['broken' in read ? read.broken : read.severalDocuments]
  return all.map(({ line, column, message }) => `${line}:${column} ${message}`)
}

describe('values', () => {
  test.each([
    [
      'merge keys merge, and what stands beside them counts',
      'a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3',
      { a: { b: 1, c: 2 }, d: { b: 3, c: 2 } },
    ],
    [
      'a list of objects is merged',
      'a: &x {b: 1}\nb: &y {c: 2}\nd:\n  <<: [*x, *y]',
      { a: { b: 1 }, b: { c: 2 }, d: { b: 1, c: 2 } },
    ],
    [
      'a merge key within a merged object',
      'a: &x {b: 1}\nb: &y {<<: *x, c: 2}\nd: {<<: *y}',
      { a: { b: 1 }, b: { b: 1, c: 2 }, d: { b: 1, c: 2 } },
    ],
    ['<< in quotes is a key', '"<<": 1', { '<<': 1 }],
    ['words and numbers as keys are texts', '1: a\ntrue: b\n1.5: c', { 1: 'a', true: 'b', '1.5': 'c' }],
    [
      'what is a text to all readers stays one',
      'a: "yes"\nb: oN\nc: 1:30\nd: 2001-01-01\n"y": _1',
      { a: 'yes', b: 'oN', c: '1:30', d: '2001-01-01', y: '_1' },
    ],
    ['numbers', 'a: 0x10\nb: 0o17\nc: 1e3\nd: -0.5\ne: 0', { a: 16, b: 15, c: 1000, d: -0.5, e: 0 }],
    ['JSON with tabs', '{\n\t"a":\t"x \\u00e9\\/",\n\t"b":\t[1,\n\t\tnull]\n}', { a: 'x é/', b: [1, null] }],
    ['tags of JSON', 'a: !!str 1\nb: !!int "2"', { a: '1', b: 2 }],
  ])('%s', (_, text, value) => {
    expect(readYaml(text)).toEqual({ value })
  })
})

test('what is one thing to Bacalhau and another to others is refused, with what it would be', () => {
  const toOthers = (source: string) => complaintsOf(`a: ${source}`)[0] ?? ''
  const said = (source: string) => / is (\S+) to some readers of YAML, Bacalhau's/.exec(toOthers(source))?.[1]
  const words = [
    'y',
    'Y',
    'yes',
    'Yes',
    'YES',
    'on',
    'On',
    'ON',
    'n',
    'N',
    'no',
    'No',
    'NO',
    'off',
    'Off',
    'OFF',
  ]
  expect(words.map(said)).toEqual(words.map((_, index) => String(index < 8)))
  const numbers = ['1_000', '0b11', '-0x10', '+0o17', '1_0.5', '0XfF', '1_e3', '0_17']
  expect(numbers.map(said)).toEqual(['1000', '3', '-16', '15', '10.5', '255', '1000', '15'])
  const keys = ['y', 'off', '1.50', '1e3', '0x10', '010', 'TRUE', '~']
  expect(keys.map((key) => / is (\S+) to some/.exec(complaintsOf(`${key}: a`)[0] ?? '')?.[1])).toEqual([
    'true',
    'false',
    '1.5',
    '1000',
    '16',
    '8',
    'true',
    'nothing',
  ])
})

describe('complaints', () => {
  test.each([
    ['a: 1\nb: 2\na: 3', ['3:1 the key "a" is given twice in one object']],
    ['{"a": 1, "a": 2}', ['1:10 the key "a" is given twice in one object']],
    ['a: {b: 1, : 2}', ['1:11 a key is missing before the colon']],
    ['? [a, b]\n: 1', ['1:3 a key is a list, an object or an alias; write it as a plain word']],
    ['? {a: b}\n: 1', ['1:3 a key is a list, an object or an alias; write it as a plain word']],
    ['a: &k b\n*k : 1', ['2:1 a key is a list, an object or an alias; write it as a plain word']],
    ['a: *b', ['1:4 *b stands for an anchor (&b) that is not set before it']],
    ['a: &b\n  c: *b', ['2:6 *b stands for what it is a part of']],
    ['<<: 3', ['1:1 << merges an object (<<: *name) or a list of them, not this']],
    ['a: &x 1\n<<: [*x]', ['2:1 << merges an object (<<: *name) or a list of them, not this']],
    ['a: !foo b', ['1:9 the tag !foo is not taken; leave it out']],
    ['a: !!binary aGk=', ['1:13 the tag !!binary is not taken; leave it out']],
    ['a: !!set {b, c}', ['1:10 the tag !!set is not taken; leave it out']],
    ['a: !foo {b: 1}', ['1:9 the tag !foo is not taken; leave it out']],
    ['a: !foo\n  - b', ['2:3 the tag !foo is not taken; leave it out']],
    [
      'a: 1.00000000000000000001\nb: 1e-400\nc: 1.10\nd: 1e3\ne: 123456789012.345\nf: 0.00\ng: 1.50e-7',
      [
        '1:4 1.00000000000000000001 has more digits than a number keeps; write fewer, or put it in quotes where a text is meant',
        '2:4 1e-400 has more digits than a number keeps; write fewer, or put it in quotes where a text is meant',
      ],
    ],
    [
      '%YAML 1.1\n---\na: 1:30',
      ['1:1 files are read as YAML 1.2; leave the directive %YAML 1.1 out, and put in quotes what is a text'],
    ],
    ['a: .nan', ['1:4 .nan is a number that JSON does not have; put it in quotes where a text is meant']],
    ['a: 1e999', ['1:4 1e999 is a number that JSON does not have; put it in quotes where a text is meant']],
    [
      'a: 9007199254740993',
      ['1:4 9007199254740993 is too large to be kept as a number; put it in quotes where a text is meant'],
    ],
    [
      'a: 010',
      [expect.stringMatching(/^1:4 010 is one number to some readers of YAML and another to others/)],
    ],
    ['%YAML 1.2\n---\na: 1\na: 2', ['4:1 the key "a" is given twice in one object']],
    ['a: 1\n---\nb: 2', ['2:1 a second document begins here']],
  ])('%j', (text, complaints) => {
    expect(complaintsOf(text)).toEqual(complaints)
  })

  test('all are told at once', () => {
    expect(complaintsOf('a: 1\na: 2\nb: *c\nd: .inf')).toHaveLength(3)
  })

  test('aliases that would blow the value up, and depth that no job has, are refused', () => {
    const levels = Array.from({ length: 12 }, (__, n) => `a${n}: &a${n} [${`*a${n - 1},`.repeat(9)}]`)
    expect(complaintsOf(['a0: &a0 [x]', ...levels.slice(1)].join('\n'))).toEqual([
      '1:1 its aliases (*name) stand for too much',
    ])
    const aliases = Array.from({ length: 1001 }, (_, n) => `k${n}: *a`)
    expect(complaintsOf(['a: &a x', ...aliases].join('\n'))).toEqual([
      '1:1 it has more than 1000 aliases (*name)',
    ])
    expect(complaintsOf('['.repeat(50_000))).toHaveLength(1)
  })

  // The words of the parser, which change with its releases, and are for programmers.
  const LIBRARY =
    /scalar|mapping|flow|stringKeys|block|collection|implicit|resolve|parse|stack|token|plain value/i
  test.each([
    'a: [',
    'a: "x',
    'a: b: c',
    'a:\n\t- b',
    '- a\nb: 1',
    '"a\nb',
    'a: "\\q"',
    'a: @x',
    'a: &x &y 1',
    '%FOO\n---\na: 1',
    '{a: 1',
    'a: *',
    'a: |x\n b',
    '}',
    '? a\nb',
    `${'a'.repeat(2000)}: 1`,
    'a: !!int x',
    'a\nb: 1',
    'a: - b',
  ])('%j is refused in our own words', (text) => {
    const complaints = complaintsOf(text)
    expect(complaints).toHaveLength(1)
    expect(complaints[0]).not.toMatch(LIBRARY)
  })
})

test('what JSON says is read as JSON says it', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(0, 1, '\t', '  '), (text, indent) => {
      const value = JSON.parse(text) as unknown
      const again = JSON.stringify(value, null, indent)
      const read = readYaml(again)
      if ('value' in read) expect(JSON.parse(JSON.stringify(read.value))).toEqual(JSON.parse(again))
      // Numbers that would be changed are refused.
      else expect(complaintsOf(again).join()).toMatch(/too large to be kept/)
    }),
    { numRuns: 500 },
  )
})

test('nobody goes by the digits of what is not read, at the top', () => {
  const read = (text: string): unknown => readYaml(text, (key) => key === 'at')
  expect(read('at: 1700000000000000001\nb: 1')).toEqual({ value: { at: 1_700_000_000_000_000_000, b: 1 } })
  expect(read('at: 1700000000000000001\nc: {at: 1700000000000000001}\nb: 1')).toEqual({
    complaints: [expect.objectContaining({ line: 2 })],
    roughly: { at: 1_700_000_000_000_000_000, c: { at: 1_700_000_000_000_000_000 }, b: 1 },
  })
})
