import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KvStore } from '@saltcod/store-core/backend'
import { expect, test } from 'vitest'
import { randomBelow } from '../../../../test/random-numbers.ts'
import { testSeed } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openLmdbKv } from '../../src/index.ts'
import { StoreProcess } from '../store-process.ts'

const TABLES = ['alpha', 'beta']
const STORE_FILES = ['jobs.db', 'jobs.db-lock', 'jobs.db.owner']

const numbered = (id: number): Buffer => Buffer.from(String(id).padStart(8, '0'))

/** All rows of a table, as text. */
function rowsOf(store: KvStore, table: string): Map<string, string> {
  const rows = new Map<string, string>()
  let after: Uint8Array | undefined
  for (;;) {
    const range = after === undefined ? { limit: 5_000 } : { gt: after, limit: 5_000 }
    const found = store.read((snapshot) => snapshot.range(table, range))
    for (const { key, value } of found) {
      rows.set(Buffer.from(key).toString('latin1'), Buffer.from(value).toString('latin1'))
    }
    after = found.at(-1)?.key
    if (after === undefined) return rows
  }
}

/** Puts so many rows, then removes all but every tenth. */
async function fillAndThin(store: KvStore, count: number): Promise<void> {
  for (let id = 0; id < count; id += 500) {
    await store.write((transaction) => {
      for (let n = id; n < Math.min(id + 500, count); n += 1) {
        transaction.put('alpha', numbered((n * 7_919) % count), Buffer.alloc(400, n))
      }
    })
  }
  for (let id = 0; id < count; id += 500) {
    await store.write((transaction) => {
      for (let n = id; n < Math.min(id + 500, count); n += 1) {
        if (n % 10 !== 0) transaction.remove('alpha', numbered(n))
      }
    })
  }
}

function rewrite(store: KvStore, options = {}): Promise<unknown> {
  return store.capabilities.rewrite?.(options) ?? Promise.reject(new Error('there is no rewrite'))
}

test('it comes to an end while a writer adds rows at the end of a table without a pause', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES })
  let written = 0
  const ending = new AbortController()
  const writer = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await store.write((transaction) => {
        for (const table of TABLES) transaction.put(table, numbered(written), Buffer.alloc(200, written))
      })
      written += 1
    }
  }
  const writing = writer()
  try {
    await rewrite(store, { signal: AbortSignal.timeout(40_000) })
  } finally {
    ending.abort()
    await writing
  }
  for (const table of TABLES) expect(rowsOf(store, table).size).toBe(written)
  await store.close()
})

test('random writes during rewrites end up as in a model, and every other row is what it was', async () => {
  const seed = testSeed()
  const random = randomBelow(seed)
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES })
  const model = new Map<string, Map<string, string>>(TABLES.map((table) => [table, new Map()]))
  let working = true
  let written = 0
  const caller = async (): Promise<void> => {
    while (working) {
      const changes = Array.from({ length: 1 + random(20) }, () => ({
        table: random(3) === 0 ? 'beta' : 'alpha',
        key: numbered(random(3_000)),
        value:
          random(3) === 0 ? undefined : Buffer.alloc(random(20) === 0 ? 9_000 : random(700), random(256)),
      }))
      await store.write((transaction) => {
        for (const { table, key, value } of changes) {
          if (value === undefined) transaction.remove(table, key)
          else transaction.put(table, key, value)
          // In the order in which bodies run, which is that of the commits.
          if (value === undefined) model.get(table)?.delete(key.toString('latin1'))
          else model.get(table)?.set(key.toString('latin1'), value.toString('latin1'))
        }
      })
      written += 1
    }
  }
  const callers = [caller(), caller(), caller()]
  for (let round = 0; round < 3; round += 1) await rewrite(store)
  working = false
  await Promise.all(callers)
  const compare = (opened: KvStore): void => {
    for (const table of TABLES) {
      const found = rowsOf(opened, table)
      const expected = model.get(table) ?? new Map()
      const wrong = [...expected].filter(([key, value]) => found.get(key) !== value).map(([key]) => key)
      expect({ seed, table, rows: found.size, wrong }).toEqual({
        seed,
        table,
        rows: expected.size,
        wrong: [],
      })
    }
  }
  compare(store)
  expect(written).toBeGreaterThan(10)
  await store.close()
  const again = await openLmdbKv({ path, tables: TABLES })
  compare(again)
  await again.close()
})

