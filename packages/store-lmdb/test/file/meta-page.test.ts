import {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { isStoreError } from '@saltcod/store-core'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { fileOf } from '../../src/file/owner-note.ts'
import { openLmdbKv } from '../../src/index.ts'
import { makeStore, TABLES } from '../bad-file.ts'
import { StoreProcess } from '../store-process.ts'

const PAGE_BYTES = 4_096
const TRANSACTION_OFFSET = 152

/** The numbers of the rows of a store, or why it was refused. */
async function rowsOf(path: string): Promise<readonly string[] | Error> {
  try {
    const store = await openLmdbKv({ path, tables: TABLES })
    const keys = store.read((snapshot) => snapshot.keys('alpha', { limit: 10_000 }))
    await store.close()
    return keys.map((key) => Buffer.from(key).toString())
  } catch (error) {
    if (!isStoreError(error)) throw error
    return error
  }
}

/** Changes one bit in place, as a failing disk does: neither the file's own times nor its place tell of it. */
function flip(path: string, offset: number, bit: number): void {
  const byte = (readFileSync(path)[offset] ?? 0) ^ (1 << bit)
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.of(byte), 0, 1, offset)
  closeSync(file)
}

/** Copies a store with the note of its owner, made to be about the copy. */
function copyOf(sound: string): string {
  const path = join(temporaryDirectory(), 'jobs.db')
  copyFileSync(sound, path)
  const [before, after] = [sound, path].map((file) => fileOf(statSync(file, { bigint: true })))
  const note = readFileSync(`${sound}.owner`, 'utf8')
  expect(note).toContain(` of ${before}`)
  writeFileSync(`${path}.owner`, note.replace(` of ${before}`, ` of ${after}`))
  return path
}

test('a bit of either number: what was acknowledged is there, or the store is refused', async () => {
  const sound = join(temporaryDirectory(), 'jobs.db')
  const writer = new StoreProcess('write', sound)
  await writer.count(40)
  await writer.kill()
  const rows = await rowsOf(sound)
  if (rows instanceof Error) throw rows
  let refused = 0
  for (const page of [0, 1]) {
    for (let bit = 0; bit < 64; bit += 1) {
      const path = copyOf(sound)
      flip(path, page * PAGE_BYTES + TRANSACTION_OFFSET + Math.floor(bit / 8), bit % 8)
      const found = await rowsOf(path)
      const what = `page ${page}, bit ${bit}`
      if (found instanceof Error) expect(found, what).toMatchObject({ code: 'STORE_DAMAGED' })
      else expect(found, what).toEqual(rows)
      refused += found instanceof Error ? 1 : 0
    }
  }
  expect(refused).toBeGreaterThan(100)
})

test('an older copy in the place of a store is refused, and accepted where its note is removed', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  await makeStore(path)
  const older = readFileSync(path)
  await makeStore(path)
  writeFileSync(path, older)
  const found = await rowsOf(path)
  expect(found).toMatchObject({ code: 'STORE_DAMAGED', message: expect.stringContaining(`${path}.owner`) })
  rmSync(`${path}.owner`)
  expect(await rowsOf(path)).toHaveLength(1_500)
})
