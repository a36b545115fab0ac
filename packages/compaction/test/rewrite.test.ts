import { join } from 'node:path'
import { type KvStore, openJobStore, STORE_TABLES } from '@saltcod/store-core/backend'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { compact, deadShare, rewrite } from '../src/index.ts'

const clock = () => 1_700_000_000_000

/** Every row of a store. */
function rowsOf(kv: KvStore): Map<string, string> {
  const rows = new Map<string, string>()
  for (const table of STORE_TABLES) {
    for (const { key, value } of kv.read((snapshot) => snapshot.range(table, { limit: 10_000 }))) {
      rows.set(`${table} ${Buffer.from(key).toString('hex')}`, Buffer.from(value).toString('hex'))
    }
  }
  return rows
}

/** Makes jobs and deletes most of them. */
async function fill(kv: KvStore): Promise<void> {
  const store = await openJobStore(kv, { clock })
  const jobs = await Promise.all(
    Array.from({ length: 300 }, (_, n) =>
      store.submitJob({ type: 'batch', spec: { n, text: 'x'.repeat(1_000) } }),
    ),
  )
  await Promise.all(
    jobs.slice(30).map(async ({ job }) => {
      await store.transitionJob({ jobId: job.id, to: 'Stopped' })
      await store.deleteJob({ jobId: job.id })
    }),
  )
  for (let more = true; more; ) more = (await store.reclaim()).more
  while ((await store.trimFeed({ maxBytes: 0 })) > 0);
}

test('a rewrite gives back what deleted jobs took, and changes no row', async () => {
  const kv = await openLmdbKv({ path: join(temporaryDirectory(), 'jobs.db'), tables: STORE_TABLES })
  await fill(kv)
  const before = rowsOf(kv)
  const dead = kv.capabilities.statistics?.()
  const { bytesBefore, bytesAfter } = await rewrite(kv)
  expect(bytesAfter).toBeLessThanOrEqual(bytesBefore)
  expect(rowsOf(kv)).toEqual(before)
  const statistics = kv.capabilities.statistics?.()
  expect(dead && deadShare(dead)).toBeGreaterThan(0.2)
  expect(statistics && deadShare(statistics)).toBeLessThan(0.2)
  const store = await openJobStore(kv, { clock })
  expect((await store.check()).findings).toEqual([])
  await store.close()
})

test('a store without a file cannot be rewritten, and says so', async () => {
  const store = await openMemoryJobStore()
  await expect(rewrite(store)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await store.close()
})

test('a stopped store is copied row by row into an empty one', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  const writable = await openLmdbKv({ path, tables: STORE_TABLES })
  await fill(writable)
  const before = rowsOf(writable)
  await writable.close()
  const source = await openLmdbKv({ path, tables: STORE_TABLES, readOnly: true })
  const target = await openLmdbKv({ path: join(directory, 'small.db'), tables: STORE_TABLES })
  const told: number[] = []
  const { rows } = await compact(source, target, { onProgress: (copied) => told.push(copied) })
  expect(rows).toBe(before.size)
  expect(told.at(-1)).toBe(rows)
  expect(rowsOf(target)).toEqual(before)
  await expect(compact(source, target)).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
  const store = await openJobStore(target, { clock })
  expect((await store.check()).findings).toEqual([])
  await store.close()
  await source.close()
})

test('a store that changes while it is copied makes the copy fail', async () => {
  const directory = temporaryDirectory()
  const kv = await openLmdbKv({ path: join(directory, 'jobs.db'), tables: STORE_TABLES })
  const store = await openJobStore(kv, { clock })
  const { job } = await store.submitJob({ type: 'batch', spec: {} })
  const target = await openLmdbKv({ path: join(directory, 'small.db'), tables: STORE_TABLES })
  let change: Promise<unknown> | undefined
  const copy = compact(kv, target, {
    onProgress: () => {
      change ??= store.transitionJob({ jobId: job.id, to: 'Stopped' })
    },
  })
  await expect(copy).rejects.toMatchObject({ code: 'REWRITE_STOPPED' })
  await change
  await target.close()
  await store.close()
})
