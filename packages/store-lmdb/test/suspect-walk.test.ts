import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { DataFile, findCommit, parseHeader } from '../src/file/index.ts'
import { openLmdbJobStore, openLmdbKv } from '../src/index.ts'
import { makeStore, TABLES } from './bad-file.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const PAGE_BYTES = 4_096

/** Swaps two pages of rows that lie beside each other, as a disk does that writes to the wrong place. */
function swapLeaves(path: string): void {
  const file = new DataFile(path)
  const commit = findCommit(file)
  if (typeof commit === 'string') throw new Error(commit)
  const leaves: number[] = []
  for (let page = 2; page <= commit.meta.lastPage && leaves.length < 2; page += 1) {
    const header = parseHeader(file.read(page * PAGE_BYTES, PAGE_BYTES), page)
    if (typeof header !== 'string' && header.kind === 'leaf' && header.count > 3) leaves.push(page)
  }
  file.close()
  const [first = 0, second = 0] = leaves.map((page) => page * PAGE_BYTES)
  const bytes = readFileSync(path)
  const kept = Buffer.from(bytes.subarray(first, first + PAGE_BYTES))
  bytes.copy(bytes, first, second, second + PAGE_BYTES)
  kept.copy(bytes, second)
  writeFileSync(path, bytes)
}

test('a file in which a damaged record was found is walked before it is served', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const mark = 'a mark that stands in one record alone'
  const store = await openLmdbJobStore({ path })
  const { job } = await store.submitJob({ type: 'batch', spec: { mark } })
  for (let n = 0; n < 300; n++) await store.submitJob({ type: 'batch', spec: { n } })
  await store.close()
  const bytes = readFileSync(path)
  const at = bytes.lastIndexOf(mark)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)

  const damaged = await openLmdbJobStore({ path })
  await expect(damaged.getJob(job.id)).rejects.toMatchObject({ code: 'RECORD_CORRUPT' })
  await damaged.close()
  // The pages are sound, so a single record keeps nobody out.
  const again = await openLmdbJobStore({ path })
  expect((await again.listQuarantine()).length).toBe(1)
  await again.close()
  swapLeaves(path)
  await expect(openLmdbJobStore({ path })).rejects.toMatchObject({
    code: 'STORE_DAMAGED',
    message: expect.stringMatching(/says that it is page \d+/),
  })
})

test('a reading that goes from key to key ends where pages lie in each other’s place', async () => {
  for (const reverse of [false, true]) {
    const path = join(temporaryDirectory(), 'jobs.db')
    await makeStore(path)
    swapLeaves(path)
    const store = await openLmdbKv({ path, tables: TABLES, readOnly: true })
    const readWhole = (): number => {
      let rows = 0
      let last: Uint8Array | undefined
      for (;;) {
        const bound = last === undefined ? {} : reverse ? { lt: last } : { gt: last }
        const keys = store.read((snapshot) => snapshot.keys('alpha', { ...bound, reverse, limit: 7 }))
        rows += keys.length
        last = keys.at(-1)
        if (last === undefined) return rows
        expect(rows).toBeLessThan(10_000)
      }
    }
    try {
      readWhole()
    } catch (error) {
      expect(error).toMatchObject({ code: 'STORE_DAMAGED' })
    }
    await store.close()
  }
})
