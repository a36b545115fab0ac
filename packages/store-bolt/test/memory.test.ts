import { execFile } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { boltPage, type ElementToWrite, metaPage } from '../../../test/bolt-writer.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

const PAGE = 4096
const LEAVES = 8_200
const PAGES_PER_LEAF = 16
const CHILDREN = 100
const MOST_BYTES = 256 * 1024 * 1024

/** Writes a file of half a gigabyte, whose long values are holes: a leaf has a small bucket and a value of 60,000. */
function writeLarge(path: string): void {
  const file = openSync(path, 'w')
  const put = (page: number, bytes: Buffer) => writeSync(file, bytes, 0, PAGE, page * PAGE)
  const inline = Buffer.concat([Buffer.alloc(16), boltPage(0, [row('k', Buffer.from('v'))], 'leaf', null)])
  const value = Buffer.alloc(60_000)
  let level: ElementToWrite[] = []
  for (let leaf = 0; leaf < LEAVES; leaf += 1) {
    const page = 2 + leaf * PAGES_PER_LEAF
    const name = `j-${String(leaf).padStart(6, '0')}`
    const bucket = { ...row(name, inline), isBucket: true }
    put(page, boltPage(page, [bucket, row(`${name}-value`, value)], 'leaf', PAGE))
    level.push({ ...row(name), page })
  }
  let next = 2 + LEAVES * PAGES_PER_LEAF
  while (level.length > 1) {
    const above: ElementToWrite[] = []
    for (let first = 0; first < level.length; first += CHILDREN) {
      const children = level.slice(first, first + CHILDREN)
      put(next, boltPage(next, children, 'branch', PAGE))
      above.push({
        key: children[0]?.key ?? Buffer.alloc(0),
        value: Buffer.alloc(0),
        isBucket: false,
        page: next,
      })
      next += 1
    }
    level = above
  }
  const many = Buffer.alloc(16)
  many.writeBigUInt64LE(BigInt(level[0]?.page ?? 0))
  put(next, boltPage(next, [{ ...row('many', many), isBucket: true }], 'leaf', PAGE))
  const meta = { root: next, freeList: 2n ** 64n - 1n, pageCount: next + 1, transaction: 2n }
  for (const page of [0, 1]) put(page, metaPage(page, PAGE, meta))
  ftruncateSync(file, (next + 1) * PAGE)
  closeSync(file)
}

function row(key: string, value: Buffer = Buffer.alloc(0)): ElementToWrite {
  return { key: Buffer.from(key), value, isBucket: false, page: 0 }
}

test('a file is read, checked and counted in less memory than it has', async () => {
  const path = join(temporaryDirectory(), 'large.db')
  writeLarge(path)
  expect(statSync(path).size).toBeGreaterThan(2 * MOST_BYTES)
  const reader = new URL('reading-process.mjs', import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, [reader, path])
  const { peakBytes, ...counts } = JSON.parse(stdout) as { readonly peakBytes: number }
  expect(counts).toEqual({ inPieces: 2 * LEAVES, atOnce: 2 * LEAVES, keys: 3 * LEAVES, findings: 0 })
  expect(peakBytes).toBeLessThan(MOST_BYTES)
})
