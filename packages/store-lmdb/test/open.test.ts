import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { openLmdbKv } from '../src/index.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'store-lmdb-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const key = Buffer.from('k')

test('what was written is there after closing and opening again', async () => {
  const path = join(directory, 'sub/jobs.db')
  const store = await openLmdbKv({ path, tables: ['a', 'b'] })
  await store.write((transaction) => {
    transaction.put('a', key, Buffer.from('1'))
  })
  const both = await Promise.allSettled([
    store.write((transaction) => {
      transaction.put('a', key, Buffer.from('2'))
      throw new RangeError('no')
    }),
    store.write((transaction) => transaction.get('a', key)),
  ])
  expect(both[0]).toMatchObject({ status: 'rejected', reason: { message: 'no' } })
  expect(both[1]).toMatchObject({ status: 'fulfilled', value: Buffer.from('1') })
  await store.close()
  const again = await openLmdbKv({ path, tables: ['a', 'b'] })
  expect(again.read((snapshot) => snapshot.get('a', key))).toEqual(Buffer.from('1'))
  await expect(openLmdbKv({ path, tables: ['a', 'b'] })).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  const reader = await openLmdbKv({ path, tables: ['a', 'b', 'c'], readOnly: true })
  expect(reader.read((snapshot) => snapshot.range('a', { limit: 10 }))).toHaveLength(1)
  await expect(reader.write(() => 1)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' })
  expect(await again.capabilities.backup?.(join(directory, 'copy.db'))).toBe(
    statSync(join(directory, 'copy.db')).size,
  )
  await again.close()
  await reader.close()
})

test('the pinned lmdb is the one that is there, and it is named', async () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  const store = await openLmdbKv({ path: join(directory, 'jobs.db'), tables: ['a'] })
  expect(store.capabilities.driver).toBe(`lmdb ${manifest.dependencies['lmdb']}`)
  await store.close()
})
