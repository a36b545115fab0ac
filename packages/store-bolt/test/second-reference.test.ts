import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkBolt, openBoltFile } from '@saltcod/store-bolt'
import { expect, test } from 'vitest'
import { boltPage, type ElementToWrite, metaPage } from '../../../test/bolt-writer.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

const PAGE = 4096

/** A file whose pages behind the meta pages are given, the root of all first. */
function fileOf(pages: readonly (readonly ElementToWrite[])[]): string {
  const count = pages.length + 2
  const metas = [0, 1].map((page) =>
    metaPage(page, PAGE, {
      root: 2,
      freeList: 0xffff_ffff_ffff_ffffn,
      pageCount: count,
      transaction: BigInt(page),
    }),
  )
  const path = join(temporaryDirectory(), 'made.db')
  writeFileSync(
    path,
    Buffer.concat([...metas, ...pages.map((rows, index) => boltPage(index + 2, rows, 'leaf', PAGE))]),
  )
  return path
}

function bucketRow(key: string, root: number, inline: Buffer = Buffer.alloc(0)): ElementToWrite {
  const header = Buffer.alloc(16)
  header.writeBigUInt64LE(BigInt(root))
  return { key: Buffer.from(key), value: Buffer.concat([header, inline]), isBucket: true, page: 0 }
}

const VALUE: ElementToWrite = { key: Buffer.from('k'), value: Buffer.from('v'), isBucket: false, page: 0 }

/** Reads all rows of all buckets. Returns how many there are, and what was wrong. */
async function walked(path: string): Promise<{ readonly rows: number; readonly damage: readonly string[] }> {
  const file = await openBoltFile(path)
  const damage: string[] = []
  let rows = 0
  await file.read(({ root }) => {
    const open = [root]
    for (let bucket = open.pop(); bucket !== undefined; bucket = open.pop()) {
      for (const row of bucket.rows({ onDamage: ({ what }) => damage.push(what) })) {
        rows += 1
        if (row.bucket !== null) open.push(row.bucket)
      }
    }
  })
  await file.close()
  return { rows, damage }
}

async function checked(path: string): Promise<readonly string[]> {
  const file = await openBoltFile(path)
  const { findings } = await file.read((snapshot) => checkBolt(snapshot))
  await file.close()
  return findings.map(({ what }) => what)
}

test('a bucket that many rows lead to is read once, however many ways there are', async () => {
  // 50 rows on each of 20 pages lead to the next: 50 to the 20th ways to the last.
  const levels = Array.from({ length: 20 }, (_, level) =>
    Array.from({ length: 50 }, (__, row) => bucketRow(`b${String(row).padStart(2, '0')}`, level + 3)),
  )
  const { rows, damage } = await walked(fileOf([...levels, [VALUE]]))
  expect(rows).toBe(21)
  expect(damage).toHaveLength(20 * 49)
  expect(damage[0]).toContain('has the root page')
})

test('an inline bucket that has lost count of its rows is damage, whatever is left of them', async () => {
  const inline = boltPage(0, [VALUE], 'leaf', null)
  expect(await checked(fileOf([[bucketRow('a', 0, inline)]]))).toEqual([])
  inline.writeUInt16LE(0, 10)
  expect(await checked(fileOf([[bucketRow('a', 0, inline)]]))).toEqual([
    expect.stringMatching(/has an inline bucket in which \d+ bytes belong to nothing/),
  ])
})

test('a bucket in an inline bucket, which BoltDB never writes, is damage to every reader', async () => {
  let inline = boltPage(0, [VALUE], 'leaf', null)
  for (let level = 0; level < 40; level += 1) inline = boltPage(0, [bucketRow('n', 0, inline)], 'leaf', null)
  const path = fileOf([[bucketRow('a', 0, inline)]])
  expect(await walked(path)).toEqual({
    rows: 1,
    damage: [expect.stringContaining('inline bucket 0x61 has a bucket')],
  })
  expect(await checked(path)).toContainEqual(expect.stringContaining('inline bucket with a bucket in it'))
})
