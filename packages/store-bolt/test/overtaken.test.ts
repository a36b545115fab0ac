import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { boltBytes } from '../../../test/bolt-writer.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { type BoltFile, type BoltFileOptions, isBoltFile, openBoltFile } from '../src/index.ts'

const rows = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`key-${1000 + index}`, 'value']))

interface Owned {
  readonly file: BoltFile
  readonly path: string
  /** Does what the owner of the file does: the next transaction, in the same file. */
  commit(): void
}

async function owned(options: BoltFileOptions = {}): Promise<Owned> {
  const path = join(temporaryDirectory(), 'some.db')
  let transaction = 1n
  const commit = (): void => {
    transaction += 1n
    writeFileSync(path, boltBytes({ many: { rows } }, { pageBytes: 512, transaction }))
  }
  commit()
  const file = await openBoltFile(path, options)
  onTestFinished(() => file.close())
  return { file, path, commit }
}

test('what a commit overtakes is read again, in the newer transaction', async () => {
  const { file, commit } = await owned()
  const seen: bigint[] = []
  const result = await file.read(({ transaction }) => {
    seen.push(transaction)
    if (transaction < 5n) commit()
    return transaction
  })
  expect([result, seen]).toEqual([5n, [2n, 3n, 4n, 5n]])
})

test('an error counts no more than a result where a commit came meanwhile', async () => {
  const { file, commit } = await owned()
  const read = file.read(({ transaction }) => {
    if (transaction > 2n) return 'read'
    commit()
    throw new Error('a page that was used again')
  })
  expect(await read).toBe('read')
  await expect(file.read(() => Promise.reject(new Error('of the caller')))).rejects.toThrow('of the caller')
})

test('a file that always changes is given up with a code of its own, and what to do', async () => {
  const { file, commit } = await owned({ tries: 3 })
  let calls = 0
  const read = file.read(() => {
    calls += 1
    commit()
  })
  await expect(read).rejects.toMatchObject({
    code: 'STORE_CHANGING',
    hint: expect.stringMatching(/copy/),
    details: { actual: 3 },
  })
  expect(calls).toBe(3)
})

test('pieces get shorter until they come through, and give each row once', async () => {
  const { file, commit } = await owned()
  let inPiece = 0
  let piece: bigint | null = null
  const keys: string[] = []
  const transactions = new Set<bigint>()
  const walk = file.pieces(['many'], ({ key }, { transaction }) => {
    inPiece = piece === transaction ? inPiece + 1 : 1
    piece = transaction
    // An owner that commits after every fifth row that is read.
    if (inPiece === 5) commit()
    return key.toString()
  })
  for await (const { values, transaction } of walk) {
    keys.push(...values)
    transactions.add(transaction)
    piece = null
  }
  expect(keys).toEqual(Object.keys(rows))
  expect(transactions.size).toBeGreaterThan(10)
})

test('a meta page that is half written is no commit yet', async () => {
  const { file, path } = await owned()
  const read = file.read(({ transaction, root }) => {
    const descriptor = openSync(path, 'r+')
    writeSync(descriptor, Buffer.from([99]), 0, 1, 512 + 64)
    closeSync(descriptor)
    return [transaction, [...root.keys()].length]
  })
  expect(await read).toEqual([2n, 1])
  expect(file.info().metaPages).toEqual([
    { page: 0, transaction: 2n, problem: null },
    { page: 1, transaction: null, problem: 'fails its checksum' },
  ])
})

test('what is there, and what is not, is told by code', async () => {
  const directory = temporaryDirectory({ 'text.db': 'a text', 'empty.db': '', 'bolt.db': boltBytes({}) })
  const open = (name: string) => openBoltFile(join(directory, name))
  await expect(open('nothing.db')).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
  await expect(open('text.db')).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
  await expect(open('empty.db')).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
  await expect(open('.')).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
  const names = ['text.db', 'empty.db', 'bolt.db', '.']
  expect(await Promise.all(names.map((name) => isBoltFile(join(directory, name))))).toEqual([
    false,
    false,
    true,
    false,
  ])
})
