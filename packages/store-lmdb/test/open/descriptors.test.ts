import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { openLmdbKv } from '../../src/index.ts'

const SCRIPT = fileURLToPath(new URL('./descriptors-process.mjs', import.meta.url))

test('a process with as many files open as it may have refuses or goes on, and LMDB does not end it', () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const limited = ['--nofile=300:300', process.execPath, SCRIPT, path]
  const lines = execFileSync('prlimit', limited, { encoding: 'utf8' }).trim().split('\n')
  const said = (what: string): string[] => lines.filter((line) => line.startsWith(`${what} `))
  expect(said('create')).toEqual(['create StoreError STORE_BUSY'])
  expect(said('rewrite')).toEqual(['rewrite done'])
  expect(said('again')).toEqual(['again done'])
  expect(said('write')).toEqual(['write done', 'write done'])
  expect(said('backup')).toEqual(['backup StoreError STORE_BUSY'])
  for (const line of said('rewrites')) expect(line).toMatch(/^rewrites (done|StoreError STORE_BUSY)$/)
  expect(lines).toContain('recovered')
  expect(said('close')).toEqual(['close done'])
  expect(said('open')).toEqual(['open StoreError STORE_BUSY'])
  expect(said('read')).toEqual(['read StoreError STORE_BUSY'])
  expect(said('rows')).toEqual(['rows 502'])
})

const opened = (): number => readdirSync('/proc/self/fd').length

test.runIf(process.platform === 'linux')('a store that is closed gives back all that it held', async () => {
  const directory = temporaryDirectory()
  const options = { path: join(directory, 'jobs.db'), tables: ['alpha'] }
  const reading = { ...options, readOnly: true }
  // The first one loads what stays.
  await (await openLmdbKv(options)).close()
  const before = opened()
  const store = await openLmdbKv(options)
  const held = opened()
  const reader = await openLmdbKv(reading)
  for (let round = 0; round < 3; round += 1) await store.capabilities.rewrite?.()
  expect(reader.read((snapshot) => snapshot.keys('alpha', { limit: 1 }))).toEqual([])
  // What has no name any more is closed without being waited for.
  while (opened() > held) await new Promise((resolve) => setImmediate(resolve))
  expect(opened()).toBe(held)
  await reader.close()
  await store.close()
  const alone = await openLmdbKv({ ...reading, scratchDirectory: directory, maxResidentBytes: 0 })
  for (let round = 0; round < 3; round += 1) alone.read((snapshot) => snapshot.keys('alpha', { limit: 1 }))
  await alone.close()
  const full = openLmdbKv({ ...options, path: join(directory, 'full.db'), quotaBytes: 1 })
  await expect(full).rejects.toMatchObject({ code: 'STORE_FULL' })
  expect(opened()).toBe(before)
})
