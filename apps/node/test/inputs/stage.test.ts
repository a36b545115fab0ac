import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import type { InputSource } from '@saltcod/bacalhau-records'
import { pack } from 'tar-stream'
import { beforeEach, describe, expect, test } from 'vitest'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { DEFAULT_INPUT_POLICY, type InputPolicy } from '../../src/inputs/input-policy.ts'
import { stageWork } from '../../src/inputs/stage.ts'
import type { ExecutionWork } from '../../src/inputs/work.ts'

let directory: string
let allowed: string

beforeEach(() => {
  directory = temporaryDirectory()
  allowed = join(directory, 'allowed')
  mkdirSync(allowed)
  writeFileSync(join(directory, 'secret'), 'secret of the host')
})

async function stage(
  inputs: readonly InputSource[],
  policy: Partial<InputPolicy> = {},
  results: readonly { Name: string; Path: string }[] = [],
): Promise<ExecutionWork> {
  return await stageWork({
    workDir: join(directory, 'work'),
    inputs,
    results,
    policy: { ...DEFAULT_INPUT_POLICY, allowedPaths: [allowed], ...policy },
    signal: new AbortController().signal,
  })
}

const inline = (url: string, target = '/inputs/text'): InputSource => ({
  Source: { Type: 'inline', Params: { URL: url } },
  Alias: '',
  Target: target,
})
const local = (path: string, target = '/inputs'): InputSource => ({
  Source: { Type: 'local', Params: { SourcePath: path } },
  Alias: '',
  Target: target,
})
const read = (path: string): string => readFileSync(join(directory, 'work', 'root', path), 'utf8')

describe('the work directory', () => {
  test('is private, has every input in its place and empty result directories', async () => {
    const work = await stage([inline('data:,a'), inline('data:,b', '/inputs/deep/er/b')], {}, [
      { Name: 'out', Path: '/outputs/' },
    ])
    expect(statSync(work.workDir).mode & 0o777).toBe(0o755 & 0o700)
    expect(read('inputs/text')).toBe('a')
    expect(read('inputs/deep/er/b')).toBe('b')
    expect(work.results).toEqual([{ name: 'out', path: '/outputs', hostPath: join(work.rootDir, 'outputs') }])
    expect(work.inputs.map(({ target, kind }) => ({ target, kind }))).toEqual([
      { target: '/inputs/text', kind: 'file' },
      { target: '/inputs/deep/er/b', kind: 'file' },
    ])
  })

  test('keeps nothing of an earlier attempt', async () => {
    const first = await stage([inline('data:,a')])
    writeFileSync(join(first.workDir, 'exit.json'), '{}')
    await stage([inline('data:,b')])
    expect(existsSync(join(first.workDir, 'exit.json'))).toBe(false)
    expect(read('inputs/text')).toBe('b')
  })
})

describe('bad placements', () => {
  test.each([
    ['../x', /Target must not hold "\.\."/],
    ['/a/../../x', /Target must not hold "\.\."/],
    ['/', /Target must not be the root directory/],
    ['//.', /Target must not be the root directory/],
    ['/a\0b', /Target must not hold a NUL/],
    ['', /Target is missing/],
  ])('target %j', async (target, message) => {
    await expect(stage([inline('data:,a', target)])).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(stage([inline('data:,a', target)])).rejects.toThrow(message)
    expect(existsSync(join(directory, 'work'))).toBe(false)
  })

  test.each([
    [[{ Name: '../up', Path: '/o' }], /cannot name a folder/],
    [[{ Name: 'stdout', Path: '/o' }], /the results use themselves/],
    [
      [
        { Name: 'a', Path: '/o' },
        { Name: 'a', Path: '/p' },
      ],
      /Name of another/,
    ],
    [
      [
        { Name: 'a', Path: '/o' },
        { Name: 'b', Path: '/o/p' },
      ],
      /share the directory/,
    ],
    [[{ Name: 'a', Path: '/inputs' }], /overlaps the input/],
    [[{ Name: '/', Path: '/o' }], /has no Name/],
    [
      [
        { Name: '/a', Path: '/o' },
        { Name: 'a/', Path: '/p' },
      ],
      /Name of another one, a/,
    ],
  ])('results %j', async (results, message) => {
    await expect(stage([inline('data:,a')], {}, results)).rejects.toThrow(message)
  })

  test('two inputs at one place, unknown kinds', async () => {
    await expect(stage([inline('data:,a'), inline('data:,b')])).rejects.toThrow(
      'two inputs have the target /inputs/text',
    )
    await expect(stage([{ Source: { Type: 'ipfs', Params: {} }, Alias: '', Target: '/a' }])).rejects.toThrow(
      'is of a type that is not offered',
    )
  })
})

