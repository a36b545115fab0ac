import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { temporaryDirectory } from './temporary-directory.ts'

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
