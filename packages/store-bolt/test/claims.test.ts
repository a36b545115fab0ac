import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type BoltDamage, boltPages, boltStatistics, checkBolt, openBoltFile } from '@saltcod/store-bolt'
import { expect, onTestFinished, test } from 'vitest'
import { boltPage, type ElementToWrite, metaPage } from '../../../test/bolt-writer.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

const NO_LIST = 2n ** 64n - 1n

interface Claims {
  readonly pageBytes?: number
  /** Pages that the file has, most of them holes. */
  readonly pageCount: number
  readonly freeList?: number
}

/** Opens a file with some pages, and holes for all others. */
async function opened(pages: readonly Buffer[], { pageBytes = 4096, pageCount, freeList }: Claims) {
  const path = join(temporaryDirectory(), 'claims.db')
  const descriptor = openSync(path, 'w')
  const meta = {
    ...{ root: 2, pageCount, freeList: freeList === undefined ? NO_LIST : BigInt(freeList) },
    transaction: 2n,
  }
  const metas = [0, 1].map((page) => metaPage(page, pageBytes, meta))
  for (const page of [...metas, ...pages])
    writeSync(descriptor, page, 0, page.length, Number(page.readBigUInt64LE(0)) * pageBytes)
  ftruncateSync(descriptor, pageCount * pageBytes)
  closeSync(descriptor)
  const file = await openBoltFile(path)
  onTestFinished(() => file.close())
  return file
}

function row(key: string, page = 0): ElementToWrite {
  return { key: Buffer.from(key), value: Buffer.alloc(0), isBucket: false, page }
}

function bucketRow(key: string, root: number): ElementToWrite {
  const value = Buffer.alloc(16)
  value.writeBigUInt64LE(BigInt(root))
  return { key: Buffer.from(key), value, isBucket: true, page: 0 }
}

/** A list of free pages of which the count alone is written. */
function freeList(page: number, overflow: number, count: number, pageBytes = 4096): Buffer {
  const bytes = Buffer.alloc(pageBytes)
  bytes.writeBigUInt64LE(BigInt(page), 0)
  bytes.writeUInt16LE(0x10, 8)
  bytes.writeUInt16LE(0xffff, 10)
  bytes.writeUInt32LE(overflow, 12)
  bytes.writeBigUInt64LE(BigInt(count), 16)
  return bytes
}

const numbered = (index: number): string => String(index).padStart(6, '0')

test('a file of 15 TB of holes is checked at once, and its pages are not listed', async () => {
  const pageCount = Math.floor(15e12 / 4096)
  const pages = [boltPage(2, [row('a')], 'leaf', 4096), freeList(3, 0, 0)]
  const file = await opened(pages, { pageCount, freeList: 3 })
  const report = await file.read((snapshot) => checkBolt(snapshot, { maxFindings: 3 }))
  expect(report.findingCount).toBe(pageCount - 4)
  expect(report.findings.map(({ page, what }) => `${page} ${what}`)).toEqual(
    [4, 5, 6].map((page) => `${page} unreachable unfreed`),
  )
  expect(await file.read(boltStatistics)).toMatchObject({ damageCount: 0 })
  await expect(file.read(boltPages)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
})

test('a list of free pages is given up where it is longer than the file, or a hole', async () => {
  const overflow = 2 ** 20
  const pageCount = overflow + 10
  const pages = [boltPage(2, [row('a')], 'leaf', 4096)]
  const claims: readonly (readonly [count: number, told: RegExp])[] = [
    [overflow * 512, /lists \d+ free pages of a file that has/],
    [pageCount, /lists more than 1000 pages/],
  ]
  for (const [count, told] of claims) {
    const file = await opened([...pages, freeList(3, overflow, count)], { pageCount, freeList: 3 })
    const { findings, findingCount } = await file.read((snapshot) =>
      checkBolt(snapshot, { maxFindings: 2_000 }),
    )
    expect(findings.at(-1)?.what).toMatch(told)
    expect(findingCount).toBeLessThanOrEqual(1_001)
  }
})

test('pages that all claim the same ones as their overflow are told once each', async () => {
  const [leaves, pageBytes] = [200, 512]
  const end = 1_000
  const pages = Array.from({ length: leaves }, (_, index) => {
    const page = boltPage(100 + index, [row(numbered(leaves - 1 - index))], 'leaf', pageBytes)
    page.writeUInt32LE(end - 101 - index, 12)
    return page
  })
  // The last one comes first: one that another has claimed by then is not even read.
  const children = pages.map((_, index) => row(numbered(index), 100 + leaves - 1 - index))
  const root = boltPage(end, children, 'branch', pageBytes)
  const first = boltPage(2, [bucketRow('many', end)], 'leaf', pageBytes)
  const file = await opened([first, ...pages, root], { pageBytes, pageCount: end + root.length / pageBytes })
  const { findings } = await file.read((snapshot) => checkBolt(snapshot))
  expect(findings).toHaveLength(leaves - 1)
})

test('of damage without end the first is named, and the rest is counted', async () => {
  const rows = Array.from({ length: 20_000 }, (_, index) => bucketRow(numbered(index), 3))
  const many = boltPage(4, rows, 'leaf', 4096)
  const pages = [
    boltPage(2, [bucketRow('many', 4)], 'leaf', 4096),
    boltPage(3, [row('a')], 'leaf', 4096),
    many,
  ]
  const file = await opened(pages, { pageCount: 4 + many.length / 4096 })
  const damage: BoltDamage[] = []
  let read = 0
  for await (const { values } of file.pieces(['many'], () => null, {
    onDamage: (found) => damage.push(found),
  }))
    read += values.length
  expect(read).toBe(1)
  expect(damage.length).toBeLessThanOrEqual(1_001)
  expect(damage.reduce((sum, { parts }) => sum + parts, 0)).toBe(19_999)
  const { damage: named, damageCount } = await file.read(boltStatistics)
  expect([named.length, damageCount]).toEqual([1_000, 19_999])
})

test('keys that are all the same are told once for their page', async () => {
  const rows = Array.from({ length: 5_000 }, () => row('k'))
  const many = boltPage(3, rows, 'leaf', 4096)
  const pages = [boltPage(2, [bucketRow('many', 3)], 'leaf', 4096), many]
  const file = await opened(pages, { pageCount: 3 + many.length / 4096 })
  const told: string[] = []
  await file.read((snapshot) => [
    ...(snapshot.bucket(['many'])?.rows({ onDamage: ({ what }) => told.push(what) }) ?? []),
  ])
  expect(told).toEqual(['the keys of page 3 are not in order'])
})

test('keys are read in pieces whatever the length of their values', async () => {
  const bytes = 2 ** 31 - 100
  const leaf = boltPage(3, [row('long')], 'leaf', 4096)
  const overflow = Math.ceil(bytes / 4096)
  leaf.writeUInt32LE(overflow, 12)
  leaf.writeUInt32LE(bytes, 16 + 12)
  const file = await opened([boltPage(2, [bucketRow('many', 3)], 'leaf', 4096), leaf], {
    pageCount: 4 + overflow,
  })
  for await (const { values } of file.keyPieces(['many']))
    expect(values).toEqual([{ key: Buffer.from('long'), isBucket: false }])
  await expect(file.read(({ root }) => root.bucket('many')?.get('long'))).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  })
})

