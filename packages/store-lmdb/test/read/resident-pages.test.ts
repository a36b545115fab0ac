import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { openLmdbKv } from '../../src/index.ts'

const TABLES = ['alpha']
const ROWS = 20_000
const VALUE_BYTES = 2_000
const MEBIBYTE = 1024 * 1024

const keyOf = (n: number): Buffer => Buffer.from(String(n).padStart(8, '0'))
const mappedBytes = (): number => Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[2]) * 4_096

/** Reads every row in order, and returns by how much the mapped bytes had grown at most. */
async function readAll(path: string, maxResidentBytes: number | undefined): Promise<number> {
  const options = maxResidentBytes === undefined ? {} : { maxResidentBytes }
  const store = await openLmdbKv({ path, tables: TABLES, readOnly: true, ...options })
  const before = mappedBytes()
  let most = 0
  let after: Uint8Array | undefined
  for (let n = 0; n < ROWS; ) {
    const low = after === undefined ? {} : { gt: after }
    const rows = store.read((snapshot) => snapshot.range('alpha', { ...low, limit: 200 }))
    for (const { key, value } of rows) {
      expect(Buffer.compare(key, keyOf(n))).toBe(0)
      expect(value[0]).toBe(n % 256)
      n += 1
    }
    after = rows.at(-1)?.key
    most = Math.max(most, mappedBytes() - before)
  }
  await store.close()
  return most
}

test('a reader with a limit keeps little of a large store in its memory, and reads the same', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES })
  for (let first = 0; first < ROWS; first += 500) {
    await store.write((transaction) => {
      for (let n = first; n < first + 500; n += 1)
        transaction.put('alpha', keyOf(n), Buffer.alloc(VALUE_BYTES, n))
    })
  }
  await store.close()
  expect(await readAll(path, undefined)).toBeGreaterThan(30 * MEBIBYTE)
  expect(await readAll(path, 4 * MEBIBYTE)).toBeLessThan(12 * MEBIBYTE)
})
