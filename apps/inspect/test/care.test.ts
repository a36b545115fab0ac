import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { type PageHeader, parseHeader, parseLeafNode, walkFile } from '@saltcod/store-lmdb/file'
import { beforeAll, describe, expect, test } from 'vitest'
import { useFixtureSession } from './fixture-session.ts'
import { startWriter } from './writing-process.ts'

interface Finding {
  readonly rule: string
}

interface Check {
  readonly findings: readonly Finding[]
  readonly counts: readonly unknown[]
}

const JOBS = 120
const PAGE_BYTES = 4_096
/** Where a page says where its first node is. */
const FIRST_SLOT = 24

const session = useFixtureSession()
const { run, at } = session
let large: string

beforeAll(async () => {
  large = join(session.fixture.directory, 'large.db')
  const store = await openLmdbJobStore({ path: large })
  await Promise.all(
    Array.from({ length: JOBS }, async (_, number) => {
      const jobId = `job-${number}`
      const pad = 'x'.repeat(number % 30 === 0 ? 9_000 : 300)
      await store.submitJob({ id: jobId, name: `name-${number}`, type: 'batch', spec: { pad } })
      await store.transitionJob({ jobId, to: 'Running' })
      await store.createExecution({ id: `exec-${number}`, jobId, nodeId: 'n-1', state: 'AskForBid' })
      if (number % 2 === 0) await store.transitionJob({ jobId, to: 'Completed' })
    }),
  )
  await store.close()
})

describe('copies', () => {
  test('a backup has all records, restore never overwrites', async () => {
    expect(await run('backup', 'large.db', 'large-backup.db')).toMatchObject({ status: 0, stderr: '' })
    expect(lstatSync(at('large-backup.db')).mode & 0o777).toBe(0o600)
    expect((await run('diff', 'large.db', 'large-backup.db')).status).toBe(0)
    expect((await run('restore', 'large-backup.db', 'restored.db')).status).toBe(0)
    expect((await run('check', 'restored.db')).status).toBe(0)
    const before = readFileSync(at('restored.db'))
    const again = await run('restore', 'large-backup.db', 'restored.db')
    expect(again.status).toBe(2)
    expect(again.stderr).toContain('exists; nothing is ever overwritten')
    expect(readFileSync(at('restored.db')).equals(before)).toBe(true)
  })

  test('a backup is restored where a damaged store was moved away, beside all that it left', async () => {
    const directory = join(session.fixture.directory, 'moved')
    mkdirSync(directory)
    const path = join(directory, 'jobs.db')
    const writer = await startWriter(path, 'busy', 1)
    await writer.kill()
    expect(readdirSync(directory).sort()).toEqual(['jobs.db', 'jobs.db-lock', 'jobs.db.owner'])
    renameSync(path, join(directory, 'damaged.db'))
    expect(await run('restore', 'large.db', 'moved/jobs.db')).toMatchObject({ status: 0, stderr: '' })
    expect((await run('check', 'moved/jobs.db')).status).toBe(0)
    const notices: string[] = []
    const store = await openLmdbJobStore({ path, onNotice: ({ code }) => void notices.push(code) })
    expect((await store.getJob('job-1'))?.id).toBe('job-1')
    await store.close()
    expect(notices).toEqual([])
    expect((await run('diff', 'moved/jobs.db', 'large.db')).status).toBe(0)
  })

  test.each([
    ['an owner', false],
    ['a reader', true],
  ])('nothing is put in the place of a store that %s still has open', async (what, readOnly) => {
    const directory = join(session.fixture.directory, `used by ${what}`)
    mkdirSync(directory)
    const path = join(directory, 'jobs.db')
    copyFileSync(large, path)
    const store = await openLmdbJobStore({ path, readOnly })
    renameSync(path, join(directory, 'moved.db'))
    const before = readdirSync(directory)
    for (const command of [
      ['restore', 'large.db', path],
      ['salvage', 'large.db', path],
    ]) {
      const refused = await run(...command)
      expect(refused.status, refused.stderr).toBe(2)
      expect(refused.stderr).toContain('whose file was moved away or removed')
    }
    expect(readdirSync(directory)).toEqual(before)
    await store.close()
    expect((await run('restore', 'large.db', path)).status).toBe(0)
  })

  test('an export imports into a sound store with the same records', async () => {
    expect((await run('export', 'large.db', 'large.ndjson', '--show-secrets')).status).toBe(0)
    expect((await run('import', 'large.ndjson', 'imported.db')).status).toBe(0)
    expect((await run('check', 'imported.db')).status).toBe(0)
    expect((await run('diff', 'large.db', 'imported.db')).status).toBe(0)
    expect((await run('export', 'large.db', 'redacted.ndjson')).status).toBe(0)
    const refused = await run('import', 'redacted.ndjson', 'never.db')
    expect(refused).toMatchObject({ status: 2, stdout: '' })
    expect(existsSync(at('never.db'))).toBe(false)
  })

  test('compact leaves a sound, smaller file', async () => {
    expect((await run('compact', 'large.db', 'small.db')).status).toBe(0)
    expect(lstatSync(at('small.db')).size).toBeLessThan(lstatSync(large).size)
    expect((await run('check', 'small.db')).status).toBe(0)
    expect((await run('diff', 'large.db', 'small.db')).status).toBe(0)
  })

  test('diff names what changed', async () => {
    copyFileSync(large, at('changed.db'))
    const store = await openLmdbJobStore({ path: at('changed.db') })
    await store.transitionJob({ jobId: 'job-1', to: 'Failed' })
    await store.close()
    const { stdout, status } = await run(
      'diff',
      'large.db',
      'changed.db',
      '--bucket',
      'jobs',
      '--output',
      'json',
    )
    expect(status).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject([
      { key: 'job-1', what: 'changed', before: { s: 'Running' }, after: { s: 'Failed' } },
    ])
  })
})

