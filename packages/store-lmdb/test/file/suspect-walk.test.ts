import { closeSync, lstatSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { KvStore } from '@saltcod/store-core/backend'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { stateOfTable } from '../../src/file/file-walk.ts'
import { DataFile, findCommit, parseHeader } from '../../src/file/index.ts'
import { type KnownPages, readNote } from '../../src/file/owner-note.ts'
import { QUARANTINE, walkPages } from '../../src/file/suspect-walk.ts'
import { openLmdbJobStore, openLmdbKv } from '../../src/index.ts'
import { makeStore, TABLES } from '../bad-file.ts'

const PAGE_BYTES = 4_096
const SWAPPED = { code: 'STORE_DAMAGED', message: expect.stringMatching(/says that it is page \d+/) }
/** What is walked of a large file in these tests; nothing of them is small. */
const LIMITS = { smallBytes: 0, maxMs: 60_000, maxSuspectMs: 60_000 }
const NO_TIME = { smallBytes: 0, maxMs: 0, maxSuspectMs: 0 }
const UNKNOWN: KnownPages = { isSuspect: false }

/** Swaps two pages of rows that lie beside each other, in place, as a disk does that writes to the wrong place. */
function swapLeaves(path: string): void {
  const file = new DataFile(path)
  const commit = findCommit(file)
  if (typeof commit === 'string') throw new Error(commit)
  const leaves: number[] = []
  for (let page = 2; page <= commit.meta.lastPage && leaves.length < 2; page += 1) {
    const header = parseHeader(file.read(page * PAGE_BYTES, PAGE_BYTES), page)
    if (typeof header !== 'string' && header.kind === 'leaf' && header.count > 3) leaves.push(page)
  }
  file.close()
  const [first = 0, second = 0] = leaves.map((page) => page * PAGE_BYTES)
  const [one, other] = [Buffer.alloc(PAGE_BYTES), Buffer.alloc(PAGE_BYTES)]
  const descriptor = openSync(path, 'r+')
  readSync(descriptor, one, 0, PAGE_BYTES, first)
  readSync(descriptor, other, 0, PAGE_BYTES, second)
  writeSync(descriptor, other, 0, PAGE_BYTES, first)
  writeSync(descriptor, one, 0, PAGE_BYTES, second)
  closeSync(descriptor)
}

/** Lets branches lead out of the file, in place, and back where it is done again. */
function misleadBranches(path: string): void {
  const file = new DataFile(path)
  const commit = findCommit(file)
  if (typeof commit === 'string') throw new Error(commit)
  const descriptor = openSync(path, 'r+')
  for (let page = 2; page <= commit.meta.lastPage; page += 1) {
    const bytes = file.read(page * PAGE_BYTES, PAGE_BYTES)
    const header = parseHeader(bytes, page)
    if (typeof header === 'string' || header.kind !== 'branch') continue
    const child = 24 + bytes.readUInt16LE(24) + 2
    const changed = Buffer.of((bytes[child] ?? 0) ^ 0xff)
    writeSync(descriptor, changed, 0, 1, page * PAGE_BYTES + child)
  }
  closeSync(descriptor)
  file.close()
}

/** Lets the note say that nobody has touched the file since it was closed, as after a disk damaged it. */
function hideChange(path: string): void {
  const { ctimeNs } = lstatSync(path, { bigint: true })
  const note = readFileSync(`${path}.owner`, 'latin1')
  writeFileSync(`${path}.owner`, note.replace(/^closed \d+/, `closed ${ctimeNs}`))
}

function flipIn(path: string, text: string): void {
  const bytes = readFileSync(path)
  const at = bytes.lastIndexOf(text)
  const descriptor = openSync(path, 'r+')
  writeSync(descriptor, Buffer.of((bytes[at] ?? 0) ^ 1), 0, 1, at)
  closeSync(descriptor)
}

/** A store of jobs with some damaged records, each of which somebody asked for. */
async function makeQuarantine(path: string, damaged: number): Promise<void> {
  const store = await openLmdbJobStore({ path })
  const ids: string[] = []
  for (let n = 0; n < damaged; n++) {
    const { job } = await store.submitJob({ type: 'batch', spec: { mark: `mark of number ${n}` } })
    ids.push(job.id)
  }
  for (let n = 0; n < 300; n++) await store.submitJob({ type: 'batch', spec: { n } })
  await store.close()
  for (const [n, id] of ids.entries()) {
    flipIn(path, `mark of number ${n}`)
    const again = await openLmdbJobStore({ path })
    await expect(again.getJob(id)).rejects.toMatchObject({ code: 'RECORD_CORRUPT' })
    await again.close()
  }
}

/**
 * What is known where the last walk came just before the newest damaged record was noted. A store that has it open for
 * long enough walks again by itself.
 */
function walkedBefore(path: string): KnownPages {
  return { walked: stateOfTable(path, QUARANTINE).changedIn - 1n, isSuspect: false }
}

function pagesOf(path: string) {
  const note = readNote(`${path}.owner`)
  return (note.state === 'none' ? undefined : note.commit?.pages) ?? UNKNOWN
}

test('a damaged page keeps a store from being served, whether the file was touched or not', async () => {
  for (const isHidden of [false, true]) {
    const path = join(temporaryDirectory(), 'jobs.db')
    await makeStore(path)
    swapLeaves(path)
    if (isHidden) hideChange(path)
    const before = readFileSync(path)
    await expect(openLmdbKv({ path, tables: TABLES })).rejects.toMatchObject(SWAPPED)
    expect(readFileSync(path).equals(before)).toBe(true)
  }
})

test('a page with a flag that LMDB has in memory only, and would not write the page for, is found', async () => {
  for (const flag of [0x4000, 0x8000]) {
    const path = join(temporaryDirectory(), 'jobs.db')
    await makeQuarantine(path, 0)
    const bytes = readFileSync(path)
    for (let at = 2 * PAGE_BYTES; at < bytes.length; at += PAGE_BYTES) {
      const header = parseHeader(bytes.subarray(at, at + PAGE_BYTES), at / PAGE_BYTES)
      if (typeof header !== 'string') bytes.writeUInt16LE(bytes.readUInt16LE(at + 18) | flag, at + 18)
    }
    writeFileSync(path, bytes)
    await expect(openLmdbJobStore({ path })).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
  }
})

test('a large file is walked where it was not closed in good order, as far as time allows', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  await makeStore(path)
  expect(await walkPages(path, true, UNKNOWN, LIMITS)).toBe(undefined)
  expect(await walkPages(path, false, UNKNOWN, LIMITS)).toBeGreaterThan(1n)
  expect(await walkPages(path, false, UNKNOWN, NO_TIME)).toBe(undefined)
  expect(await walkPages(path, true, UNKNOWN, { ...LIMITS, smallBytes: 2 ** 30, maxMs: 0 })).toBeGreaterThan(
    1n,
  )
  swapLeaves(path)
  expect(await walkPages(path, true, UNKNOWN, LIMITS)).toBe(undefined)
  await expect(walkPages(path, false, UNKNOWN, LIMITS)).rejects.toMatchObject(SWAPPED)
})

