import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { isStoreError } from '@saltcod/store-core'
import type { KvStore } from '@saltcod/store-core/backend'
import { describe, expect, test, vi } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { openLmdbKv } from '../../src/index.ts'
import { BAD_FILES } from '../bad-file.ts'
import { StoreProcess } from '../store-process.ts'

vi.setConfig({ testTimeout: 120_000 })

const SCRIPT = fileURLToPath(new URL('../store-process.mjs', import.meta.url))
const TABLES = ['alpha', 'beta']
const KEY = Buffer.from('key')

/** A store that was closed in good order, with a row. */
async function closedStore(): Promise<{ path: string; scratch: string }> {
  const directory = temporaryDirectory()
  const [path, scratch] = [join(directory, 'store', 'jobs.db'), join(directory, 'scratch')]
  mkdirSync(scratch)
  const store = await openLmdbKv({ path, tables: TABLES })
  await store.write((rows) => rows.put('beta', KEY, Buffer.from('before')))
  await store.close()
  return { path, scratch }
}

async function openUnlocked(path: string, scratch: string): Promise<KvStore> {
  return await openLmdbKv({ path, tables: TABLES, readOnly: true, scratchDirectory: scratch })
}

/** What one sees of a store's directory from outside. */
function traces(path: string): string[] {
  const directory = join(path, '..')
  return readdirSync(directory)
    .map((name) => {
      const file = join(directory, name)
      const { mtimeMs, ctimeMs } = statSync(file)
      const bytes = name.endsWith('.owner') ? '' : readFileSync(file).toString('base64')
      return [name, mtimeMs, ctimeMs, bytes].join(' ')
    })
    .sort()
}

describe('whatever is wrong with a file, it is told by its own path', () => {
  test.each(BAD_FILES)('$name', async ({ make }) => {
    const [place, scratch] = [temporaryDirectory(), temporaryDirectory()]
    const path = join(place, 'data', 'jobs.db')
    mkdirSync(join(path, '..'))
    await make(path)
    const error: unknown = await openUnlocked(path, scratch).then(
      async (store) => await store.close(),
      (thrown: unknown) => thrown,
    )
    // Inspected whole: the cause, the hint and the details too.
    expect(inspect(error, { depth: 10 })).not.toContain(scratch)
    expect(readdirSync(scratch)).toEqual([])
  })
})

for (const hasLock of [true, false]) {
  test(`a store without an owner is read without a trace ${hasLock ? 'beside' : 'and without'} a lock file`, async () => {
    const { path, scratch } = await closedStore()
    if (!hasLock) rmSync(`${path}-lock`)
    const before = traces(path)
    for (let opening = 0; opening < 2; opening += 1) {
      const store = await openUnlocked(path, scratch)
      expect(store.read((rows) => String(rows.get('beta', KEY)))).toBe('before')
      expect(store.capabilities.statistics?.().tables).toContainEqual(
        expect.objectContaining({ table: 'beta', rows: 1 }),
      )
      await store.capabilities.backup?.(join(scratch, `copy-${opening}.db`))
      await store.close()
    }
    expect(traces(path)).toEqual(before)
    expect(readdirSync(scratch).sort()).toEqual(['copy-0.db', 'copy-1.db'])
  })
}

test('a file whose owner died is checked without a trace too', async () => {
  const { path, scratch } = await closedStore()
  const owner = new StoreProcess('own', path)
  await owner.line('open')
  await owner.kill()
  const before = traces(path)
  const store = await openUnlocked(path, scratch)
  expect(store.read((rows) => String(rows.get('beta', KEY)))).toBe('before')
  await store.close()
  expect(traces(path)).toEqual(before)
})

test('a reader follows an owner that starts after it, with the lock file from then on', async () => {
  const { path, scratch } = await closedStore()
  rmSync(`${path}-lock`)
  const store = await openUnlocked(path, scratch)
  expect(store.read((rows) => rows.keys('alpha', { limit: 10 }))).toEqual([])
  const writer = new StoreProcess('write', path)
  await writer.line('kept 200')
  const seen = readUntilUndisturbed(store, (rows) => rows.keys('alpha', { limit: 10_000 }).length)
  expect(seen).toBeGreaterThan(150)
  expect(existsSync(`${path}-lock`)).toBe(true)
  expect(readdirSync(scratch)).toEqual([])
  for (let round = 0; round < 200; round += 1) {
    const keys = store.read((rows) => rows.keys('alpha', { limit: 10_000 }).length)
    expect(keys).toBeGreaterThanOrEqual(seen)
  }
  await writer.kill()
  await store.close()
})

function readUntilUndisturbed<T>(store: KvStore, body: Parameters<typeof store.read<T>>[0]): T {
  try {
    return store.read(body)
  } catch (error) {
    if (!isStoreError(error, 'STORE_LOCKED')) throw error
    return store.read(body)
  }
}

test('what was read while an owner changed the store is refused', async () => {
  const { path, scratch } = await closedStore()
  const store = await openUnlocked(path, scratch)
  const write = `
    import { openLmdbKv } from '@saltcod/store-lmdb'
    const store = await openLmdbKv({ path: ${JSON.stringify(path)}, tables: ['alpha', 'beta'] })
    await store.write((rows) => rows.put('beta', Buffer.from('key'), Buffer.from('after')))
    await store.close()
  `
  const read = (): string =>
    store.read((rows) => {
      const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', write], {
        cwd: join(SCRIPT, '..'),
        encoding: 'utf8',
      })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      return String(rows.get('beta', KEY))
    })
  expect(read).toThrowError(expect.objectContaining({ code: 'STORE_LOCKED' }))
  expect(store.read((rows) => String(rows.get('beta', KEY)))).toBe('after')
  await store.close()
})
