import { copyFileSync, linkSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type KvTransaction, KvWriteQueue } from '@saltcod/store-core/backend'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { resolveStorePath, type StorePath } from '../../src/file/store-path.ts'
import { openLmdbJobStore, openLmdbKv } from '../../src/index.ts'
import { type Environment, openEnvironment } from '../../src/native/environment.ts'
import { OwnerLock } from '../../src/owner/owner-lock.ts'
import { announceSwap, swapFiles } from '../../src/rewrite/file-swap.ts'
import { OnlineRewrite, REWRITE_LIMITS, type RewriteLimits } from '../../src/rewrite/online-rewrite.ts'
import type { CommitThreadUse } from '../../src/write/commit-place.ts'
import { GroupWriter } from '../../src/write/group-writer.ts'
import { Reserve } from '../../src/write/reserve.ts'

const TABLES = ['alpha']
const STORE_FILES = ['jobs.db', 'jobs.db-lock', 'jobs.db.owner']
const key = Buffer.from('key')

/** Makes a closed store with one row, and returns its path. */
async function makeStore(value: string): Promise<string> {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES })
  await store.write((transaction) => {
    transaction.put('alpha', key, Buffer.from(value))
  })
  await store.close()
  return path
}

/** Opens a store, and returns its row and what its opening had to tell. */
async function reopen(path: string): Promise<{ value: string; notices: string[]; files: string[] }> {
  const notices: string[] = []
  const store = await openLmdbKv({ path, tables: TABLES, onNotice: ({ message }) => notices.push(message) })
  const value = String(store.read((snapshot) => snapshot.get('alpha', key)))
  const files = readdirSync(join(path, '..')).sort()
  await store.close()
  return { value, notices, files }
}

/** Brings files into the state of a crash after the exchange: another file has the name, the old one is kept. */
function exchange(path: string, replacement: string): void {
  linkSync(path, `${path}.prev`)
  copyFileSync(replacement, `${path}.rewrite`)
  renameSync(`${path}.rewrite`, path)
  writeFileSync(`${path}.rewrite-swap`, '')
}

test('an opening keeps the new file where it is whole', async () => {
  const path = await makeStore('old')
  exchange(path, await makeStore('new'))
  const { value, notices, files } = await reopen(path)
  expect({ value, files }).toEqual({ value: 'new', files: STORE_FILES })
  expect(notices[0]).toContain('is whole and was kept')
})

test('an opening puts the old file back where the new one is another store, or the same one as it was before', async () => {
  const jobsAt = async (count: number, path = join(temporaryDirectory(), 'jobs.db')): Promise<string> => {
    const store = await openLmdbJobStore({ path })
    for (let number = 0; number < count; number += 1)
      await store.submitJob({ type: 'batch', spec: { number } })
    await store.close()
    return path
  }
  const countOf = async (path: string): Promise<number> => {
    const store = await openLmdbJobStore({ path })
    const { items } = await store.listJobs({})
    await store.close()
    return items.length
  }
  const path = await jobsAt(2)
  const before = join(temporaryDirectory(), 'before.db')
  copyFileSync(path, before)
  await jobsAt(1, path)
  exchange(path, before)
  expect(await countOf(path)).toBe(3)
  exchange(path, await jobsAt(9))
  expect(await countOf(path)).toBe(3)
})

test('an opening puts the old file back where the new one is not whole, or there is none', async () => {
  const broken = join(temporaryDirectory(), 'broken')
  writeFileSync(broken, Buffer.alloc(100_000, 7))
  const torn = await makeStore('old')
  exchange(torn, broken)
  const absent = await makeStore('old')
  exchange(absent, broken)
  rmSync(absent)
  for (const path of [torn, absent]) {
    const { value, notices, files } = await reopen(path)
    expect({ value, files }).toEqual({ value: 'old', files: STORE_FILES })
    expect(notices[0]).toContain('the old one was put back')
  }
})

test('an opening removes what a rewrite left that had not come to the exchange', async () => {
  const path = await makeStore('old')
  copyFileSync(path, `${path}.rewrite`)
  writeFileSync(`${path}.rewrite-lock`, '')
  const first = await reopen(path)
  expect(first).toMatchObject({ value: 'old', files: STORE_FILES })
  expect(first.notices[0]).toContain('had not taken effect')
  linkSync(path, `${path}.prev`)
  writeFileSync(`${path}.rewrite-swap`, '')
  expect(await reopen(path)).toMatchObject({ value: 'old', files: STORE_FILES })
})

test('a reader reads what a dead owner left, except where data and lock file belong to two files', async () => {
  const path = await makeStore('old')
  exchange(path, await makeStore('new'))
  const reader = await openLmdbKv({ path, tables: TABLES, readOnly: true })
  expect(String(reader.read((snapshot) => snapshot.get('alpha', key)))).toBe('new')
  await reader.close()
  writeFileSync(`${path}.rewrite-lock`, '')
  await expect(openLmdbKv({ path, tables: TABLES, readOnly: true })).rejects.toMatchObject({
    code: 'STORE_LOCKED',
  })
  expect((await reopen(path)).files).toEqual(STORE_FILES)
})

/** The parts of a store in use, without the store. */
interface Parts {
  readonly paths: StorePath
  readonly environment: Environment
  readonly queue: KvWriteQueue
  readonly failures: unknown[]
  /** Resolves when a thread that makes every commit has begun. */
  readonly begun: () => Promise<void>
  readonly listen: GroupWriter['listen']
  readonly rewrite: (limits: Partial<RewriteLimits>, onProgress?: () => void) => Promise<unknown>
  readonly close: () => Promise<void>
}