test('a thinned store takes no more pages than one that was made of what is left', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES })
  await fillAndThin(store, 20_000)
  const before = rowsOf(store, 'alpha')
  const progress: [number, number][] = []
  const report = await store.capabilities.rewrite?.({
    onProgress: (copied, total) => progress.push([copied, total]),
  })
  expect(rowsOf(store, 'alpha')).toEqual(before)
  expect(progress.at(-1)).toEqual([2_000, 2_000])
  const fresh = await openLmdbKv({ path: join(directory, 'fresh.db'), tables: TABLES })
  for (let n = 0; n < 20_000; n += 2_000) {
    await fresh.write((transaction) => {
      for (const [key, value] of [...before].slice(n / 10, n / 10 + 200)) {
        transaction.put('alpha', Buffer.from(key, 'latin1'), Buffer.from(value, 'latin1'))
      }
    })
  }
  const used = store.capabilities.statistics?.().usedBytes ?? Number.NaN
  expect(used).toBeLessThanOrEqual(1.15 * (fresh.capabilities.statistics?.().usedBytes ?? 0))
  const fileBytes = store.capabilities.statistics?.().fileBytes
  expect(report).toMatchObject({ bytesAfter: fileBytes })
  expect(report?.bytesAfter).toBeLessThan((report?.bytesBefore ?? 0) / 2)
  await fresh.close()
  await store.close()
})

test('tables that this release does not know are kept', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const later = await openLmdbKv({ path, tables: [...TABLES, 'of a later release'] })
  await later.write((transaction) => {
    transaction.put('of a later release', numbered(1), Buffer.from('kept'))
  })
  await later.close()
  const store = await openLmdbKv({ path, tables: TABLES })
  await rewrite(store)
  await store.close()
  const again = await openLmdbKv({ path, tables: [...TABLES, 'of a later release'] })
  expect(rowsOf(again, 'of a later release').size).toBe(1)
  await again.close()
})

test('an abort, a callback that throws and a closing end a rewrite and leave nothing behind', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  let store = await openLmdbKv({ path, tables: TABLES })
  await fillAndThin(store, 5_000)
  const before = rowsOf(store, 'alpha')
  const abort = new AbortController()
  const reason = new Error('enough')
  await expect(rewrite(store, { signal: abort.signal, onProgress: () => abort.abort(reason) })).rejects.toBe(
    reason,
  )
  await expect(
    rewrite(store, {
      onProgress: () => {
        throw reason
      },
    }),
  ).rejects.toBe(reason)
  expect(readdirSync(directory).sort()).toEqual(STORE_FILES)
  await expect(rewrite(store, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const cut = expect(rewrite(store)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  await store.close()
  await cut
  expect(readdirSync(directory).sort()).toEqual(STORE_FILES)
  const notices: string[] = []
  store = await openLmdbKv({ path, tables: TABLES, onNotice: ({ code }) => notices.push(code) })
  expect(notices).toEqual([])
  expect(rowsOf(store, 'alpha')).toEqual(before)
  await store.close()
})

test('a second rewrite at the same time, and one of a store open for reading, are refused', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES })
  const first = rewrite(store)
  await expect(rewrite(store)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  await first
  const reader = await openLmdbKv({ path, tables: TABLES, readOnly: true })
  await expect(rewrite(reader)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' })
  await reader.close()
  await store.close()
  await expect(rewrite(store)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
})

test('what is in the way of a rewrite and cannot be removed is an error of the store, which goes on', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbKv({ path, tables: ['alpha'] })
  await store.write((transaction) => transaction.put('alpha', Buffer.from('a'), Buffer.from('1')))
  const inTheWay = `${path}.rewrite-lock`
  mkdirSync(inTheWay)
  await expect(store.capabilities.rewrite?.()).rejects.toMatchObject({
    name: 'StoreError',
    code: 'STORE_PERMISSION',
  })
  rmdirSync(inTheWay)
  await store.capabilities.rewrite?.()
  await store.write((transaction) => transaction.put('alpha', Buffer.from('b'), Buffer.from('2')))
  expect(store.read((snapshot) => snapshot.keys('alpha', { limit: 9 })).map(String)).toEqual(['a', 'b'])
  await store.close()
})

test('a file that has the name of the old one is left alone, and the store goes on', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES })
  await fillAndThin(store, 1_000)
  const before = rowsOf(store, 'alpha')
  writeFileSync(`${path}.prev`, 'my own copy')
  await expect(rewrite(store)).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
  expect(readdirSync(directory).sort()).toEqual([...STORE_FILES, 'jobs.db.prev'])
  await store.write((transaction) => {
    transaction.put('beta', numbered(1), Buffer.from('goes on'))
  })
  await store.close()
  const again = await openLmdbKv({ path, tables: TABLES })
  expect(rowsOf(again, 'alpha')).toEqual(before)
  expect(rowsOf(again, 'beta').size).toBe(1)
  expect(existsSync(`${path}.prev`)).toBe(true)
  await again.close()
})

