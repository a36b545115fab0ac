import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { boltBytes, sealMeta } from '../../../test/bolt-writer.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { IS_LONG } from '../../../test/seed.ts'
import { BOLT_FIXTURES, type ForeignFile, OFFICIAL } from '../../../test/shared-fixtures.ts'
import { sharedDirectory, temporaryDirectory } from '../../../test/temporary-directory.ts'

/** The official tool beside every file, rather than some. */

const session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
afterAll(() => session.close())
const directory = sharedDirectory({
  'some.db': boltBytes(
    {
      jobs: {
        sequence: 3n,
        rows: {
          'j-1': { rows: { spec: '{"Name":"nightly","Env":{"KEY":"secret-value"}}', note: 'two\nlines' } },
          'j-2': { rows: { spec: '{"Name":"hourly"}', deep: { rows: { key: 'value' } } } },
        },
      },
      [Buffer.from([0xff, 0x00]).toString('latin1')]: { rows: { a: Buffer.from([1, 2, 255]) } },
      empty: { rows: {} },
    },
    { free: 2 },
  ),
})
const run = (...args: readonly string[]) => session.run(args, { cwd: directory })
const linesOf = async (...args: readonly string[]) => (await run(...args)).stdout.split('\n').slice(0, -1)

describe('a BoltDB file, by the words of bbolt', () => {
  test('buckets lists names, of the root and of a bucket', async () => {
    expect(await linesOf('buckets', 'some.db')).toEqual(['empty', 'jobs', 'c3bf00'])
    expect(await linesOf('buckets', 'some.db', 'jobs')).toEqual(['j-1', 'j-2'])
    expect(await linesOf('buckets', 'some.db', 'jobs', 'j-2')).toEqual(['deep'])
    expect(JSON.parse((await run('buckets', 'some.db', '--output', 'json')).stdout)[1]).toEqual({
      bucket: 'jobs',
      sequence: 3,
    })
  })

  test('keys and get take a path of buckets, in arguments or with slashes', async () => {
    expect(await linesOf('keys', 'some.db', 'jobs')).toEqual(['j-1', 'j-2'])
    expect(await linesOf('keys', 'some.db', 'jobs', 'j-2')).toEqual(['deep', 'spec'])
    expect(await linesOf('keys', 'some.db', 'jobs/j-2/deep')).toEqual(['key'])
    expect(await linesOf('keys', 'some.db', 'jobs', '--format', 'hex')).toEqual(['6a2d31', '6a2d32'])
    expect(await linesOf('get', 'some.db', 'jobs', 'j-2', 'deep', 'key')).toEqual(['value'])
    expect(await linesOf('get', 'some.db', 'jobs/j-2/deep', '6b6579', '--parse-format', 'hex')).toEqual([
      'value',
    ])
    expect(await linesOf('get', 'some.db', '0xc3bf00', 'a', '--format', 'hex')).toEqual(['0102ff'])
    expect(await linesOf('get', 'some.db', 'jobs', 'j-1', 'note')).toEqual(['74776f0a6c696e6573'])
    expect(await linesOf('get', 'some.db', 'jobs', 'j-1', 'note', '--format', 'ascii-encoded')).toEqual([
      '"two\\nlines"',
    ])
  })

  test('a limit ends a listing, and its cursor goes on', async () => {
    const first = await run('keys', 'some.db', 'jobs', '--limit', '1')
    expect([first.stdout, first.stderr]).toEqual(['j-1\n', 'more: --cursor 0x6a2d31\n'])
    expect(await linesOf('keys', 'some.db', 'jobs', '--cursor', '0x6a2d31')).toEqual(['j-2'])
  })

  test('what is not there, and what has no value, is said with what to do', async () => {
    expect(await run('get', 'some.db', 'jobs', 'j-3')).toMatchObject({
      code: 1,
      stderr:
        'Error: there is no key j-3 in jobs\nHint: list the keys with saltcod-inspect keys some.db jobs\n',
    })
    expect(await run('get', 'some.db', 'jobs', 'j-1')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^Error: j-1 is a bucket in jobs, and has no value\nHint: .* keys some.db jobs j-1\n$/,
      ),
    })
    expect(await run('keys', 'some.db', 'nothing')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Error: there is no bucket nothing in some.db\n/),
    })
  })

  test.each([['compact'], ['salvage'], ['repair']])(
    '%s does not take it for a damaged store',
    async (verb) => {
      const { code, stderr } = await run(verb, 'some.db', 'made.db')
      expect({ code, stderr }).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/is a BoltDB file.*check/s),
      })
    },
  )

  test('secrets of a value of JSON are hidden unless they are asked for', async () => {
    const hidden = await run('get', 'some.db', 'jobs', 'j-1', 'spec')
    expect(hidden.stdout).toBe('{"Name":"nightly","Env":{"KEY":"[redacted]"}}\n')
    expect(hidden.stderr).toMatch(/--show-secrets/)
    expect((await run('get', 'some.db', 'jobs', 'j-1', 'spec', '--show-secrets')).stdout).toMatch(
      /secret-value/,
    )
    expect(await run('get', 'some.db', 'jobs', 'j-1', 'spec', '--format', 'hex')).toMatchObject({
      code: 2,
      stdout: '',
    })
    expect((await run('dump', 'some.db', '--all')).stdout).not.toMatch(/secret-value/)
  })

  test('dump prints every value, with those of nested buckets', async () => {
    const rows = JSON.parse((await run('dump', 'some.db', '--output', 'json')).stdout)
    expect(rows).toEqual([
      { bucket: 'jobs/j-1', key: 'note', value: '74776f0a6c696e6573' },
      { bucket: 'jobs/j-1', key: 'spec', value: { Name: 'nightly', Env: { KEY: '[redacted]' } } },
      { bucket: 'jobs/j-2/deep', key: 'key', value: 'value' },
      { bucket: 'jobs/j-2', key: 'spec', value: { Name: 'hourly' } },
      { bucket: expect.any(String), key: 'a', value: '0102ff' },
    ])
  })

  test('check says OK, or what is wrong and ends with 1', async () => {
    expect(await run('check', 'some.db')).toMatchObject({ code: 0, stdout: 'OK\n' })
    const bytes = readFileSync(join(directory, 'some.db'))
    const damaged = Buffer.from(bytes)
    damaged.fill(0, 2 * 4096, 3 * 4096)
    writeFileSync(join(directory, 'damaged.db'), damaged)
    const { code, stdout } = await run('check', 'damaged.db')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^page 2: says that it is page 0/m)
    expect(stdout).toMatch(/1 error found\n$/)
    expect(readFileSync(join(directory, 'damaged.db')).equals(damaged)).toBe(true)
  })

  test('a file of ours refuses what only a BoltDB file has', async () => {
    expect(await run('pages', join(directory, 'nothing.db'))).toMatchObject({ code: 2 })
  })
})

