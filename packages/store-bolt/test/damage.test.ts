import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isStoreError } from '@saltcod/store-core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boltBytes, sealMeta } from '../../../test/bolt-writer.ts'
import { damagedBolts, rowsToDamage } from '../../../test/damaged-bolt.ts'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { type BoltBucket, boltPages, boltStatistics, checkBolt, openBoltFile } from '../src/index.ts'
import { parseMeta } from '../src/pages/meta-page.ts'
import { blockOf } from '../src/pages/page.ts'
import { inlinePage } from '../src/pages/page-source.ts'

const PAGE = 512
const FILES = IS_LONG ? 2_600 : 130
const LONG_MS = 3_600_000
const VALUES = 163
const SEED = testSeed()
/** A page may be read once for each way that leads to it: what goes on for ever would read it more often. */
const MOST_READ = 64

const sound = boltBytes(rowsToDamage(), { pageBytes: PAGE, perPage: 6, free: 3 })

const pages = sound.length / PAGE

interface Tried {
  /** Values that were read. */
  readonly values: number
  /** What was named by the check, by a walk, or by the error at the opening. */
  readonly named: readonly string[]
}

/** Reads a file in every way. Fails for an error that is none of a store, and for what has no end. */
async function tried(bytes: Buffer): Promise<Tried> {
  const path = join(temporaryDirectory(), 'damaged.db')
  writeFileSync(path, bytes)
  const named: string[] = []
  let values = 0
  let rows = 0
  const walk = (bucket: BoltBucket): void => {
    for (const row of bucket.rows({ onDamage: ({ what }) => named.push(what) })) {
      rows += 1
      if (rows > bytes.length) throw new Error('there are more rows than the file has bytes')
      if (row.bucket === null) values += 1
      else walk(row.bucket)
    }
  }
  try {
    const file = await openBoltFile(path, { reusesMemory: bytes.length % 2 === 0 })
    try {
      await file.read((snapshot) => {
        walk(snapshot.root)
        expect(snapshot.bytesRead).toBeLessThan(MOST_READ * (bytes.length + PAGE))
      })
      const report = await file.read(checkBolt)
      named.push(...report.findings.map(({ page, what }) => `page ${page}: ${what}`))
      named.push(...file.info().metaPages.flatMap(({ problem }) => problem ?? []))
      named.push(...(await file.read(boltStatistics)).damage)
      expect([...(await file.read(boltPages))].length).toBeLessThanOrEqual(bytes.length / PAGE + 1)
      for (const name of ['many', 'nested', 'long']) {
        const walked = file.pieces([name], ({ key }) => key.length, { maxRows: 7, onDamage: () => {} })
        let last: Uint8Array = Buffer.alloc(0)
        for await (const piece of walked) {
          expect(piece.values.length).toBeLessThanOrEqual(7)
          expect(Buffer.compare(last, piece.lastKey)).toBeLessThan(0)
          last = piece.lastKey
        }
        for (const key of ['key-1000', 'tree', 'zzz']) {
          await file.read((snapshot) => snapshot.bucket([name])?.get(key)).catch(refuseOther)
        }
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    named.push(refuseOther(error).message)
  }
  return { values, named }
}

function refuseOther(error: unknown): Error {
  if (isStoreError(error, 'STORE_DAMAGED', 'STORE_FOREIGN', 'INVALID_ARGUMENT')) return error
  throw error
}

/** A copy of the sound file, changed. */
function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(sound)
  change(bytes)
  return bytes
}

/** The first page of a kind. */
function pageOf(kind: number, nth = 0): number {
  const found = Array.from({ length: pages }, (_, page) => page).filter(
    (page) =>
      sound.readUInt16LE(page * PAGE + 8) === kind && sound.readBigUInt64LE(page * PAGE) === BigInt(page),
  )
  return found[nth] ?? Number.NaN
}

test('the sound file is sound, and read whole', async () => {
  expect(await tried(sound)).toEqual({ values: VALUES, named: [] })
})

describe('damage that was made on purpose', () => {
  const branch = pageOf(1) * PAGE
  const leaf = pageOf(2) * PAGE
  const list = pageOf(16) * PAGE
  const metas = (change: (meta: Buffer) => void) => (bytes: Buffer) => {
    for (const meta of [bytes.subarray(0, PAGE), bytes.subarray(PAGE, 2 * PAGE)]) {
      change(meta)
      sealMeta(meta)
    }
  }
  test.each<readonly [what: string, change: (bytes: Buffer) => void, named: RegExp]>([
    [
      'a branch that is its own child',
      (b) => b.writeBigUInt64LE(BigInt(branch / PAGE), branch + 24),
      /multiple references|circle/,
    ],
    [
      'a branch whose children are all the same',
      (b) => b.copy(b, branch + 40, branch + 24, branch + 32),
      /multiple references/,
    ],
    ['a child that no file can have', (b) => b.writeBigUInt64LE(2n ** 63n, branch + 24), /no file can have/],
    ['a child behind the end', (b) => b.writeBigUInt64LE(1_000_000n, branch + 24), /out of bounds/],
    ['a leaf of 65,535 elements', (b) => b.writeUInt16LE(0xffff, leaf + 10), /claims 65535 elements/],
    ['a leaf of four billion pages', (b) => b.writeUInt32LE(0xffff_ffff, leaf + 12), /pages of overflow/],
    [
      'a key of four gigabytes',
      (b) => b.writeUInt32LE(0xffff_fff0, leaf + 16 + 8),
      /element 0 leaves its place/,
    ],
    [
      'a value of four gigabytes',
      (b) => b.writeUInt32LE(0xffff_fff0, leaf + 16 + 12),
      /element 0 leaves its place/,
    ],
    [
      'elements that overlap',
      (b) => b.writeUInt32LE(b.readUInt32LE(leaf + 16 + 4) + 16 - 32, leaf + 32 + 4),
      /leaves its place/,
    ],
    [
      'a free list of 2^60 pages',
      (b) => {
        b.writeUInt16LE(0xffff, list + 10)
        b.writeBigUInt64LE(2n ** 60n, list + 16)
      },
      /free pages/,
    ],
    ['a page that is free twice', (b) => b.copy(b, list + 24, list + 16, list + 24), /already freed/],
    [
      'a page that is free and in use',
      (b) => b.writeBigUInt64LE(BigInt(leaf / PAGE), list + 16),
      /reachable freed/,
    ],
    [
      'a free page behind the end',
      (b) => b.writeBigUInt64LE(2n ** 62n, list + 16),
      /out of bounds of the free list/,
    ],
    [
      'a root that is the list of free pages',
      metas((m) => m.writeBigUInt64LE(BigInt(list / PAGE), 32)),
      /multiple references|freelist/,
    ],
    [
      'a meta page that counts 2^47 pages',
      metas((m) => m.writeBigUInt64LE(2n ** 47n, 56)),
      /behind the end of the file/,
    ],
    ['a root of no file', metas((m) => m.writeBigUInt64LE(2n ** 60n, 32)), /no file can have/],
    ['one bad checksum', (b) => b.writeUInt8(1 ^ b.readUInt8(72), 72), /fails its checksum/],
    [
      'two bad checksums',
      (b) => {
        for (const at of [72, PAGE + 72]) b.writeUInt8(1 ^ b.readUInt8(at), at)
      },
      /neither meta page/,
    ],
  ])('%s is named', async (_what, change, named) => {
    const found = await tried(changed(change))
    expect(found.named.join('\n')).toMatch(named)
  })

  test('a bucket that is in itself has an end', async () => {
    const root = sound.readBigUInt64LE(PAGE + 32)
    const found = await tried(
      changed((bytes) => {
        for (const meta of [0, PAGE]) expect(bytes.readBigUInt64LE(meta + 32)).toBe(root)
        const page = Number(root) * PAGE
        const element = page + 16
        const value = element + bytes.readUInt32LE(element + 4) + bytes.readUInt32LE(element + 8)
        bytes.writeBigUInt64LE(root, value)
      }),
    )
    expect(found.named.join('\n')).toMatch(/nested without end/)
    expect(found.named.join('\n')).toMatch(/multiple references/)
  })
})

test('a walk in pieces ends where keys go back for longer than a piece', async () => {
  const branch = Array.from({ length: pages }, (_, page) => page * PAGE).find(
    (page) => sound.readUInt16LE(page + 8) === 1 && sound.readUInt16LE(page + 10) > 5,
  )
  const childAt = (index: number) => (branch ?? Number.NaN) + 16 + index * 16 + 8
  // Two children come once more, behind the third: a walk that went on behind their keys would meet them again.
  const bytes = changed((copy) => {
    for (const index of [0, 1]) copy.copy(copy, childAt(index + 3), childAt(index), childAt(index) + 8)
  })
  const { named } = await tried(bytes)
  expect(named.join('\n')).toMatch(/not in order/)
})

test('each page of the file that is in use is missed where it is zeroed', async () => {
  for (let page = 0; page < pages; page += 1) {
    const inUse =
      sound.readUInt16LE(page * PAGE + 8) !== 0 && sound.readBigUInt64LE(page * PAGE) === BigInt(page)
    if (!inUse) continue
    const { named } = await tried(changed((bytes) => bytes.fill(0, page * PAGE, (page + 1) * PAGE)))
    expect(named, `page ${page}`).not.toEqual([])
  }
})

test(
  `${FILES} damaged files are read as far as they can be, from seed ${SEED} on`,
  async () => {
    for (const { kind, seed, bytes } of damagedBolts(sound, PAGE, { seed: SEED, count: FILES })) {
      const { values, named } = await tried(bytes).catch((error: unknown) => {
        throw new Error(`${kind}, seed ${seed}`, { cause: error })
      })
      expect(values, `${kind}, seed ${seed}`).toBeLessThanOrEqual(sound.length / 16)
      const isSeen = ['a zeroed page', 'a cut', 'a wrong reference'].includes(kind)
      if (isSeen && values < VALUES) expect(named, `${kind}, seed ${seed}`).not.toEqual([])
    }
  },
  LONG_MS,
)

describe('the decoder of a page takes any bytes', () => {
  const numRuns = IS_LONG ? 1_000_000 : 5_000

  test('as an inline page', () => {
    const header = fc.tuple(fc.constantFrom(0, 2, 1, 16, 0xffff), fc.oneof(fc.nat(4), fc.nat(0xffff)))
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 200 }), ([flags, count], body) => {
        const head = Buffer.alloc(16)
        head.writeUInt16LE(flags, 8)
        head.writeUInt16LE(count, 10)
        const value = Buffer.concat([Buffer.alloc(16), head, body])
        const page = inlinePage({ block: blockOf(value), start: 0, length: value.length, far: null })
        if (typeof page === 'string') return
        let bytes = 0
        for (let index = 0; index < page.count; index += 1)
          bytes += page.key(index).length + page.value(index).length
        expect(bytes).toBeLessThanOrEqual(16 + body.length)
      }),
      { numRuns },
    )
  })

  test('as a meta page', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (body, sealed) => {
        const bytes = Buffer.alloc(80)
        bytes.set(body.subarray(0, 80))
        bytes.writeUInt32LE(0xed0cdaed, 16)
        bytes.writeUInt32LE(2, 20)
        if (sealed) sealMeta(bytes)
        const meta = parseMeta(bytes)
        if (typeof meta !== 'string') expect(Number.isSafeInteger(meta.pageCount)).toBe(true)
      }),
      { numRuns: numRuns / 5 },
    )
  })
})