describe('inline inputs', () => {
  test.each([
    ['data:,hello%20world', 'hello world'],
    ['data:text/plain;base64,aGVsbG8=', 'hello'],
    ['DATA:text/plain;charset=utf-8,%C3%A4', 'ä'],
    ['data:,', ''],
  ])('%s', async (url, content) => {
    await stage([inline(url)])
    expect(read('inputs/text')).toBe(content)
  })

  test.each(['http://x/', 'data:no-comma', 'nothing', 'file:///etc/passwd'])('%s is refused', async (url) => {
    await expect(stage([inline(url)])).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })

  test('are bounded', async () => {
    await expect(stage([inline(`data:,${'x'.repeat(100)}`)], { maxBytes: 99 })).rejects.toMatchObject({
      code: 'INPUT_TOO_LARGE',
    })
  })
})

interface Packed {
  readonly name: string
  readonly type?: 'file' | 'directory' | 'symlink' | 'link' | 'fifo'
  readonly linkname?: string
  readonly text?: string
  readonly mode?: number
}

async function archive(entries: readonly Packed[]): Promise<string> {
  const tar = pack()
  for (const { text = '', ...header } of entries) {
    if (header.type === undefined) tar.entry(header, text)
    else tar.entry(header)
  }
  tar.finalize()
  const bytes = await buffer(Readable.from(tar).pipe(createGzip()))
  return `data:application/gzip;base64,${bytes.toString('base64')}`
}

describe('packed inline inputs', () => {
  test('become a directory', async () => {
    const url = await archive([
      { name: 'a/', type: 'directory' },
      { name: 'a/b.txt', text: 'b' },
      { name: './c/run', text: '#!', mode: 0o4755 },
    ])
    const work = await stage([inline(url, '/inputs')])
    expect(work.inputs[0]?.kind).toBe('directory')
    expect(read('inputs/a/b.txt')).toBe('b')
    expect(statSync(join(work.rootDir, 'inputs/c/run')).mode & 0o7777).toBe(0o555)
  })

  test.each([
    ['a way out', [{ name: '../../out', text: 'x' }]],
    ['an absolute path', [{ name: '/tmp/out', text: 'x' }]],
    ['a symbolic link', [{ name: 'l', type: 'symlink' as const, linkname: '/etc' }]],
    ['a hard link', [{ name: 'l', type: 'link' as const, linkname: '/etc/hostname' }]],
    ['a pipe', [{ name: 'p', type: 'fifo' as const }]],
    [
      'one name twice',
      [
        { name: 'a', text: 'x' },
        { name: 'a', text: 'y' },
      ],
    ],
  ])('with %s are refused', async (_name, entries) => {
    await expect(stage([inline(await archive(entries), '/inputs')])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    })
    expect(existsSync(join(directory, 'out'))).toBe(false)
  })

  test('that unpack to too much are refused', async () => {
    const bomb = await archive([{ name: 'zeros', text: '\0'.repeat(5_000_000) }])
    expect(bomb.length).toBeLessThan(20_000)
    await expect(stage([inline(bomb, '/inputs')], { maxBytes: 1_000_000 })).rejects.toMatchObject({
      code: 'INPUT_TOO_LARGE',
    })
    const many = await archive(Array.from({ length: 50 }, (_, index) => ({ name: `f${index}`, text: '' })))
    await expect(stage([inline(many, '/inputs')], { maxEntries: 40 })).rejects.toMatchObject({
      code: 'INPUT_TOO_LARGE',
    })
  })

  test('that are no archive are refused', async () => {
    await expect(stage([inline('data:application/gzip,nonsense', '/inputs')])).rejects.toThrow(
      /no tar\.gz archive/,
    )
  })
})