test('a large file in which damage was found is walked whole, or refused', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  await makeStore(path)
  expect(await walkPages(path, true, { walked: 1n, isSuspect: true }, LIMITS)).toBeGreaterThan(1n)
  await expect(walkPages(path, true, { isSuspect: true }, NO_TIME)).rejects.toMatchObject({
    code: 'STORE_DAMAGED',
    message: expect.stringContaining('could not all be walked within 0 s'),
  })
})

test('a damaged record keeps nobody out, and asks for one walk, until another one is found', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  await makeQuarantine(path, 1)
  await expect(walkPages(path, true, UNKNOWN, NO_TIME)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
  await expect(walkPages(path, true, walkedBefore(path), NO_TIME)).rejects.toMatchObject({
    code: 'STORE_DAMAGED',
  })
  for (let opening = 0; opening < 2; opening += 1) {
    const again = await openLmdbJobStore({ path })
    expect((await again.listQuarantine()).length).toBe(1)
    await again.close()
    expect(pagesOf(path)).toEqual({ walked: expect.any(BigInt), isSuspect: false })
    expect(await walkPages(path, true, pagesOf(path), NO_TIME)).toBe(undefined)
  }
  const other = join(temporaryDirectory(), 'jobs.db')
  await makeQuarantine(other, 2)
  await expect(walkPages(other, true, walkedBefore(other), NO_TIME)).rejects.toMatchObject({
    code: 'STORE_DAMAGED',
  })
})

