import { join } from 'node:path'
import { openExecutionStore, openJobStore } from '@saltcod/store-core/backend'
import { unfoldedStore } from '@saltcod/store-core/format'
import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../test/random-numbers.ts'
import { testSeed } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import {
  applyExecutionRetention,
  applyRetention,
  foldFinished,
  openArchive,
  readArchivedJob,
} from '../src/index.ts'
import { BACKENDS } from './backends.ts'
import { dumpRows, fillWithExecutions, fillWithJobs, TestClock } from './workload.ts'

const DAY_MS = 86_400_000
const RECORDS = ['jobs', 'specs', 'executions', 'evaluations', 'history', 'feed', 'counters']
const SEED = testSeed()

describe.each(BACKENDS)('folding on %s', (_name, openKv) => {
  test(`jobs lie in fewer bytes, every row looks as before, and they leave and come back as others do (seed ${SEED})`, async () => {
    const clock = new TestClock()
    const kv = await openKv()
    const store = await openJobStore(kv, { clock: clock.read })
    await fillWithJobs(store, clock, randomNumbers(SEED), 60)
    const asSeen = unfoldedStore(kv, 'jobs')
    const before = dumpRows(asSeen, RECORDS)
    const { sequence } = await store.info()
    expect(await foldFinished(store)).toMatchObject({ folded: 0 })
    clock.nowMs += 3_600_000
    let told = 0
    const report = await foldFinished(store, {
      batchRecords: 7,
      onProgress: ({ folded }) => {
        told = folded
      },
    })
    expect(report).toMatchObject({ folded: told, complete: true })
    expect(report.folded).toBeGreaterThan(5)
    expect(report.bytesAfter * 2).toBeLessThan(report.bytesBefore)
    expect(dumpRows(asSeen, RECORDS)).toEqual(before)
    expect(dumpRows(kv, RECORDS).size).toBeLessThan(before.size)
    expect((await store.info()).sequence).toBe(sequence)
    expect((await store.check()).findings).toEqual([])
    expect(await foldFinished(store)).toMatchObject({ examined: 0, folded: 0 })

    const { items } = await store.listJobs({ limit: 1_000 })
    const finished = items.filter(({ finishedAtMs, hold }) => finishedAtMs !== null && hold === null)
    const copies = await Promise.all(finished.map(({ id }) => readArchivedJob(store, id)))
    const archive = await openArchive(join(temporaryDirectory(), 'archive'))
    clock.nowMs += DAY_MS / 2
    const { removed } = await applyRetention(store, [{ maxAgeMs: 1 }], { archive, clock: clock.read })
    expect(removed).toBeGreaterThan(5)
    for (const copy of copies) {
      const id = copy.versions[0]?.id ?? ''
      const archived = await archive.get(id)
      if (archived !== null) expect(archived).toEqual(copy)
      expect(archived === null).toBe((await store.getJob(id)) !== null)
    }
    expect((await store.check()).findings).toEqual([])
    await store.close()
  })

  test(`executions lie in fewer bytes, every row looks as before, and they leave as others do (seed ${SEED})`, async () => {
    const clock = new TestClock()
    const kv = await openKv()
    const store = await openExecutionStore(kv, { clock: clock.read })
    await fillWithExecutions(store, clock, randomNumbers(SEED), 60)
    const asSeen = unfoldedStore(kv, 'executions')
    const before = dumpRows(asSeen, RECORDS)
    const report = await foldFinished(store, { olderThanMs: 0 })
    expect(report.folded).toBeGreaterThan(5)
    expect(dumpRows(asSeen, RECORDS)).toEqual(before)
    expect((await store.check()).findings).toEqual([])
    const { removed } = await applyExecutionRetention(store, [{ maxCount: 0 }], { clock: clock.read })
    expect(removed).toBe(report.folded)
    expect((await store.check()).findings).toEqual([])
    await store.close()
  })
})

test('folding stops at a signal, keeps what is done, and refuses a bad rate', async () => {
  const [, openKv] = BACKENDS[0] ?? []
  if (openKv === undefined) throw new Error('there is no backend')
  const clock = new TestClock()
  const store = await openJobStore(await openKv(), { clock: clock.read })
  await fillWithJobs(store, clock, randomNumbers(7), 30)
  const stop = new AbortController()
  const options = { olderThanMs: 0, batchRecords: 2, signal: stop.signal, onProgress: () => stop.abort() }
  expect(await foldFinished(store, options)).toMatchObject({ folded: 2, complete: false })
  expect((await foldFinished(store, { olderThanMs: 0 })).folded).toBeGreaterThan(2)
  await expect(foldFinished(store, { recordsPerSecond: 0 })).rejects.toThrow(TypeError)
  await store.close()
})
