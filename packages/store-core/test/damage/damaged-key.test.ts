import { expect, test } from 'vitest'
import { randomNumbers } from '../../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { openJobStore, STORE_TABLES } from '../../src/backend.ts'
import { isStoreError, type JobStore } from '../../src/index.ts'

const SEED = testSeed()
const CASES = IS_LONG ? 20_000 : 120

async function fill(store: JobStore): Promise<void> {
  for (let n = 0; n < 6; n++) {
    const { job } = await store.submitJob({
      type: n % 2 === 0 ? 'batch' : 'service',
      spec: { n },
      labels: { n: String(n) },
      requestId: `r-${n}`,
      deadlineAtMs: 5_000 + n,
      outbox: [{ destination: 'n-1', body: n }],
    })
    const { id: executionId } = await store.createExecution({
      jobId: job.id,
      nodeId: 'n-1',
      deadlineAtMs: 9_000,
    })
    if (n > 3) continue
    await store.updateExecution({ executionId, to: 'Failed' })
    await store.transitionJob({ jobId: job.id, to: 'Failed' })
  }
  await store.claimEvaluation({ holder: 'w', leaseMs: 1_000, scheduler: true })
  await store.setNamedCursor('here', await store.latestCursor())
}

/** Every way to read a store. */
async function readAll(store: JobStore): Promise<void> {
  const jobs = (await store.listJobs({ limit: 100 })).items
  for (const { id } of jobs) {
    await store.listHistory({ jobId: id })
    await store.listExecutions({ jobId: id })
    await store.listEvaluations({ jobId: id })
  }
  for (const query of [{ inProgress: true }, { states: ['Failed'] as const }, { namespace: 'default' }]) {
    await store.listJobs(query)
  }
  await store.listEvaluations({})
  await store.listExecutions({ inProgress: true })
  await store.changes()
  await store.readOutbox({ destination: 'n-1' })
  await store.outboxDestinations()
  await store.counts()
  await store.info()
  await store.nextEvaluationMs()
  await store.listQuarantine()
}

/** What an owner does all the time. */
async function goOn(store: JobStore): Promise<void> {
  await store.submitJob({ type: 'batch', spec: {} })
  for (let claims = 0; claims < 40; claims += 1) {
    const claim = await store.claimEvaluation({ holder: 'w', leaseMs: 1_000, scheduler: true })
    if (claim === null) break
    await store.completeEvaluation({ lease: claim.lease })
  }
  await store.dueDeadlines()
  await store.nextDeadlineMs()
  await store.trimFeed({ olderThanMs: 0 })
  await store.trimEvaluations({ olderThanMs: 0 })
  for (const { id } of (await store.listFinishedJobs({ namespace: 'default', state: 'Failed' })).items) {
    try {
      await store.measureJob(id)
      await store.deleteJob({ jobId: id })
    } catch (error) {
      // A job that is damaged itself stays.
      expect(isStoreError(error), String(error)).toBe(true)
    }
  }
  while ((await store.reclaim()).more);
}

test(`a damaged key is a finding for check, and keeps nobody from everything else (seed ${SEED})`, async () => {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  await fill(await openJobStore(kv, { clock: () => 1_000 }))
  const rows = STORE_TABLES.flatMap((table) =>
    kv.read((snapshot) => snapshot.range(table, { limit: 1_000 })).map((row) => ({ table, ...row })),
  )
  const random = randomNumbers(SEED)
  for (let round = 0; round < CASES; round++) {
    const hit = rows[Math.floor(random() * rows.length)]
    if (hit === undefined) throw new Error('no rows')
    const key = Buffer.from(hit.key)
    const at = Math.floor(random() * key.length)
    key[at] = (key[at] ?? 0) ^ (1 << Math.floor(random() * 8))
    const what = `${hit.table} ${Buffer.from(hit.key).toString('hex')} to ${key.toString('hex')}`
    const damaged = openMemoryKv({ tables: STORE_TABLES })
    await damaged.write((transaction) => {
      for (const row of rows) transaction.put(row.table, row.key, row.value)
      transaction.remove(hit.table, hit.key)
      transaction.put(hit.table, key, hit.value)
    })
    const readOnly = new Proxy(damaged, {
      get: (target, name) => {
        if (name === 'readOnly') return true
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    let store: JobStore
    try {
      store = await openJobStore(readOnly, { clock: () => 2_000 })
    } catch (error) {
      expect(isStoreError(error), `${what}: ${String(error)}`).toBe(true)
      continue
    }
    const { findings } = await store.check()
    expect(findings.length, what).toBeGreaterThan(0)
    try {
      await readAll(store)
      // Without the row that names it nobody may write.
      if (hit.table !== 'meta') await goOn(await openJobStore(damaged, { clock: () => 9_000_000 }))
    } catch (error) {
      throw new Error(`${what}: ${String(error)}`, { cause: error })
    }
  }
})
