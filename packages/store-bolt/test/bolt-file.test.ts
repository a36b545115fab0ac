import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type BucketToWrite, boltBytes, type FileToWrite } from '../../../test/bolt-writer.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import {
  type BoltBucket,
  type BoltDamage,
  type BoltFile,
  type BoltFileOptions,
  type BoltRow,
  checkBolt,
  openBoltFile,
} from '../src/index.ts'

async function opened(
  rows: BucketToWrite['rows'],
  options: FileToWrite = {},
  reading: BoltFileOptions = {},
): Promise<BoltFile> {
  const path = join(temporaryDirectory(), 'some.db')
  writeFileSync(path, boltBytes(rows, options))
  const file = await openBoltFile(path, reading)
  onTestFinished(() => file.close())
  return file
}

type Plain = { readonly [key: string]: string | Plain }

function plain(bucket: BoltBucket): Plain {
  return Object.fromEntries(
    [...bucket.rows()].map((row) => [
      row.key.toString(),
      row.bucket === null ? row.value.toString() : plain(row.bucket),
    ]),
  )
}

const numbered = (count: number, value: (index: number) => string): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`key-${String(index).padStart(5, '0')}`, value(index)]),
  )

describe('rows of a file', () => {
  test.each([512, 1024, 4096, 8192, 16384, 65536])(
    'come in order, with pages of %i bytes',
    async (pageBytes) => {
      const many = numbered(3000, (index) => `value ${index}`)
      const long = { a: 'x'.repeat(70_000), b: 'y'.repeat(3), c: 'z'.repeat(9_000) }
      const nested = { one: { rows: { k: 'v' } }, two: { rows: { deep: { rows: numbered(50, String) } } } }
      const file = await opened(
        { many: { rows: many }, long: { rows: long }, nested: { rows: nested }, none: { rows: {} } },
        { pageBytes },
      )
      expect(file.info()).toMatchObject({ pageBytes, transaction: 2n })
      expect(await file.read(({ root }) => plain(root))).toEqual({
        many,
        long,
        nested: { one: { k: 'v' }, two: { deep: numbered(50, String) } },
        none: {},
      })
    },
  )

  test('are found by their key, at every depth of the tree', async () => {
    const file = await opened(
      { many: { rows: numbered(2000, String), sequence: 77n } },
      { pageBytes: 512, perPage: 3 },
    )
    await file.read((snapshot) => {
      const many = snapshot.bucket(['many'])
      expect(many?.sequence).toBe(77n)
      for (let index = 0; index < 2000; index += 1) {
        expect(many?.get(`key-${String(index).padStart(5, '0')}`)?.toString()).toBe(String(index))
      }
      expect([many?.get('key-'), many?.get('key-000001'), many?.get('z'), many?.get('')]).toEqual(
        Array(4).fill(undefined),
      )
      expect(snapshot.bucket(['many', 'key-00001'])).toBeUndefined()
      expect(snapshot.bucket(['nothing', 'below'])).toBeUndefined()
    })
  })

  test('begin where they are asked to', async () => {
    const file = await opened({ many: { rows: numbered(500, String) } }, { pageBytes: 512, perPage: 4 })
    await file.read((snapshot) => {
      const keys = (range: object) =>
        [...(snapshot.bucket(['many'])?.keys(range) ?? [])].map(({ key }) => key.toString())
      const all = keys({})
      expect(all).toEqual(Object.keys(numbered(500, String)))
      for (let index = 0; index < 500; index += 1) {
        const key = all[index] ?? ''
        expect(keys({ from: key, limit: 3 })).toEqual(all.slice(index, index + 3))
        expect(keys({ after: key, limit: 3 })).toEqual(all.slice(index + 1, index + 4))
        expect(keys({ from: `${key}0`, limit: 3 })).toEqual(all.slice(index + 1, index + 4))
      }
      expect(keys({ from: 'z' })).toEqual([])
      expect(keys({ limit: 0 })).toEqual([])
    })
  })

  test('come in pieces, each with its transaction', async () => {
    const rows = numbered(1234, String)
    const file = await opened({ many: { rows } }, { pageBytes: 512 })
    const pieces = []
    for await (const piece of file.pieces(['many'], ({ key, value }) => [key, value].join('='), {
      maxRows: 100,
    })) {
      pieces.push(piece)
    }
    expect(pieces.map(({ values }) => values.length)).toEqual([...Array(12).fill(100), 34])
    expect(pieces.flatMap(({ values }) => values)).toEqual(Object.entries(rows).map((pair) => pair.join('=')))
    expect(pieces.at(-1)).toMatchObject({ transaction: 2n, lastKey: Buffer.from('key-01233') })
    const rest = file.pieces(['many'], ({ key }) => key.toString(), { after: pieces[10]?.lastKey ?? '' })
    expect((await rest.next()).value?.values[0]).toBe('key-01100')
    expect(await file.pieces(['nothing'], () => 0).next()).toEqual({ done: true, value: undefined })
  })
})