test('where the newest meta page cannot be read, salvage, repair and check say that what is left is one commit behind, or may be', async () => {
  const damaged = (name: string, change: (bytes: Buffer, newest: number, older: number) => void): void => {
    const bytes = readFileSync(large)
    const second = bytes.readBigUInt64LE(PAGE_BYTES + 152) > bytes.readBigUInt64LE(152)
    change(bytes, second ? PAGE_BYTES : 0, second ? 0 : PAGE_BYTES)
    writeFileSync(at(name), bytes, { mode: 0o600 })
  }
  const flip = (bytes: Buffer, offset: number): void => {
    bytes[offset] = (bytes[offset] ?? 0) ^ 1
  }
  damaged('newest.db', (bytes, newest) => flip(bytes, newest + 24))
  damaged('older.db', (bytes, _newest, older) => flip(bytes, older + 24))
  damaged('lost.db', (bytes, newest) => bytes.fill(0, newest, newest + PAGE_BYTES))
  const behind = async (name: string) => {
    const { status, stdout } = await run('salvage', name, `${name}.saved`, '--output', 'json')
    return [status, (JSON.parse(stdout) as { isOneCommitBehind: unknown }).isOneCommitBehind]
  }
  expect(await behind('newest.db')).toEqual([1, true])
  expect(await behind('older.db')).toEqual([0, false])
  expect(await behind('lost.db')).toEqual([1, null])
  expect((await run('salvage', 'newest.db', 'again.db')).stdout).toContain('is one commit behind')
  for (const [name, says] of [
    ['newest.db', /what can be read is one commit behind/],
    ['lost.db', /what can be read may be one commit behind/],
  ] as const) {
    const repaired = await run('repair', name, `${name}.repaired`)
    expect(repaired).toMatchObject({ status: 3, stderr: expect.stringMatching(says) })
    expect(repaired.stderr).toContain(`salvage ${at(name)} TARGET`)
    expect((await run('check', name)).stdout).toMatch(says)
  }
  expect((await run('repair', 'older.db', 'older.repaired')).stderr).not.toContain('behind')
})

