import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { DataFile, readLargeValue } from '../../src/file/index.ts'

const PAGE_BYTES = 4_096
const HEADER_BYTES = 24

test('a value with pages of its own is read behind the header of the first; of a damaged length nothing is', () => {
  const path = join(temporaryDirectory(), 'data')
  const bytes = Buffer.alloc(4 * PAGE_BYTES, 'x')
  bytes.fill('v', PAGE_BYTES + HEADER_BYTES, PAGE_BYTES + HEADER_BYTES + 5_000)
  writeFileSync(path, bytes)
  const file = new DataFile(path)
  onTestFinished(() => file.close())
  expect(readLargeValue(file, PAGE_BYTES, { page: 1, pages: 2, bytes: 5_000 })).toEqual(
    Buffer.alloc(5_000, 'v'),
  )
  for (const place of [
    { page: 1, pages: 1_048_576, bytes: 0xffff_ffff },
    { page: 3, pages: 1, bytes: PAGE_BYTES },
    { page: 0xffff_ffff, pages: 1, bytes: 1 },
  ]) {
    expect(readLargeValue(file, PAGE_BYTES, place)).toBe(null)
  }
})
