import assert from 'node:assert/strict'
import { join } from 'node:path'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { fastify } from 'fastify'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { type CompactedStore, Compaction } from '../../src/compaction/compaction.ts'
import type { StoreCompaction } from '../../src/compaction/compaction-report.ts'
import { addCompactionRoutes } from '../../src/compaction/compaction-routes.ts'

const MIN_BYTES = 200_000

/** A store in which jobs of about a megabyte came and went, and what its rewrites reported. */
async function openWithDeadSpace(deadShare: number) {
  const directory = temporaryDirectory()
  const store = await openLmdbJobStore({ path: join(directory, 'jobs.db') })
  const churn = async (): Promise<void> => {
    const text = 'x'.repeat(100_000)
    for (let n = 0; n < 10; n += 1) {
      const { job } = await store.submitJob({ type: 'batch', spec: { text }, evaluation: null })
      await store.transitionJob({ jobId: job.id, to: 'Completed' })
      await store.deleteJob({ jobId: job.id })
    }
    while ((await store.reclaim()).more);
  }
  const reports: StoreCompaction[] = []
  const compaction = new Compaction({
    stores: [{ name: 'jobs', store }],
    rules: { atStart: false, everyMs: 50, deadShare, minBytes: MIN_BYTES },
    log: pino({ level: 'silent' }),
    onRewritten: (report) => reports.push(report),
  })
  onTestFinished(async () => {
    await compaction.stop()
    await store.close()
  })
  return { store, churn, reports, compaction }
}

test('a running node looks at its stores again and again, and rewrites what is dead enough', async () => {
  const { store, churn, reports, compaction } = await openWithDeadSpace(0.3)
  await churn()
  const kept = await store.submitJob({ type: 'batch', spec: { word: 'cod' } })
  compaction.start()
  for (let times = 1; times <= 2; times += 1) {
    await expect.poll(() => reports.length, { timeout: 20_000 }).toBe(times)
    const { freeBytes = 0 } = store.capabilities.statistics?.() ?? {}
    assert.deepEqual([reports.at(-1)?.skipped, freeBytes < MIN_BYTES], [null, true])
    if (times === 1) await churn()
  }
  assert.deepEqual(await store.getJob(kept.job.id), kept.job)
  assert.deepEqual((await store.check()).findings, [])
})

test('what is not dead enough stays as it is, however often it is looked at', async () => {
  const { store, churn, reports, compaction } = await openWithDeadSpace(0.999)
  await churn()
  const { capabilities } = store
  let looks = 0
  const { statistics } = capabilities
  assert.ok(statistics !== undefined)
  Object.assign(capabilities, {
    statistics: () => {
      looks += 1
      return statistics()
    },
  })
  compaction.start()
  await expect.poll(() => looks, { timeout: 20_000 }).toBeGreaterThan(3)
  assert.deepEqual([reports, compaction.status.run], [[], 0])
})

test('of a store that tells no sizes nothing is decided by them, and it is rewritten only when asked to', async () => {
  const { store, churn, reports, compaction } = await openWithDeadSpace(0.3)
  await churn()
  const { statistics, ...rest } = store.capabilities
  assert.ok(statistics !== undefined)
  let looks = 0
  const silent = { capabilities: rest, info: () => store.info() }
  const watched = {
    capabilities: {
      ...rest,
      statistics: () => {
        looks += 1
        return { ...statistics(), freeBytes: 0 }
      },
    },
    info: () => store.info(),
  }
  const both = new Compaction({
    stores: [
      { name: 'executions', store: silent },
      { name: 'jobs', store: watched },
    ],
    rules: { atStart: false, everyMs: 50, deadShare: 0, minBytes: 0 },
    log: pino({ level: 'silent' }),
    onRewritten: (report) => reports.push(report),
  })
  onTestFinished(() => both.stop())
  both.start()
  await expect.poll(() => looks, { timeout: 20_000 }).toBeGreaterThan(3)
  assert.deepEqual([reports, both.status.run], [[], 0])
  await both.stop()

  const asked = new Compaction({
    stores: [{ name: 'executions', store: silent }],
    rules: { atStart: false, everyMs: 0, deadShare: 0, minBytes: 0 },
    log: pino({ level: 'silent' }),
    onRewritten: (report) => reports.push(report),
  })
  onTestFinished(() => asked.stop())
  asked.begin()
  await expect.poll(() => asked.status.running, { timeout: 20_000 }).toBe(false)
  expect(asked.status).toMatchObject({ error: null, report: {} })
  expect(reports).toMatchObject([{ store: 'executions', skipped: null }])
  await compaction.stop()
})

test('other rules hold at once, also where there was none to look', async () => {
  const { churn, reports, compaction } = await openWithDeadSpace(0.999)
  await churn()
  compaction.follow({ atStart: false, everyMs: 0, deadShare: 0.999, minBytes: MIN_BYTES })
  compaction.start()
  compaction.follow({ atStart: false, everyMs: 50, deadShare: 0.3, minBytes: MIN_BYTES })
  await expect.poll(() => reports.length, { timeout: 20_000 }).toBe(1)
})

test('that no store can be rewritten is told by the API alone', async () => {
  const store = { capabilities: { durable: true }, info: () => Promise.reject(new Error('not asked')) }
  const compaction = new Compaction({
    stores: [{ name: 'jobs', store: store as unknown as CompactedStore['store'] }],
    rules: { atStart: false, everyMs: 0, deadShare: 0, minBytes: 0 },
    log: pino({ level: 'silent' }),
  })
  expect(compaction.begin()).toBeNull()
  const api = fastify()
  const refusals: unknown[] = []
  api.setErrorHandler((error, _request, reply) => {
    refusals.push(error)
    void reply.send('')
  })
  addCompactionRoutes(api, compaction)
  await api.inject({ method: 'POST', url: '/api/v1/saltcod/compact' })
  expect(refusals).toMatchObject([{ code: 'NotImplemented', message: 'this store cannot be rewritten' }])
})