/** What the official tool said of a file, by its command: the recorded lines. */
function recorded({ folder, name, path }: ForeignFile): ReadonlyMap<string, readonly string[]> {
  const text = join(path.slice(0, -name.length), 'bbolt.txt')
  if (!existsSync(text)) throw new Error(`there is no bbolt.txt for ${folder}`)
  const [, part = ''] = readFileSync(text, 'utf8').split(`===== ${name}\n`)
  const [own = ''] = part.split(/^===== /m)
  return new Map(
    own.split(/^--- bbolt /m).map((section) => {
      const [command = '', ...lines] = section.split('\n')
      return [command, lines.slice(0, -1)]
    }),
  )
}

const recordedFixtures = BOLT_FIXTURES.filter(({ path, name }) =>
  existsSync(join(path.slice(0, -name.length), 'bbolt.txt')),
)

describe.runIf(recordedFixtures.length > 0)('what bbolt recorded of the files of Bacalhau', () => {
  test.each(recordedFixtures)('$folder $name', async (file) => {
    const before = statSync(file.path).mtimeMs
    for (const [command, lines] of recorded(file)) {
      const [verb = '', bucket, count] = command.split(/[ :]+/)
      if (verb === '') continue
      const ours = (await run(verb, file.path, ...(bucket === undefined ? [] : [bucket]))).stdout
        .split('\n')
        .slice(0, -1)
      if (verb === 'keys') {
        expect(ours.length, command).toBe(Number(count))
        expect(ours.slice(0, 40), command).toEqual(lines.slice(0, 40))
      } else if (verb === 'info') expect(ours[0]).toBe(lines[0])
      // The record lost the blanks at its end.
      else expect(ours.map(trimmed), command).toEqual(lines.map(trimmed))
    }
    expect(statSync(file.path).mtimeMs).toBe(before)
  })
})

