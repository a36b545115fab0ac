import { copyFileSync, existsSync, lstatSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Fixture, inspect, inspectJson, makeFixture } from './fixture.ts'

// Each run of the program is a process of its own, and a busy machine has little time for it.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

interface Finding {
  readonly rule: string
}

interface Check {
  readonly findings: readonly Finding[]
  readonly counts: readonly unknown[]
}

const PAGE_BYTES = 4_096
const JOBS = 120

let fixture: Fixture
let large: string
let used: number

beforeAll(async () => {
  fixture = await makeFixture()
  large = join(fixture.directory, 'large.db')
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
  const bytes = readFileSync(large)
  used = Math.max(...[0, PAGE_BYTES].map((page) => Number(bytes.readBigUInt64LE(page + 144))))
})

afterAll(() => fixture.remove())

function run(...args: readonly string[]) {
  return inspect(fixture.directory, ...args)
}

function at(name: string): string {
  return join(fixture.directory, name)
}

describe('copies', () => {
  test('a backup has all records, restore never overwrites', () => {
    expect(run('backup', 'large.db', 'large-backup.db')).toMatchObject({ status: 0, stderr: '' })
    expect(lstatSync(at('large-backup.db')).mode & 0o777).toBe(0o600)
    expect(run('diff', 'large.db', 'large-backup.db').status).toBe(0)
    expect(run('restore', 'large-backup.db', 'restored.db').status).toBe(0)
    expect(run('check', 'restored.db').status).toBe(0)
    const before = readFileSync(at('restored.db'))
    const again = run('restore', 'large-backup.db', 'restored.db')
    expect(again.status).toBe(2)
    expect(again.stderr).toContain('exists; nothing is ever overwritten')
    expect(readFileSync(at('restored.db')).equals(before)).toBe(true)
  })

  test('an export imports into a sound store with the same records', () => {
    expect(run('export', 'large.db', 'large.ndjson', '--show-secrets').status).toBe(0)
    expect(run('import', 'large.ndjson', 'imported.db').status).toBe(0)
    expect(run('check', 'imported.db').status).toBe(0)
    expect(run('diff', 'large.db', 'imported.db').status).toBe(0)
    expect(run('export', 'large.db', 'redacted.ndjson').status).toBe(0)
    const refused = run('import', 'redacted.ndjson', 'never.db')
    expect(refused).toMatchObject({ status: 2, stdout: '' })
    expect(existsSync(at('never.db'))).toBe(false)
  })

  test('compact leaves a sound, smaller file', () => {
    expect(run('compact', 'large.db', 'small.db').status).toBe(0)
    expect(lstatSync(at('small.db')).size).toBeLessThan(lstatSync(large).size)
    expect(run('check', 'small.db').status).toBe(0)
    expect(run('diff', 'large.db', 'small.db').status).toBe(0)
  })

  test('diff names what changed', async () => {
    copyFileSync(large, at('changed.db'))
    const store = await openLmdbJobStore({ path: at('changed.db') })
    await store.transitionJob({ jobId: 'job-1', to: 'Failed' })
    await store.close()
    const { stdout, status } = run('diff', 'large.db', 'changed.db', '--bucket', 'jobs', '--output', 'json')
    expect(status).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject([
      { key: 'job-1', what: 'changed', before: { s: 'Running' }, after: { s: 'Failed' } },
    ])
  })
})

describe('damage', () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  let random = seed

  /** A number from 0 below `end` (Numerical Recipes' linear congruential generator). */
  function below(end: number): number {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((random / 2 ** 32) * end)
  }

  const mutations: readonly (readonly [string, (bytes: Buffer, path: string) => void])[] = [
    ...Array.from({ length: 4 }, () => ['a flipped bit', flipBit] as const),
    ...Array.from({ length: 3 }, () => ['a zeroed page', zeroPage] as const),
    ...Array.from({ length: 3 }, () => ['a cut tail', cutTail] as const),
  ]

  function flipBit(bytes: Buffer): void {
    const place = below((used + 1) * PAGE_BYTES)
    bytes[place] = (bytes[place] ?? 0) ^ (1 << below(8))
  }

  function zeroPage(bytes: Buffer): void {
    const page = 2 + below(used - 1)
    bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  }

  function cutTail(_: Buffer, path: string): void {
    truncateSync(path, 2 * PAGE_BYTES + below((used - 2) * PAGE_BYTES))
  }

  for (const [index, [what, mutate]] of mutations.entries()) {
    test(`${what} (${index}, seed ${seed}): check tells of it where it changes an answer, salvage makes a sound store`, () => {
      const path = at(`damaged-${index}.db`)
      const bytes = readFileSync(large)
      writeFileSync(path, bytes)
      mutate(bytes, path)
      if (mutate !== cutTail) writeFileSync(path, bytes)
      const answer = (store: string): string => run('jobs', store, '--all', '--output', 'ndjson').stdout
      const check = run('check', path, '--output', 'json')
      expect([0, 1, 3]).toContain(check.status)
      const { findings } = JSON.parse(check.stdout) as Check
      expect(findings.length > 0).toBe(check.status !== 0)
      if (check.status === 0) expect(answer(path)).toBe(answer(large))
      const salvaged = run('salvage', path, `salvaged-${index}.db`, '--output', 'json')
      expect({ status: salvaged.status, stderr: salvaged.stderr }).toEqual({ status: 0, stderr: '' })
      expect(inspectJson<Check>(fixture.directory, 'check', `salvaged-${index}.db`).findings).toEqual([])
    })
  }

  test('a file that no meta page describes is unreadable, in one clear line', () => {
    writeFileSync(at('zeros.db'), Buffer.alloc(16 * PAGE_BYTES))
    writeFileSync(at('words.db'), 'not a store\n')
    for (const [name, message] of [
      ['zeros.db', 'zeros'],
      ['words.db', 'is a text file'],
    ] as const) {
      const read = run('jobs', name)
      expect({ status: read.status, stdout: read.stdout }).toEqual({ status: 3, stdout: '' })
      expect(read.stderr).toContain(message)
      expect(run('check', name, '--output', 'json').status).toBe(3)
      expect(run('salvage', name, `of-${name}`).status).toBe(3)
    }
  })
})

test('repair rebuilds indexes and counters that are gone, in place with the old file kept', async () => {
  const { openLmdbKv } = await import('@saltcod/store-lmdb')
  const { STORE_TABLES } = await import('@saltcod/store-core')
  copyFileSync(large, at('bare.db'))
  const kv = await openLmdbKv({ path: at('bare.db'), tables: STORE_TABLES })
  await kv.write((rows) => {
    for (const key of rows.keys('index', { limit: 900 })) rows.remove('index', key)
    for (const key of rows.keys('counters', { limit: 900 })) rows.remove('counters', key)
  })
  await kv.close()
  const check = run('check', 'bare.db', '--output', 'json')
  expect(check.status).toBe(1)
  const rules = new Set((JSON.parse(check.stdout) as Check).findings.map(({ rule }) => rule))
  expect(rules).toContain('record-without-index')
  expect(run('repair', 'bare.db', '--in-place')).toMatchObject({ status: 0, stderr: '' })
  expect(run('check', 'bare.db').status).toBe(0)
  expect(run('diff', 'bare.db', 'large.db').status).toBe(0)
  expect(existsSync(at('bare.db.before-repair'))).toBe(true)
})
