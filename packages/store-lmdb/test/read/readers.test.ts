import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { COUNT_OFFSET, SLOT_BYTES, SLOTS_OFFSET } from '../../src/file/lock-file.ts'
import { openLmdbKv } from '../../src/index.ts'
import { StoreProcess } from '../store-process.ts'

const TABLES = ['alpha', 'beta']
const key = Buffer.from('0000000001')

test('a reader in another process sees each commit whole, and goes on when the owner dies', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const writer = new StoreProcess('write', path)
  await writer.count(20)
  const reader = new StoreProcess('read', path)
  await reader.count(20)
  await writer.kill()
  const next = new StoreProcess('write', path)
  await next.count(40)
  const before = reader.lines.length
  await reader.count(before + 10)
  await next.kill()
  expect(await reader.end()).toBe('0')
  expect(reader.lines.filter((line) => /torn|backwards|error/.test(line))).toEqual([])
})

test('a reader in the same process sees what the owner commits', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = await openLmdbKv({ path, tables: TABLES })
  const reader = await openLmdbKv({ path, tables: [...TABLES, 'of a later release'], readOnly: true })
  for (let round = 0; round < 20; round += 1) {
    await owner.write((transaction) => {
      transaction.put('alpha', key, Buffer.from([round]))
    })
    expect(reader.read((snapshot) => snapshot.get('alpha', key))).toEqual(Buffer.from([round]))
  }
  expect(reader.read((snapshot) => snapshot.range('of a later release', { limit: 1 }))).toEqual([])
  await owner.close()
  expect(reader.read((snapshot) => snapshot.get('alpha', key))).toEqual(Buffer.from([19]))
  await reader.close()
})

test('a process that reads a store must close it before it owns it', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  await (await openLmdbKv({ path, tables: TABLES })).close()
  const reader = await openLmdbKv({ path, tables: TABLES, readOnly: true })
  await expect(openLmdbKv({ path, tables: TABLES })).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  await reader.close()
  await (await openLmdbKv({ path, tables: TABLES })).close()
})

test('a snapshot stands still while the body that has it opens another one', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const writer = new StoreProcess('write', path)
  await writer.count(5)
  const reader = await openLmdbKv({ path, tables: TABLES, readOnly: true })
  const highest = (): string =>
    String(reader.read((snapshot) => snapshot.keys('alpha', { limit: 1, reverse: true })[0]))
  for (let round = 0; round < 50; round += 1) {
    reader.read((snapshot) => {
      const before = String(snapshot.keys('alpha', { limit: 1, reverse: true })[0])
      const now = performance.now()
      while (performance.now() < now + 2) highest()
      expect(String(snapshot.keys('alpha', { limit: 1, reverse: true })[0])).toBe(before)
    })
  }
  await reader.close()
  await writer.kill()
})

test('a reader of a stopped store leaves nothing but the lock file, with the mode of the store', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  await (await openLmdbKv({ path, tables: TABLES })).close()
  rmSync(`${path}-lock`)
  const before = lstatSync(path)
  const reader = await openLmdbKv({ path, tables: TABLES, readOnly: true })
  expect(reader.capabilities.statistics?.().tables).toHaveLength(2)
  await reader.close()
  expect(readdirSync(directory).sort()).toEqual(['jobs.db', 'jobs.db-lock', 'jobs.db.owner'])
  expect(lstatSync(`${path}-lock`).mode & 0o777).toBe(0o600)
  expect(lstatSync(path).mtimeMs).toBe(before.mtimeMs)
})

test('one reader too many is told so, and the owner goes on', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = new StoreProcess('own', path)
  const processId = Number((await owner.line('open')).split(' ')[1])
  // Only the owner lives of all these readers, which lets LMDB think that they all do.
  const table = openSync(`${path}-lock`, 'r+')
  const slots = Math.floor((fstatSync(table).size - SLOTS_OFFSET) / SLOT_BYTES)
  const slot = Buffer.alloc(SLOT_BYTES)
  slot.writeBigUInt64LE(0xffff_ffff_ffff_ffffn)
  slot.writeUInt32LE(processId, 8)
  const count = Buffer.alloc(4)
  count.writeUInt32LE(slots)
  for (let n = 0; n < slots; n += 1) writeSync(table, slot, 0, SLOT_BYTES, SLOTS_OFFSET + n * SLOT_BYTES)
  writeSync(table, count, 0, 4, COUNT_OFFSET)
  const refused = new StoreProcess('read', path)
  expect(await refused.line('error')).toMatch(/STORE_BUSY .*slots for readers/)
  expect(slots).toBe(1_000)

  writeSync(table, Buffer.alloc(SLOT_BYTES), 0, SLOT_BYTES, SLOTS_OFFSET + 999 * SLOT_BYTES)
  const last = new StoreProcess('read', path)
  await last.line('open')
  expect(await last.end()).toBe('0')
  closeSync(table)
  expect(await owner.end()).toBe('0')
})

test('a lock file with fewer slots gets all of them, but not while it is open', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES })
  await store.close()
  const { size } = statSync(`${path}-lock`)
  writeFileSync(`${path}-lock`, Buffer.alloc(8_272))
  const reader = new StoreProcess('read', path)
  await reader.line('open')
  const owner = new StoreProcess('own', path)
  await owner.line('open')
  expect(statSync(`${path}-lock`).size).toBe(8_272)
  expect(await owner.end()).toBe('0')
  expect(await reader.end()).toBe('0')
  const next = new StoreProcess('own', path)
  await next.line('open')
  expect(statSync(`${path}-lock`).size).toBe(size)
  expect(await next.end()).toBe('0')
})
