import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type BucketToWrite, boltBytes, type FileToWrite } from '../../../test/bolt-writer.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { IS_LONG } from '../../../test/seed.ts'
import { OFFICIAL } from '../../../test/shared-fixtures.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

/** All shapes and a value of 100 MB, rather than some and one of 3 MB. */
const LARGE_BYTES = IS_LONG ? 100_000_000 : 3_000_000
const MOST_OUTPUT = 512 * 1024 * 1024

const session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
afterAll(() => session.close())

const numbered = (count: number): BucketToWrite => ({
  rows: Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`key-${1000 + index}`, `value ${index}`]),
  ),
})

function nested(depth: number): BucketToWrite {
  return {
    sequence: 7n,
    rows: depth === 0 ? { end: 'of it' } : { below: nested(depth - 1), value: `${depth}` },
  }
}

const SOME: BucketToWrite['rows'] = {
  many: numbered(900),
  few: numbered(3),
  nothing: { rows: {} },
  deep: nested(5),
  long: { rows: { one: 'x'.repeat(200_000), two: 'y' } },
  // What the writer takes for text gets bytes that are none, and characters that cannot be printed.
  odd: {
    rows: {
      '\u0000\u0001': 'zero',
      '\u0007\b\f\r\t\v\u007f': 'escapes',
      '\u00a0\u200b\u{e0001}\ufffd': 'none of them printed',
      'ä€😀': 'text',
      'two\nlines': Buffer.from([0xff, 0xfe]),
      '"\\': '"',
    },
  },
}

interface Shape extends FileToWrite {
  readonly name: string
  readonly rows: BucketToWrite['rows']
}

const SHAPES: readonly Shape[] = [
  { name: 'pages of 4096 bytes', rows: SOME, pageBytes: 4096, free: 5 },
  { name: 'pages of 65536 bytes', rows: SOME, pageBytes: 65_536, free: 1 },
  { name: 'no list of free pages', rows: SOME, freeList: false, free: 3 },
  { name: 'no bucket', rows: {} },
  { name: 'a large value', rows: { large: { rows: { a: 'b', it: Buffer.alloc(LARGE_BYTES, 'large ') } } } },
  { name: 'pages of 8192 bytes', rows: SOME, pageBytes: 8192, perPage: 7 },
  { name: 'pages of 16384 bytes', rows: SOME, pageBytes: 16_384 },
  { name: 'more free pages than a header counts', rows: SOME, free: 70_000 },
]

/** What each command is asked for, of a file that has the rows above. */
const ASKED: readonly (readonly string[])[] = [
  ['keys', 'many'],
  ['keys', 'deep', 'below', 'below', 'below', 'below', 'below'],
  ['keys', 'odd'],
  ...['auto', 'ascii-encoded', 'hex', 'bytes', 'redacted'].flatMap((format) => [
    // Bytes that a terminal would act upon are escaped by ours.
    ['keys', '--format', format, format === 'bytes' ? 'few' : 'odd'],
    ['get', 'few', 'key-1001', '--format', format],
  ]),
  ['keys', '-f', 'hex', 'few'],
  ['get', 'deep', 'below', 'below', 'value'],
  ['get', 'odd', '0001', '--parse-format', 'hex'],
  ['get', 'odd', 'two\nlines', '--format', 'hex'],
  ['get', 'odd', 'two\nlines', '--format', 'ascii-encoded'],
  ['get', 'long', 'one'],
  ['get', 'many', 'key-1899'],
  ['keys', 'nowhere'],
  ['get', 'many', 'nothing'],
]

function official(args: readonly string[]): { readonly code: number | null; readonly stdout: string } {
  const { status, stdout } = spawnSync(OFFICIAL ?? '', ['bbolt', ...args], {
    encoding: 'utf8',
    maxBuffer: MOST_OUTPUT,
  })
  return { code: status, stdout }
}

/** A command of both with the file behind its name, as `bbolt` has it. */
async function agreeOn(path: string, [verb = '', ...rest]: readonly string[]): Promise<void> {
  const what = [verb, ...rest].join(' ')
  const [ours, theirs] = [await session.run([verb, path, ...rest]), official([verb, path, ...rest])]
  expect(ours.code === 0, `${what}: ${ours.stderr}`).toBe(theirs.code === 0)
  // A value without a line end gets one of us, so that a prompt does not stand behind it.
  const plain = (text: string) => (verb === 'get' ? text.replace(/\n$/, '') : text)
  if (verb === 'info') expect(ours.stdout.split('\n')[0]).toBe(theirs.stdout.split('\n')[0])
  else if (theirs.code === 0)
    expect(
      plain(ours.stdout) === plain(theirs.stdout),
      `${what}\n${ours.stdout.slice(0, 500)}\n${theirs.stdout.slice(0, 500)}`,
    ).toBe(true)
}

describe.runIf(OFFICIAL !== null)('the official bbolt says the same of a file with', () => {
  test.each(SHAPES.slice(0, IS_LONG ? undefined : 5))('$name', async ({ rows, ...options }) => {
    const path = join(temporaryDirectory(), 'some.db')
    writeFileSync(path, boltBytes(rows, options))
    for (const verb of ['info', 'buckets', 'stats', 'check', 'pages']) await agreeOn(path, [verb])
    await agreeOn(path, ['dump', '0', '1', '2'])
    for (const asked of rows === SOME ? ASKED : []) await agreeOn(path, asked)
    if ('large' in rows)
      for (const format of ['auto', 'redacted'])
        await agreeOn(path, ['get', 'large', 'it', '--format', format])
  })
})