describe.runIf(OFFICIAL !== null && BOLT_FIXTURES.length > 0)('the official bbolt says the same', () => {
  test.each(BOLT_FIXTURES.slice(0, IS_LONG ? undefined : 2))('$folder $name', async ({ path }) => {
    const theirs = (...args: readonly string[]) =>
      execFileSync(OFFICIAL ?? '', ['bbolt', ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    for (const verb of ['buckets', 'check', 'stats', 'pages']) {
      expect((await run(verb, path)).stdout, verb).toBe(theirs(verb, path))
    }
    for (const bucket of theirs('buckets', path).split('\n').slice(0, -1)) {
      const keys = theirs('keys', path, bucket)
      expect((await run('keys', path, bucket)).stdout, bucket).toBe(keys)
      const [first] = keys.split('\n')
      if (first === undefined || first === '') continue
      const value = await run('get', path, bucket, first, '--show-secrets')
      if (value.code === 0)
        expect(value.stdout).toBe(`${theirs('get', path, bucket, first).replace(/\n$/, '')}\n`)
    }
  })
})

test('info, stats and check tell of every store of a repository, and pass over one that cannot be read', async () => {
  const bytes = boltBytes({ jobs: { rows: { a: 'b' } }, idx_namespaces: { rows: {} } })
  const repository = temporaryDirectory()
  for (const role of ['orchestrator', 'compute']) {
    mkdirSync(join(repository, role))
    writeFileSync(join(repository, role, 'state_boltdb.db'), bytes)
  }
  const paths = ['orchestrator', 'compute'].map((role) => join(repository, role, 'state_boltdb.db'))
  for (const verb of ['info', 'stats', 'check']) {
    const { code, stdout } = await run(verb, repository)
    expect([verb, code, paths.map((path) => stdout.includes(path))]).toEqual([verb, 0, [true, true]])
    const alone = await run(verb, paths[0] ?? '')
    expect(stdout).toContain(alone.stdout.trimEnd())
    const json = JSON.parse((await run(verb, repository, '--output', 'json')).stdout)
    expect(json.files.map(({ path }: { path: string }) => path)).toEqual(paths)
  }
  const blank = Buffer.from(bytes)
  for (const page of [0, 4_096]) blank.fill(0xff, page + 32, page + 72)
  writeFileSync(paths[1] ?? '', blank)
  for (const verb of ['info', 'stats', 'check', 'summary']) {
    const { code, stdout, stderr } = await run(verb, repository)
    expect([verb, code, stdout.includes(paths[0] ?? '')]).toEqual([verb, 3, true])
    // Nothing saves what can be decoded of a file that is only read.
    expect(stderr).toMatch(
      /neither meta page can be trusted.*passed over\nHint: keep the file, and restore a copy of it/,
    )
    expect(stderr).not.toContain('salvage')
  }
})

test('of a damaged page it is said that the rest can be read, and of a value that is too long who prints it', async () => {
  const bytes = boltBytes({ jobs: { rows: { a: 'b', c: 'd' } } })
  const root = 2 + [2, 3].findIndex((page) => bytes.subarray(page * 4_096).includes('jobs'))
  // The value of its one element claims more than the page has.
  const torn = Buffer.from(bytes)
  torn.writeUInt32LE(0x7fff_ffff, root * 4_096 + 16 + 12)
  writeFileSync(join(directory, 'torn.db'), torn)
  const { code, stderr } = await run('get', 'torn.db', 'jobs', 'a')
  expect(code).toBe(3)
  expect(stderr).toMatch(/can still be read; saltcod-inspect check \S*torn\.db tells all that is wrong\n$/)
  const long = 300 * 1024 * 1024
  const path = join(directory, 'long.db')
  const whole = boltBytes({ jobs: { rows: { a: 'x'.repeat(10_000) }, inline: false } })
  writeFileSync(path, withLongValue(whole, long))
  truncateSync(path, whole.length + long + 4_096)
  const said = await run('get', 'long.db', 'jobs', 'a')
  expect([said.code, said.stdout]).toEqual([2, ''])
  expect(said.stderr).toMatch(
    /has 314572800 bytes\nHint: values of up to 267 MB are shown; bbolt get prints longer ones\n$/,
  )
})

/** The last page, which is the bucket's, becomes one with a value that goes on behind the end. */
function withLongValue(bytes: Buffer, long: number): Buffer {
  const changed = Buffer.from(bytes)
  const pages = Array.from({ length: bytes.length / 4_096 }, (_, page) => page * 4_096)
  const leaf =
    pages.find((at) => bytes.readUInt16LE(at + 8) === 2 && bytes.subarray(at, at + 4_096).includes('axxx')) ??
    0
  const end = Math.ceil((long + 4_096) / 4_096)
  changed.writeUInt32LE(end - 1, leaf + 12)
  changed.writeUInt32LE(long, leaf + 16 + 12)
  for (const meta of [changed.subarray(0), changed.subarray(4_096)]) {
    meta.writeBigUInt64LE(BigInt(leaf / 4_096 + end), 56)
    sealMeta(meta)
  }
  return changed
}

test('what makes a store of a store refuses a BoltDB file, and finds no damage in it', async () => {
  for (const verb of ['salvage', 'compact', 'repair', 'backup', 'restore']) {
    const { code, stdout, stderr } = await run(verb, 'some.db', 'target.db')
    expect([verb, code, stdout]).toEqual([verb, 2, ''])
    expect(stderr, verb).not.toMatch(/damaged|salvage|meta page/)
    expect(existsSync(join(directory, 'target.db'))).toBe(false)
  }
  expect((await run('compact', 'some.db', 'target.db')).stderr).toMatch(
    /some\.db is a BoltDB file, and no store of ours\nHint: /,
  )
})

test('a directory with one BoltDB store stands for it', async () => {
  const store = sharedName()
  expect((await run('check', dirname(store))).stdout).toBe('OK\n')
})

function sharedName(): string {
  const path = join(directory, 'state_boltdb.db')
  writeFileSync(path, boltBytes({ jobs: { rows: { a: 'b' } } }))
  return path
}

function trimmed(line: string): string {
  return line.trimEnd()
}
