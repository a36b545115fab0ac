import type { Job, JobStore } from '@saltcod/store-core'
import { openJobStore } from '@saltcod/store-core/backend'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../test/random-numbers.ts'
import { testSeed } from '../../../test/seed.ts'
import { applyRetention, type JobRetentionRule } from '../src/index.ts'
import { BACKENDS } from './backends.ts'
import { dumpRows, fillWithJobs, pick, TestClock } from './workload.ts'

const KEPT_TABLES = ['jobs', 'specs', 'executions', 'evaluations', 'history', 'index']

async function allJobs(store: JobStore): Promise<Job[]> {
  const jobs: Job[] = []
  for (let cursor: string | null = null; ; ) {
    const page: Awaited<ReturnType<JobStore['listJobs']>> = await store.listJobs({ limit: 1_000, cursor })
    jobs.push(...page.items)
    cursor = page.next
    if (cursor === null) return jobs
  }
}

/** The plain model: looks at every job, sorts, and says which go. */
async function jobsToGo(
  store: JobStore,
  rules: readonly JobRetentionRule[],
  nowMs: number,
): Promise<Set<string>> {
  const going = new Set<string>()
  const jobs = await allJobs(store)
  for (const rule of rules) {
    for (const namespace of ['default', 'science', 'web']) {
      for (const state of ['Completed', 'Failed', 'Stopped'] as const) {
        if (rule.namespace !== undefined && rule.namespace !== namespace) continue
        if (rule.state !== undefined && rule.state !== state) continue
        const { items } = await store.listFinishedJobs({ namespace, state, limit: 1_000 })
        const bytesOf = new Map(items.map(({ id, bytes }) => [id, bytes]))
        const newestFirst = jobs
          .filter((job) => job.namespace === namespace && job.state === state)
          .sort((a, b) => (b.finishedAtMs ?? 0) - (a.finishedAtMs ?? 0))
        let bytes = 0
        for (const [position, { id, finishedAtMs }] of newestFirst.entries()) {
          bytes += bytesOf.get(id) ?? Number.NaN
          if (
            nowMs - (finishedAtMs ?? 0) >= (rule.maxAgeMs ?? Number.POSITIVE_INFINITY) ||
            position >= (rule.maxCount ?? Number.POSITIVE_INFINITY) ||
            bytes > (rule.maxBytes ?? Number.POSITIVE_INFINITY)
          ) {
            going.add(id)
          }
        }
      }
    }
  }
  for (const { id, hold } of jobs) {
    const { items } = await store.listExecutions({ jobId: id, inProgress: true })
    if (hold !== null || items.length > 0) going.delete(id)
  }
  return going
}

function randomRule(random: () => number, spanMs: number): JobRetentionRule {
  const namespace = pick(random, ['default', 'science', 'web', 'nobody', undefined])
  const state = pick(random, ['Completed', 'Failed', 'Stopped', undefined] as const)
  const limit = pick(random, [
    { maxAgeMs: Math.floor(random() * spanMs) },
    { maxCount: Math.floor(random() * 12) },
    { maxBytes: Math.floor(random() * 6_000) },
    { maxAgeMs: Math.floor(random() * spanMs), maxCount: Math.floor(random() * 12) },
  ])
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(state === undefined ? {} : { state }),
    ...limit,
  }
}

describe.each(BACKENDS)('retention of jobs on %s', (_name, open) => {
  test('removes exactly what the rules say, and leaves every byte of the others alone', async () => {
    for (let round = 0; round < 4; round++) {
      const seed = testSeed() + round
      const random = randomNumbers(seed)
      const clock = new TestClock()
      const kv = await open()
      const store = await openJobStore(kv, { clock: clock.read })
      const beganMs = clock.nowMs
      await fillWithJobs(store, clock, random, 90)
      const rules = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
        randomRule(random, clock.nowMs - beganMs),
      )
      const said = `seed ${seed}, rules ${JSON.stringify(rules)}`
      const going = await jobsToGo(store, rules, clock.nowMs)
      const before = dumpRows(kv, KEPT_TABLES)
      const kept = (await allJobs(store)).filter(({ id }) => !going.has(id))
      const options = { clock: clock.read, feed: null, evaluationsOlderThanMs: null, batchRecords: 7 }

      const plan = await applyRetention(store, rules, { ...options, dryRun: true })
      expect(plan.removed, said).toBe(going.size)
      expect(dumpRows(kv, KEPT_TABLES), said).toEqual(before)

      const report = await applyRetention(store, rules, options)
      expect([report.removed, report.removedBytes, report.overdueMs], said).toEqual([
        going.size,
        plan.removedBytes,
        0,
      ])
      expect(report.overdueBeforeMs, said).toBe(plan.overdueMs)
      expect(await allJobs(store), said).toEqual(kept)
      const after = dumpRows(kv, KEPT_TABLES)
      for (const [key, value] of after) expect(before.get(key), `${said}: ${key}`).toBe(value)
      const gone = [...before].filter(([key]) => !after.has(key) && !key.startsWith('index '))
      expect(
        gone.reduce((sum, [, value]) => sum + value.length / 2, 0),
        said,
      ).toBe(report.removedBytes)
      expect((await store.check()).findings, said).toEqual([])
      expect(await store.reclaim(), said).toEqual({ removedRows: 0, finished: [], more: false })
      expect((await applyRetention(store, rules, options)).removed, said).toBe(0)
      await store.close()
    }
  })
})