describe('what is larger than the memory that keeps pages', () => {
  const rows = numbered(3_000, (index) => `${index}:`.padEnd(4_000, 'x'))
  const walk = async (file: BoltFile): Promise<Buffer[]> => {
    const kept: Buffer[] = []
    const visit = ({ key, value }: BoltRow): string => {
      if (value !== null) kept.push(value)
      return `${key}=${value}`
    }
    const read: string[] = []
    for await (const { values } of file.pieces(['many'], visit, { maxRows: 200 })) read.push(...values)
    expect(read).toEqual(Object.entries(rows).map((pair) => pair.join('=')))
    return kept
  }

  test('stays as it was read', async () => {
    const file = await opened({ many: { rows } })
    const kept = await walk(file)
    expect(kept.map(String)).toEqual(Object.values(rows))
  })

  test('is read into the same memory again where that is asked for', async () => {
    const file = await opened({ many: { rows } }, {}, { reusesMemory: true })
    const kept = await walk(file)
    expect(new Set(kept.map(({ buffer }) => buffer)).size).toBeLessThan(kept.length / 4)
    expect(
      kept.filter((value, index) => value.toString() !== rows[Object.keys(rows)[index] ?? '']).length,
    ).toBeGreaterThan(0)
    await walk(file)
  })
})

test('where damage lies stays known when memory is used again', async () => {
  const rows = {
    many: { rows: numbered(3_000, (index) => `${index}:`.padEnd(4_000, 'x')) },
    odd: { rows: {} },
  }
  const bytes = boltBytes(rows, { free: 1 })
  // The page of the inline bucket is said to be a branch.
  const name = bytes.lastIndexOf('odd')
  bytes.writeUInt16LE(1, name + 'odd'.length + 16 + 8)
  const path = join(temporaryDirectory(), 'damaged.db')
  writeFileSync(path, bytes)
  const file = await openBoltFile(path, { reusesMemory: true })
  onTestFinished(() => file.close())
  const told: BoltDamage[] = []
  const { findings } = await file.read(checkBolt)
  await file.read((snapshot) => [
    ...(snapshot.bucket(['odd'])?.rows({ onDamage: (one) => told.push(one) }) ?? []),
  ])
  let walked = 0
  for (let time = 0; time < 3; time += 1) {
    for await (const { values } of file.pieces(['many'], ({ key }) => key.length, { maxRows: 200 })) {
      walked += values.length
    }
  }
  expect(walked).toBe(9_000)
  expect([...findings, ...told].map((one) => one.path.map(String))).toEqual([['odd'], ['odd']])
})

test('an option that there is not is refused', async () => {
  const options = { reuseMemory: true } as BoltFileOptions
  await expect(openBoltFile('some.db', options)).rejects.toThrow(/no option reuseMemory; it has tries/)
})

test('a bucket of a snapshot that is over, and a file that was closed, refuse to be read', async () => {
  const file = await opened({ many: { rows: numbered(10, String) } })
  const bucket = await file.read(({ root }) => root)
  expect(() => bucket.get('many')).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
  expect(() => [...bucket.rows()]).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
  await file.close()
  await file.close()
  expect(() => file.info()).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
  await expect(file.read(() => 0)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
})