async function openParts(path: string, threadUse: CommitThreadUse = 'auto'): Promise<Parts> {
  const paths = resolveStorePath(path, false)
  const environment = await openEnvironment({ path, readOnly: false, mapBytes: 2 ** 30 })
  environment.openTables(TABLES)
  const options = { quotaBytes: Number.MAX_SAFE_INTEGER, lowSpaceBytes: 0 }
  const reserve = new Reserve(path, environment.pageBytes, environment.lastPage() + 1, options)
  const failures: unknown[] = []
  const lock = OwnerLock.tryTake(paths)
  if (lock === undefined) throw new Error('there is no store')
  const writer = new GroupWriter(
    { environment, reserve, tables: new Set(TABLES), threadUse },
    { confirm: () => undefined, committed: () => undefined, quarantined: () => undefined },
  )
  const queue = new KvWriteQueue({
    location: path,
    tables: new Set(TABLES),
    commit: (group) => writer.commit(group),
    failed: (error) => void failures.push(error),
  })
  const parts = {
    paths,
    lock,
    environment,
    writer,
    queue,
    reserve,
    mapBytes: 2 ** 30,
    onMoved: () => undefined,
    onFailure: (error: unknown) => failures.push(error),
    assertUsable: () => undefined,
    hasFailed: () => failures.length > 0,
  }
  return {
    paths,
    environment,
    queue,
    failures,
    begun: () => writer.begun(),
    listen: (listener) => {
      writer.listen(listener)
    },
    rewrite: (limits, onProgress) =>
      new OnlineRewrite(parts, onProgress === undefined ? {} : { onProgress }, {
        ...REWRITE_LIMITS,
        ...limits,
      }).run(),
    close: async () => {
      await queue.idle()
      await writer.leaveThread()
      await environment.close()
      reserve.close()
      lock.release(true)
    },
  }
}

test('a new file that is not what it should be gives way to the old one, and the store goes on', async () => {
  const path = await makeStore('old')
  const { paths, environment, failures, queue, close } = await openParts(path)
  copyFileSync(await makeStore('new'), `${path}.rewrite`)
  writeFileSync(`${path}.rewrite-lock`, Buffer.alloc(8_272))
  announceSwap(paths)
  const refuse = (): void => {
    expect(String(environment.get('alpha', key))).toBe('new')
    throw new Error('it is another one')
  }
  expect(() => swapFiles(paths, environment, refuse, (error) => failures.push(error))).toThrow('another one')
  expect(failures).toEqual([])
  await queue.submit((transaction) => {
    expect(String(transaction.get('alpha', key))).toBe('old')
    transaction.put('alpha', key, Buffer.from('goes on'))
  }, {})
  await close()
  expect(await reopen(path)).toMatchObject({ value: 'goes on', files: STORE_FILES })
})

test.each(['never', 'always'] as const)(
  'whoever follows changes hears of each when it can be read, where threads commit: %s',
  async (threadUse) => {
    const { begun, close, environment, listen, queue } = await openParts(await makeStore('0'), threadUse)
    await begun()
    const heard: string[] = []
    listen((changes) => {
      for (const change of changes) heard.push(String(environment.get(change.table, change.key)))
    })
    for (const value of ['1', '2', '3'])
      await queue.submit((transaction) => {
        transaction.put('alpha', key, Buffer.from(value))
      }, {})
    expect(heard).toEqual(['1', '2', '3'])
    listen(undefined)
    await close()
  },
)

/** Writes one value after another, until what is returned is called, which resolves with the last one. */
function writeOn(
  queue: KvWriteQueue,
  write: (transaction: KvTransaction, value: Buffer) => void,
): () => Promise<string> {
  let working = true
  let last = 0
  const writing = (async () => {
    while (working) {
      last += 1
      const value = Buffer.from(String(last))
      await queue.submit((transaction) => write(transaction, value), {})
    }
  })()
  return async () => {
    working = false
    await writing
    return String(last)
  }
}

test.each(['never', 'always'] as const)(
  'a rewrite beside writers carries over the last value of each row, where threads commit: %s',
  async (threadUse) => {
    const path = await makeStore('0')
    const parts = await openParts(path, threadUse)
    await parts.begun()
    const rows = Array.from({ length: 400 }, (_, n) => Buffer.from(`row ${n}`))
    const stopWriting = writeOn(parts.queue, (transaction, value) => {
      for (const row of rows) transaction.put('alpha', row, value)
    })
    for (let round = 0; round < 5; round += 1) {
      await parts.rewrite({})
      const values = new Set(rows.map((row) => String(parts.environment.get('alpha', row))))
      // All rows are written in one transaction, so that one left behind has another value.
      expect([...values]).toHaveLength(1)
    }
    const last = await stopWriting()
    expect(rows.map((row) => String(parts.environment.get('alpha', row)))).toEqual(rows.map(() => last))
    await parts.close()
    expect(parts.failures).toEqual([])
  },
)

test('a rewrite stops where too many rows change, or it cannot catch up', async () => {
  const path = await makeStore('0')
  const parts = await openParts(path)
  const stopWriting = writeOn(parts.queue, (transaction, value) => {
    transaction.put('alpha', key, value)
    for (let n = 0; n < 50; n += 1) transaction.put('alpha', Buffer.from(`row ${value} ${n}`), value)
  })
  const stopped = { code: 'REWRITE_STOPPED' }
  await expect(parts.rewrite({ journalKeys: 10 })).rejects.toMatchObject(stopped)
  await expect(parts.rewrite({ lastRoundKeys: -1, slowMs: 100 })).rejects.toMatchObject(stopped)
  expect(readdirSync(join(path, '..')).sort()).toEqual(STORE_FILES)
  await parts.rewrite({})
  const last = await stopWriting()
  await parts.close()
  expect(parts.failures).toEqual([])
  expect(await reopen(path)).toMatchObject({ value: last, files: STORE_FILES })
})