/** Reads a table from key to key, as a listing does. */
function readWhole(store: KvStore, reverse: boolean): void {
  let rows = 0
  let last: Uint8Array | undefined
  do {
    const bound = last === undefined ? {} : reverse ? { lt: last } : { gt: last }
    const keys = store.read((snapshot) => snapshot.keys('alpha', { ...bound, reverse, limit: 7 }))
    rows += keys.length
    last = keys.at(-1)
    expect(rows).toBeLessThan(10_000)
  } while (last !== undefined)
}

test('a damaged page that LMDB meets while a store is served ends that, and is remembered until a walk finds nothing', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  await makeStore(path)
  const store = await openLmdbKv({ path, tables: TABLES })
  misleadBranches(path)
  expect(() => readWhole(store, false)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }))
  expect(await store.failed).toMatchObject({ code: 'STORE_FAILED' })
  await store.close()
  expect(pagesOf(path)).toMatchObject({ isSuspect: true })
  misleadBranches(path)
  await (await openLmdbKv({ path, tables: TABLES })).close()
  expect(pagesOf(path)).toMatchObject({ isSuspect: false })
})

test('a damaged record that is met while a store is served lets its pages be walked, and a damaged one ends that', async () => {
  for (const isSwapped of [false, true]) {
    const path = join(temporaryDirectory(), 'jobs.db')
    const store = await openLmdbJobStore({ path })
    for (let n = 0; n < 300; n++) await store.submitJob({ type: 'batch', spec: { n } })
    const { job } = await store.submitJob({ type: 'batch', spec: { mark: 'mark of the last' } })
    flipIn(path, 'mark of the last')
    if (isSwapped) swapLeaves(path)
    const walkedBefore = pagesOf(path).walked ?? 0n
    await expect(store.getJob(job.id)).rejects.toMatchObject({ code: 'RECORD_CORRUPT' })
    if (isSwapped) {
      expect(await store.failed).toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringMatching(/failed: it is damaged: page \d+ says that it is page \d+/),
      })
      await expect(store.submitJob({ type: 'batch', spec: {} })).rejects.toMatchObject({
        code: 'STORE_FAILED',
      })
      expect(pagesOf(path)).toMatchObject({ isSuspect: true })
    } else {
      await expect.poll(() => pagesOf(path).walked ?? 0n, { timeout: 30_000 }).toBeGreaterThan(walkedBefore)
      await store.submitJob({ type: 'batch', spec: {} })
    }
    await store.close()
  }
})

test('a walk beside writers, a backup and a rewrite finds nothing in a sound store', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  await makeStore(path)
  const tables = [...TABLES, 'quarantine']
  for (let opening = 0; opening < 3; opening += 1) {
    const store = await openLmdbKv({ path, tables })
    const walkedBefore = pagesOf(path).walked ?? 0n
    let isDone = false
    const writer = async (number: number): Promise<void> => {
      for (let n = 0; !isDone; n += 1) {
        const key = Buffer.from(`${number}-${(n * 7) % 400}`)
        await store.write((transaction) => {
          if (n % 3 === 2) transaction.remove('alpha', key)
          else transaction.put('alpha', key, Buffer.alloc((n * 131) % 9_000, n))
        })
      }
    }
    const writers = Array.from({ length: 8 }, (_, number) => writer(number))
    await store.write((transaction) => {
      transaction.put('quarantine', Buffer.from(`found-${opening}`), Buffer.alloc(10))
    })
    await store.capabilities.backup?.(`${path}.copy-${opening}`)
    await expect.poll(() => pagesOf(path).walked ?? 0n, { timeout: 30_000 }).toBeGreaterThan(walkedBefore)
    if (opening === 1) await store.capabilities.rewrite?.({})
    isDone = true
    await Promise.all(writers)
    await store.close()
  }
})

test('a reading that goes from key to key ends where pages lie in each other’s place', async () => {
  for (const reverse of [false, true]) {
    const path = join(temporaryDirectory(), 'jobs.db')
    await makeStore(path)
    swapLeaves(path)
    const store = await openLmdbKv({ path, tables: TABLES, readOnly: true })
    try {
      readWhole(store, reverse)
    } catch (error) {
      expect(error).toMatchObject({ code: 'STORE_DAMAGED' })
    }
    await store.close()
  }
})