async function storeOfEnded(
  number: number,
): Promise<{ store: JobStore; clock: TestClock; ids: readonly string[] }> {
  const clock = new TestClock()
  const store = await openMemoryJobStore({ clock: clock.read })
  const ids: string[] = []
  for (let n = 0; n < number; n++) {
    const { job } = await store.submitJob({ type: 'batch', spec: n, evaluation: null })
    clock.nowMs += 1_000
    await store.transitionJob({ jobId: job.id, to: 'Completed' })
    ids.push(job.id)
  }
  return { store, clock, ids }
}

describe('retention of jobs', () => {
  test('is suspended while the clock is more than a day from the newest change, until it is confirmed', async () => {
    const { store, clock } = await storeOfEnded(3)
    const rules = [{ maxAgeMs: 0 }]
    for (const stepMs of [86_400_001, -86_400_001]) {
      const nowMs = clock.nowMs + stepMs
      const report = await applyRetention(store, rules, { clock: () => nowMs })
      expect(report).toMatchObject({
        removed: 0,
        complete: false,
        suspended: { nowMs, lastChangeAtMs: clock.nowMs },
      })
    }
    expect((await store.listJobs()).items).toHaveLength(3)
    const nowMs = clock.nowMs + 86_400_001
    const confirmed = await applyRetention(store, rules, { clock: () => nowMs, clockConfirmed: true })
    expect(confirmed).toMatchObject({ removed: 3, suspended: null, complete: true })
  })

  test('stops at a signal between two batches and says what is overdue', async () => {
    const { store, clock, ids } = await storeOfEnded(10)
    const stop = new AbortController()
    const report = await applyRetention(store, [{ maxAgeMs: 1_000 }], {
      clock: clock.read,
      batchRecords: 3,
      signal: stop.signal,
      onProgress: ({ removed }) => {
        if (removed >= 6) stop.abort()
      },
    })
    expect(report).toMatchObject({ removed: 6, complete: false, overdueBeforeMs: 8_000, overdueMs: 2_000 })
    expect((await store.listFinishedJobs({ namespace: 'default', state: 'Completed' })).items).toMatchObject(
      ids.slice(6).map((id) => ({ id })),
    )
    const rest = await applyRetention(store, [{ maxAgeMs: 1_000 }], { clock: clock.read })
    expect(rest).toMatchObject({ removed: 3, complete: true, overdueMs: 0 })
    expect((await store.check()).findings).toEqual([])
  })

  test('leaves a job that is held or runs again between the look and the removal', async () => {
    const { store, clock, ids } = await storeOfEnded(4)
    const racing = Object.create(store, {
      measureJob: {
        value: async (jobId: string) => {
          const size = await store.measureJob(jobId)
          if (jobId === ids[0]) await store.holdJob({ jobId, reason: 'audit' })
          if (jobId === ids[1]) await store.reviseJob({ jobId })
          if (jobId === ids[2]) await store.deleteJob({ jobId })
          return size
        },
      },
    }) as JobStore
    const methods = new Proxy(racing, {
      get: (target, name: keyof JobStore) => {
        const value = target[name]
        return name === 'measureJob' || typeof value !== 'function' ? value : value.bind(store as never)
      },
    })
    const report = await applyRetention(methods, [{ maxCount: 0 }], { clock: clock.read })
    expect(report).toMatchObject({ removed: 1, held: 1, changed: 2, failed: 0 })
    expect((await store.listJobs()).items.map(({ id }) => id).sort()).toEqual([ids[0], ids[1]].sort())
  })

  test('trims the feed and consumed evaluations', async () => {
    const { store, clock } = await storeOfEnded(3)
    const { job } = await store.submitJob({ type: 'batch', spec: 1 })
    const claim = await store.claimEvaluation({ holder: 'me', leaseMs: 1_000 })
    if (claim === null) throw new Error('nothing to claim')
    await store.completeEvaluation({ lease: claim.lease })
    clock.nowMs += 10_000
    const report = await applyRetention(store, [{ maxCount: 10 }], {
      clock: clock.read,
      feed: { olderThanMs: 1 },
      evaluationsOlderThanMs: 1,
    })
    expect(report).toMatchObject({ removed: 0, trimmedEvaluations: 1 })
    expect(report.trimmedChanges).toBeGreaterThanOrEqual(6)
    expect((await store.listEvaluations({ jobId: job.id })).items).toEqual([])
    expect((await store.check()).findings).toEqual([])
  })

  test('refuses rules that limit nothing or make no sense', async () => {
    const { store } = await storeOfEnded(1)
    await expect(applyRetention(store, [{}])).rejects.toThrow(/rule 1 limits nothing/)
    await expect(applyRetention(store, [{ maxCount: -1 }])).rejects.toThrow(/a number from 0/)
    for (const limit of [null, [], '1', true, new Date(0), Number.NaN]) {
      await expect(applyRetention(store, [{ maxAgeMs: limit as never }])).rejects.toThrow(/a number from 0/)
    }
    await expect(applyRetention(store, [{ namespace: 5 as never, maxCount: 0 }])).rejects.toThrow(TypeError)
    await expect(applyRetention(store, [{ state: 'Running' as never, maxCount: 1 }])).rejects.toThrow(
      TypeError,
    )
    await expect(applyRetention(store, [], { recordsPerSecond: 0 })).rejects.toThrow(TypeError)
    expect((await store.listJobs()).items).toHaveLength(1)
  })
})