test('backups that are made during rewrites are whole', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES })
  await fillAndThin(store, 2_000)
  const before = rowsOf(store, 'alpha')
  const rewrites = (async () => {
    for (let round = 0; round < 2; round += 1) await rewrite(store)
  })()
  let ended = false
  void rewrites.finally(() => {
    ended = true
  })
  let backups = 0
  while (!ended) {
    backups += 1
    await store.capabilities.backup?.(join(directory, `backup-${backups}.db`))
  }
  await rewrites
  for (let backup = 1; backup <= backups; backup += 1) {
    const copy = await openLmdbKv({ path: join(directory, `backup-${backup}.db`), tables: TABLES })
    expect(rowsOf(copy, 'alpha')).toEqual(before)
    await copy.close()
  }
  await store.close()
})

test('readers in this and in another process follow the exchange of files', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const writer = new StoreProcess('rewrite', path)
  await writer.line('open')
  const reader = new StoreProcess('read', path)
  await reader.line('seen')
  const own = await openLmdbKv({ path, tables: TABLES, readOnly: true })
  const highest = (): number =>
    Number(own.read((snapshot) => snapshot.keys('alpha', { limit: 1, reverse: true })[0] ?? 0))
  const rewritten = (): number => writer.lines.filter((line) => line.startsWith('rewritten')).length
  for (let last = 0; rewritten() < 2; ) {
    const now = highest()
    expect(now).toBeGreaterThanOrEqual(last)
    last = now
    await new Promise((resolve) => setImmediate(resolve))
  }
  await writer.line('rewritten')
  const target = Math.max(
    ...writer.lines.filter((line) => line.startsWith('kept')).map((line) => Number(line.split(' ')[1])),
  )
  expect(highest()).toBeGreaterThanOrEqual(target)
  const seen = (): number => Number(reader.lines.at(-1)?.split(' ')[1] ?? 0)
  while (seen() < target) await reader.count(reader.lines.length + 1)
  await own.close()
  expect(await reader.end()).toBe('0')
  expect(reader.lines.filter((line) => /torn|backwards|error/.test(line))).toEqual([])
  expect(writer.lines.filter((line) => line.startsWith('failed'))).toEqual([])
  await writer.kill()
})

test('what a reader backs up after an exchange is the new file', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  const writer = new StoreProcess('rewrite', path)
  await writer.line('open')
  const reader = await openLmdbKv({ path, tables: TABLES, readOnly: true })
  const highest = (store: KvStore): number =>
    Number(store.read((snapshot) => snapshot.keys('alpha', { limit: 1, reverse: true })[0] ?? 0))
  highest(reader)
  await writer.line('rewritten')
  await writer.count(writer.lines.length + 50)
  const kept = writer.lines
    .filter((line) => line.startsWith('kept'))
    .map((line) => Number(line.split(' ')[1]))
  const copyPath = join(directory, 'copy.db')
  await reader.capabilities.backup?.(copyPath)
  const copy = await openLmdbKv({ path: copyPath, tables: TABLES, readOnly: true })
  expect(highest(copy)).toBeGreaterThanOrEqual(Math.max(...kept))
  await copy.close()
  await reader.close()
  await writer.kill()
})

test('a reader beside the owner in one process sees what is written after a rewrite', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const owner = await openLmdbKv({ path, tables: TABLES })
  const reader = await openLmdbKv({ path, tables: TABLES, readOnly: true })
  for (let round = 0; round < 5; round += 1) {
    await owner.write((transaction) => {
      transaction.put('alpha', numbered(round), Buffer.from([round]))
    })
    await rewrite(owner)
    expect(rowsOf(reader, 'alpha').size).toBe(round + 1)
    expect(rowsOf(owner, 'alpha').size).toBe(round + 1)
  }
  const later = await openLmdbKv({ path, tables: TABLES, readOnly: true })
  await owner.close()
  expect(rowsOf(later, 'alpha').size).toBe(5)
  await later.close()
  await reader.close()
})