test('a walk in pieces tells of a bucket to which no way leads', async () => {
  const file = await opened([boltPage(2, [bucketRow('circle', 2)], 'leaf', 4096)], { pageCount: 3 })
  const told: string[] = []
  const walk = (path: readonly string[]) =>
    file.pieces(path, () => null, { onDamage: ({ what }) => told.push(what) }).next()
  expect(await walk(['circle'])).toMatchObject({ done: true })
  expect(told).toEqual([expect.stringContaining('nested without end')])
  await expect(file.pieces(['circle'], () => null).next()).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
})

test('a bucket that two rows lead to is read once, however many others lie between them', async () => {
  // More buckets than any memory of the last ones would hold; their roots are one page each, all of them holes but
  // two.
  const between = 110_000
  const [pageBytes, most] = [512, 60_000]
  const names = Array.from({ length: between + 2 }, (_, index) => numbered(index))
  const rows = names.map((name, index) =>
    bucketRow(name, index === 0 || index === between + 1 ? 10 : 1_000_000 + index),
  )
  const pages: Buffer[] = [boltPage(10, [row('a')], 'leaf', pageBytes)]
  const children: ElementToWrite[] = []
  let next = 100
  for (let first = 0; first < rows.length; first += most) {
    const page = boltPage(next, rows.slice(first, first + most), 'leaf', pageBytes)
    pages.push(page)
    children.push(row(names[first] ?? '', next))
    next += page.length / pageBytes
  }
  const [root, top] = [
    boltPage(20, children, 'branch', pageBytes),
    boltPage(2, [bucketRow('many', 20)], 'leaf', pageBytes),
  ]
  const file = await opened([top, root, ...pages], { pageBytes, pageCount: 1_000_000 + between + 10 })
  const told: string[] = []
  const read = await file.read((snapshot) => {
    let buckets = 0
    for (const { bucket } of snapshot.bucket(['many'])?.rows({ onDamage: ({ what }) => told.push(what) }) ??
      [])
      if (bucket !== null) buckets += 1
    return buckets
  })
  expect(read).toBe(between + 1)
  expect(told).toEqual([expect.stringContaining('has the root page 10')])
})

test('a file that another one of the same transaction was written over is read again', async () => {
  const meta = (root: number) => ({ root, freeList: NO_LIST, pageCount: 4, transaction: 2n })
  const bytes = (root: number): Buffer =>
    Buffer.concat([
      ...[0, 1].map((page) => metaPage(page, 4096, meta(root))),
      boltPage(2, [row('before')], 'leaf', 4096),
      boltPage(3, [row('after')], 'leaf', 4096),
    ])
  const path = join(temporaryDirectory(), 'copied.db')
  writeFileSync(path, bytes(2))
  const file = await openBoltFile(path)
  onTestFinished(() => file.close())
  const keys = await file.read(({ root }) => {
    const found = [...root.keys()].map(({ key }) => key.toString())
    if (found[0] === 'before') writeFileSync(path, bytes(3))
    return found
  })
  expect(keys).toEqual(['after'])
})
