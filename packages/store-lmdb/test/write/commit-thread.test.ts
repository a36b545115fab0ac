import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openLmdbKv } from '../../src/index.ts'
import { CommitThread } from '../../src/native/commit-thread.ts'
import { changesOf, groupMessage } from '../../src/native/group-message.ts'
import { CommitPlace } from '../../src/write/commit-place.ts'

const SCRIPT = fileURLToPath(new URL('./unclosed-process.mjs', import.meta.url))
const EXITING = fileURLToPath(new URL('./exiting-process.mjs', import.meta.url))
/** In milliseconds after the first write: a thread begins within a tenth of a second, and commits from then on. */
const EXITS = Array.from({ length: IS_LONG ? 150 : 10 }, (_, number) => (number * 15) % 151)
const TABLES = ['alpha', 'beta', 'gamma']

test('a message tells every change as it was', () => {
  const bytes = fc.uint8Array({ maxLength: 300 })
  const change = fc.record({ table: fc.constantFrom(...TABLES), key: bytes, value: fc.option(bytes) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const told = [...changesOf(groupMessage(changes, TABLES), TABLES)]
      expect(told.map(textOf)).toEqual(changes.map(textOf))
    }),
  )
})

function textOf({ table, key, value }: { table: string; key: Uint8Array; value: Uint8Array | null }): string {
  return `${table} ${Buffer.from(key).toString('hex')} ${value === null ? '-' : Buffer.from(value).toString('hex')}`
}

test('commits of one caller are made beside once they usually take long, not after a single one, and here again when they do not', () => {
  const place = new CommitPlace('auto')
  const notes = (times: number, tookMs: number): boolean => {
    for (let n = 0; n < times; n += 1) place.note({ tookMs, bodies: 1 })
    return place.isBeside
  }
  expect(notes(1_000, 2.5)).toBe(false)
  expect(notes(1, 7)).toBe(false)
  expect(notes(100, 3.5)).toBe(true)
  expect(notes(100, 2.5)).toBe(true)
  expect(notes(100, 1.5)).toBe(false)
  const always = new CommitPlace('always')
  const never = new CommitPlace('never')
  for (const one of [always, never]) for (let n = 0; n < 100; n += 1) one.note({ tookMs: 5, bodies: 9 })
  expect([always.isBeside, never.isBeside]).toEqual([true, false])
})

test('commits are made beside while several callers wait for each, however short they are', () => {
  const place = new CommitPlace('auto')
  const notes = (times: number, bodies: number): boolean => {
    for (let n = 0; n < times; n += 1) place.note({ tookMs: 0.1, bodies })
    return place.isBeside
  }
  expect(notes(1_000, 2)).toBe(false)
  expect(notes(1, 9)).toBe(false)
  expect(notes(100, 4)).toBe(true)
  expect(notes(100, 2.5)).toBe(true)
  for (let n = 0; n < 1_000; n += 1) place.noteBeside({ tookMs: 0.1, bodies: 4 }, 5)
  expect(place.isBeside).toBe(true)
  expect(notes(100, 1)).toBe(false)
})

/** A thread that opens the file of a descriptor. It is closed when the test is over. */
function threadOf(path: string, file: number): CommitThread {
  const thread = new CommitThread({ options: { path, readOnly: false, mapBytes: 1e6 }, tables: TABLES, file })
  onTestFinished(async () => await thread.close())
  return thread
}

test('commits are made here for a while where the way to the thread takes too much of them, and then tried again', () => {
  const place = new CommitPlace('auto')
  const [tookMs, bodies] = [10, 1]
  while (!place.isBeside) place.note({ tookMs, bodies })
  const beside = (times: number, aroundMs: number): boolean => {
    for (let n = 0; n < times; n += 1) place.noteBeside({ tookMs, bodies }, aroundMs)
    return place.isBeside
  }
  expect(beside(1_000, 2)).toBe(true)
  expect(beside(1, 5)).toBe(true)
  expect(beside(100, 5)).toBe(false)
  let here = 0
  for (; !place.isBeside; here += 1) place.note({ tookMs, bodies })
  expect(here).toBe(1_000)
  const always = new CommitPlace('always')
  for (let n = 0; n < 100; n += 1) always.noteBeside({ tookMs, bodies }, 50)
  expect(always.isBeside).toBe(true)
})

test('a thread that cannot open the file has ended, and takes no order', async () => {
  const directory = temporaryDirectory()
  const file = openSync(directory, 'r')
  onTestFinished(() => {
    closeSync(file)
  })
  const thread = threadOf(directory, file)
  expect(await thread.begun()).toBe(false)
  expect([thread.isReady, thread.hasEnded]).toEqual([false, true])
  await expect(thread.commit(new ArrayBuffer(0))).rejects.toThrow()
})

test.for(['moved away', 'removed'])(
  'a thread that begins when the file was %s makes no file in its place',
  async (fate) => {
    const directory = temporaryDirectory()
    const path = join(directory, 'jobs.db')
    const store = await openLmdbKv({ path, tables: TABLES, commitThread: 'never' })
    onTestFinished(async () => await store.close())
    const file = openSync(path, 'r+')
    if (fate === 'removed') rmSync(path)
    else renameSync(path, join(directory, 'elsewhere.db'))
    const before = readdirSync(directory)
    const thread = threadOf(path, file)
    expect(await thread.begun()).toBe(true)
    closeSync(file)
    await thread.commit(
      groupMessage([{ table: 'beta', key: Buffer.from('key'), value: Buffer.from('value') }], TABLES),
    )
    expect(readdirSync(directory)).toEqual(before)
  },
)

test('what the reserve needs is written by the thread too, and a full store refuses as it does without', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const quotaBytes = 24 * 1024 * 1024
  const store = await openLmdbKv({ path, tables: TABLES, commitThread: 'always', quotaBytes })
  const put = (id: number) =>
    store.write((transaction) =>
      transaction.put('alpha', Buffer.from(`row ${id}`), Buffer.alloc(200_000, id)),
    )
  let written = 0
  const fill = async (): Promise<void> => {
    for (;;) {
      await put(written)
      written += 1
    }
  }
  await expect(fill()).rejects.toMatchObject({ code: 'STORE_FULL' })
  expect(written).toBeGreaterThan(20)
  const there = store.read((snapshot) => snapshot.keys('alpha', { limit: 10_000 }))
  expect(there.length).toBe(written)
  await store.write((transaction) => transaction.remove('alpha', Buffer.from('row 0')), { frees: true })
  await store.close()
  const again = await openLmdbKv({ path, tables: TABLES })
  expect(again.read((snapshot) => snapshot.keys('alpha', { limit: 10_000 })).length).toBe(written - 1)
  await again.close()
})

test('a process that has nothing else to do ends, though its store was not closed', () => {
  const said = execFileSync(process.execPath, [SCRIPT, join(temporaryDirectory(), 'jobs.db')], {
    encoding: 'utf8',
  })
  expect(said).toBe('written\n')
})

test('a process that exits while its thread begins, or commits, ends as it says', {
  timeout: EXITS.length * 5_000,
}, () => {
  for (const ms of EXITS) {
    const path = join(temporaryDirectory(), 'jobs.db')
    const { status, signal, stderr } = spawnSync(process.execPath, [EXITING, path, String(ms)], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect({ ms, status, signal, stderr }).toEqual({ ms, status: 74, signal: null, stderr: '' })
  }
})
