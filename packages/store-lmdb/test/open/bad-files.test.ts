import {
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isStoreError } from '@saltcod/store-core'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { openLmdbKv, probeLmdbStore } from '../../src/index.ts'
import { BAD_FILES, isRoot, makeStore, TABLES } from '../bad-file.ts'

function contents(directory: string): Record<string, string> {
  if (!existsSync(directory) || !lstatSync(directory).isDirectory()) return {}
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return Object.fromEntries(
    names.map((name) => {
      const found = lstatSync(join(directory, name))
      const bytes = found.isFile()
        ? readFileSync(join(directory, name)).toString('base64')
        : String(found.mode)
      return [name, bytes]
    }),
  )
}

async function openingOf(path: string, readOnly: boolean): Promise<unknown> {
  try {
    const store = await openLmdbKv({ path, tables: TABLES, readOnly })
    await store.close()
    return undefined
  } catch (error) {
    return error
  }
}

describe.each([
  { mode: 'for writing', readOnly: false },
  { mode: 'for reading', readOnly: true },
])('$mode, a bad file is refused with a clear error and left as it was', ({ readOnly }) => {
  test.each(BAD_FILES)('$name', async ({ code, says, make }) => {
    const parent = temporaryDirectory()
    const path = join(parent, 'data', 'jobs.db')
    mkdirSync(dirname(path))
    await make(path)
    const before = contents(dirname(path))
    const error = await openingOf(path, readOnly)
    if (code === '') expect(isStoreError(error, 'STORE_FOREIGN', 'STORE_DAMAGED')).toBe(true)
    else expect(error).toMatchObject({ code })
    expect((error as Error).message).toMatch(says)
    expect((error as Error).message).toContain(parent)
    const after = contents(dirname(path))
    if (says.source.startsWith('test process')) ignoreTheOwnerDirectory(before, after)
    expect(Object.keys(after)).toEqual(Object.keys(before))
    expect(after).toEqual(before)
  })
})

/** What only a test process finds out is found out under the owner lock. */
function ignoreTheOwnerDirectory(...listings: Record<string, string>[]): void {
  for (const listing of listings) {
    for (const name of Object.keys(listing)) if (/\.owner|-lock/.test(name)) delete listing[name]
  }
}

test.runIf(isRoot)('a file of another user is refused, also for root', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  await makeStore(path)
  chownSync(path, 12_345, 12_345)
  const error = await openingOf(path, false)
  expect(error).toMatchObject({ code: 'STORE_PERMISSION' })
  expect((error as Error).message).toContain('12345')
  expect(await openingOf(path, true)).toBeUndefined()
})

test('a missing store is not made for a reader, nor where `create` is false', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'sub/jobs.db')
  expect(await openingOf(path, true)).toMatchObject({ code: 'STORE_NOT_FOUND' })
  const opened = openLmdbKv({ path, tables: TABLES, create: false })
  await expect(opened).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
  expect(readdirSync(directory)).toEqual([])
})

test('a look without LMDB refuses what it can see, and passes a sound store or none', async () => {
  const directory = temporaryDirectory()
  await makeStore(join(directory, 'jobs.db'))
  const before = contents(directory)
  probeLmdbStore(join(directory, 'jobs.db'))
  probeLmdbStore(join(directory, 'none.db'))
  probeLmdbStore(join(directory, 'none', 'none.db'))
  expect(() => probeLmdbStore(directory)).toThrow('is a directory')
  expect(contents(directory)).toEqual(before)
  truncateSync(join(directory, 'jobs.db'), 8_192)
  expect(() => probeLmdbStore(join(directory, 'jobs.db'))).toThrow('jobs.db')
})

test('a copy of a store opens', async () => {
  const directory = temporaryDirectory()
  await makeStore(join(directory, 'jobs.db'))
  copyFileSync(join(directory, 'jobs.db'), join(directory, 'copy.db'))
  expect(await openingOf(join(directory, 'copy.db'), true)).toBeUndefined()
  expect(await openingOf(join(directory, 'copy.db'), false)).toBeUndefined()
})
