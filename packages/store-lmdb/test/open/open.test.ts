import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { findLmdbOwner, openLmdbJobStore, openLmdbKv, probeLmdbStore } from '../../src/index.ts'

let directory: string

beforeEach(() => {
  directory = temporaryDirectory()
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
  const workspace = readFileSync(new URL('../../../../pnpm-workspace.yaml', import.meta.url), 'utf8')
  const store = await openLmdbKv({ path: join(directory, 'jobs.db'), tables: ['a'] })
  expect(store.capabilities.driver).toBe(`lmdb ${/^ +lmdb: (\S+)$/m.exec(workspace)?.[1]}`)
  await store.close()
})

test('options that are none are refused in words, and nothing is made', async () => {
  const path = join(directory, 'sub/jobs.db')
  const wrong: Readonly<Record<string, readonly unknown[]>> = {
    path: [undefined, null, 5, '', {}, Buffer.from('x'), 'a\0b'],
    readOnly: ['yes', 1, null],
    create: ['no', 0, null],
    quotaBytes: ['1', Number.NaN, -1, 1.5, null],
    lowSpaceBytes: ['1', Number.NaN, -1, null],
    mapBytes: ['1', Number.NaN, -1, null],
    onNotice: ['x', {}, null],
    nodeId: ['', ' ', 5, null],
    maxSpecBytes: ['1', Number.NaN, -1, 0, 1.5, null],
    clock: ['x', 5, null],
    steadyClock: ['x', 5, null],
  }
  for (const [name, values] of Object.entries(wrong)) {
    const words = new RegExp(name === 'nodeId' ? 'node id' : name)
    for (const value of values) {
      const options = { path, [name]: value }
      await expect(openLmdbJobStore(options as never), `${name}: ${String(value)}`).rejects.toThrow(words)
      await expect(openLmdbJobStore(options as never)).rejects.toBeInstanceOf(TypeError)
    }
  }
  for (const tables of [undefined, null, 'a', [5], ['']]) {
    await expect(openLmdbKv({ path, tables: tables as never })).rejects.toBeInstanceOf(TypeError)
  }
  await expect(openLmdbJobStore(undefined as never)).rejects.toThrow(/path/)
  await expect(findLmdbOwner(undefined as never)).rejects.toThrow(/path/)
  expect(() => {
    probeLmdbStore(5 as never)
  }).toThrow(/path/)
  expect(readdirSync(directory)).toEqual([])
})
