import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openLmdbJobStore, readStoreMark } from '../../src/index.ts'

const PAGE_BYTES = 4_096
const LAST_PAGE_OFFSET = 144

test('a store is told from a file that says that it has far more pages than there are', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  await (await openLmdbJobStore({ path })).close()
  const sound = readStoreMark(path)
  expect(sound.storeId).toBeTypeOf('string')
  const bytes = readFileSync(path)
  for (const page of [0, 1]) {
    const place = page * PAGE_BYTES + LAST_PAGE_OFFSET + 4
    bytes[place] = (bytes[place] ?? 0) ^ 2
  }
  writeFileSync(path, bytes)
  expect(readStoreMark(path)).toEqual(sound)
})