describe('local inputs', () => {
  test('files and directories are copied', async () => {
    mkdirSync(join(allowed, 'tree/sub'), { recursive: true })
    writeFileSync(join(allowed, 'tree/sub/file'), 'content')
    writeFileSync(join(allowed, 'tree/run.sh'), '#!/bin/sh', { mode: 0o755 })
    const work = await stage([
      local(join(allowed, 'tree'), '/data'),
      local(join(allowed, 'tree/sub/file'), '/one/file'),
    ])
    expect(read('data/sub/file')).toBe('content')
    expect(read('one/file')).toBe('content')
    expect(statSync(join(work.rootDir, 'data/run.sh')).mode & 0o777).toBe(0o555)
    expect(statSync(join(work.rootDir, 'data/sub/file')).mode & 0o777).toBe(0o444)
  })

  test('links to allowed files are copied as files', async () => {
    writeFileSync(join(allowed, 'real'), 'real')
    mkdirSync(join(allowed, 'tree'))
    symlinkSync('../real', join(allowed, 'tree/link'))
    await stage([local(join(allowed, 'tree'))])
    expect(read('inputs/link')).toBe('real')
  })

  test.each([
    ['a file outside', (root: string) => join(root, 'secret')],
    ['a way out', (root: string) => join(root, 'allowed/../secret')],
    ['a link out', (root: string) => join(root, 'allowed/link')],
    ['a directory with a link out', (root: string) => join(root, 'allowed/tree')],
    ['a directory with a link to a directory', (root: string) => join(root, 'allowed/other')],
    ['a neighbour with a longer name', (root: string) => join(root, 'allowed-not/file')],
    ['a file outside that does not exist', (root: string) => join(root, 'nothing')],
    ['a directory with a pipe', (root: string) => join(root, 'allowed/pipes')],
  ])('%s is refused', async (_name, path) => {
    symlinkSync('../secret', join(allowed, 'link'))
    mkdirSync(join(allowed, 'tree'))
    symlinkSync(join(directory, 'secret'), join(allowed, 'tree/innocent'))
    mkdirSync(join(allowed, 'other'))
    symlinkSync('..', join(allowed, 'other/loop'))
    mkdirSync(join(directory, 'allowed-not'))
    writeFileSync(join(directory, 'allowed-not/file'), 'secret of the host')
    mkdirSync(join(allowed, 'pipes'))
    execFileSync('mkfifo', [join(allowed, 'pipes/fifo')])
    await expect(stage([local(path(directory))])).rejects.toMatchObject({ code: 'INPUT_DENIED' })
  })

  test('a missing file, a pipe, and read-write are refused with one line', async () => {
    execFileSync('mkfifo', [join(allowed, 'fifo')])
    await expect(stage([local(join(allowed, 'nothing'))])).rejects.toThrow(
      `input 1 (local at /inputs) "${join(allowed, 'nothing')}" does not exist`,
    )
    await expect(stage([local(join(allowed, 'fifo'))])).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    const readWrite = {
      Source: { Type: 'local', Params: { SourcePath: allowed, ReadWrite: 'true' } },
      Alias: '',
      Target: '/x',
    }
    await expect(stage([readWrite])).rejects.toThrow(/not offered/)
    await expect(stage([local(allowed)], { allowedPaths: [] })).rejects.toThrow(/none is configured/)
  })

  test('a path that is swapped for a link out while it is copied never brings in what is outside', async () => {
    const path = join(allowed, 'swap')
    const good = join(allowed, 'good')
    mkdirSync(good)
    writeFileSync(join(good, 'file'), 'harmless')
    const bad = join(directory, 'bad')
    mkdirSync(bad)
    writeFileSync(join(bad, 'file'), 'secret of the host')
    let swapping = true
    const swap = (): void => {
      if (!swapping) return
      for (const target of [bad, good]) {
        rmSync(`${path}.new`, { force: true })
        symlinkSync(target, `${path}.new`)
        renameSync(`${path}.new`, path)
      }
      setImmediate(swap)
    }
    symlinkSync(good, path)
    swap()
    let copied = 0
    for (let round = 0; round < (IS_LONG ? 300 : 60); round += 1) {
      await stage([local(round % 2 === 0 ? path : join(path, 'file'))]).then(
        () => {
          copied += 1
          expect(read(round % 2 === 0 ? 'inputs/file' : 'inputs')).toBe('harmless')
        },
        (error: unknown) => expect(error).toMatchObject({ name: 'TaskError' }),
      )
    }
    swapping = false
    expect(copied).toBeGreaterThan(0)
  })

  test('too much is refused', async () => {
    writeFileSync(join(allowed, 'big'), Buffer.alloc(2_000_000))
    await expect(stage([local(join(allowed, 'big'))], { maxBytes: 1_999_999 })).rejects.toMatchObject({
      code: 'INPUT_TOO_LARGE',
    })
  })
})