/** The pages that the tree of some table reaches. */
function* reachedPages(bytes: Buffer): Generator<{ start: number; header: PageHeader; page: Buffer }> {
  const walk = walkFile(large, { problem: () => undefined, lost: () => undefined })
  let step = walk.next()
  while (step.done !== true) step = walk.next()
  for (const [number, reached] of (step.value?.seen ?? new Uint8Array()).entries()) {
    const start = number * PAGE_BYTES
    const page = bytes.subarray(start, start + PAGE_BYTES)
    const header = reached === 1 ? parseHeader(page, number) : ''
    if (typeof header !== 'string' && header.kind !== 'overflow') yield { start, header, page }
  }
}

test('repair refuses a page that has lost rows, which LMDB would pass over without a word', async () => {
  const bytes = readFileSync(large)
  const leaf = [...reachedPages(bytes)].find(({ header }) => header.kind === 'leaf' && header.count > 9)
  const lower = (leaf?.start ?? 0) + 20
  bytes.writeUInt16LE(bytes.readUInt16LE(lower) - 6, lower)
  writeFileSync(at('thinned.db'), bytes, { mode: 0o600 })
  const refused = await run('repair', 'thinned.db', 'thinned-repaired.db')
  expect(refused).toMatchObject({ status: 3, stdout: '' })
  expect(refused.stderr).toContain(`salvage ${at('thinned.db')} TARGET`)
})

test('salvage says of a damaged record that a copy of it was found apart', async () => {
  const bytes = readFileSync(large)
  // The way to some rows of each table is lost, and of the others some are damaged.
  for (const { header, page } of reachedPages(bytes)) {
    const first = header.kind === 'leaf' ? parseLeafNode(page, 0) : ''
    if (header.kind === 'branch') page.writeUInt16LE(0xffff, FIRST_SLOT)
    else if (typeof first !== 'string' && !first.isTree && Buffer.isBuffer(first.value))
      first.value.fill(0, Math.max(0, first.value.length - 4))
  }
  writeFileSync(at('worn.db'), bytes, { mode: 0o600 })
  const { status, stdout } = await run('salvage', 'worn.db', 'worn-saved.db', '--output', 'json')
  expect(status).toBe(1)
  const { rows } = JSON.parse(stdout) as { rows: { table: string; key: string; reason: string }[] }
  const kept = (await run('export', 'worn-saved.db')).stdout
  const damaged = rows
    .filter(({ reason }) => reason.startsWith('the record fails its checksum'))
    .map(({ table, key, reason }) => ({
      isThere: kept.includes(`"table":"${table}","key":"${key}"`),
      isFoundApart: reason.includes('found apart'),
    }))
  expect(damaged).toContainEqual({ isThere: true, isFoundApart: true })
  expect(damaged).not.toContainEqual({ isThere: true, isFoundApart: false })
})

test('repair rebuilds indexes and counters that are gone, in place with the old file kept', async () => {
  const { openLmdbKv } = await import('@saltcod/store-lmdb')
  const { STORE_TABLES } = await import('@saltcod/store-core/backend')
  copyFileSync(large, at('bare.db'))
  const kv = await openLmdbKv({ path: at('bare.db'), tables: STORE_TABLES })
  await kv.write((rows) => {
    for (const key of rows.keys('index', { limit: 900 })) rows.remove('index', key)
    for (const key of rows.keys('counters', { limit: 900 })) rows.remove('counters', key)
  })
  await kv.close()
  const check = await run('check', 'bare.db', '--output', 'json')
  expect(check.status).toBe(1)
  const rules = new Set((JSON.parse(check.stdout) as Check).findings.map(({ rule }) => rule))
  expect(rules).toContain('record-without-index')
  expect(await run('repair', 'bare.db', '--in-place')).toMatchObject({ status: 0, stderr: '' })
  expect((await run('check', 'bare.db')).status).toBe(0)
  expect((await run('diff', 'bare.db', 'large.db')).status).toBe(0)
  const beside = readdirSync(session.fixture.directory).filter((name) => name.startsWith('bare.db'))
  expect(beside.sort()).toEqual(['bare.db', 'bare.db-lock', 'bare.db.before-repair', 'bare.db.owner'])
})
