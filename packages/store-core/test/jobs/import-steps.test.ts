import { expect, onTestFinished, test } from 'vitest'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { type KvStore, openJobStore, STORE_TABLES } from '../../src/backend.ts'
import { encodeRecord, idTuple } from '../../src/format.ts'
import type { JobStore, Json, WholeJob } from '../../src/index.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** A store that calls back before each of its foreground writes, and a job that takes several of them to import. */
async function openWithJob() {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  const clock = { nowMs: 1_000_000_000_000 }
  let between: ((writes: number) => Promise<void>) | undefined
  let writes = 0
  const watched = new Proxy(kv, {
    get(target, property) {
      if (property === 'write') {
        const write: KvStore['write'] = async (body, options) => {
          if (options?.background !== true && between !== undefined) {
            writes += 1
            await between(writes)
          }
          return await target.write(body, options)
        }
        return write
      }
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const importing = await openJobStore(watched, { clock: () => clock.nowMs })
  const store = await openJobStore(kv, { clock: () => clock.nowMs })
  onTestFinished(async () => await store.close())
  const whole = await takenOut(store)
  return {
    store,
    clock,
    importJob: async (change: (writes: number) => Promise<void>) => {
      between = change
      await importing.importJob(whole).finally(() => {
        between = undefined
      })
      return writes
    },
    again: async () => await store.importJob(whole),
    jobId: whole.versions[0]?.id ?? '',
  }
}

/** A finished job of 500 executions with a submit key, out of the store again. */
async function takenOut(store: JobStore<Json>): Promise<WholeJob<Json>> {
  const { job } = await store.submitJob({ type: 'batch', spec: {}, submitKey: 'once' })
  const jobId = job.id
  const claim = await store.claimEvaluation({ holder: 'worker', leaseMs: 1_000 })
  if (claim !== null) await store.completeEvaluation({ lease: claim.lease })
  for (let n = 0; n < 500; n += 1) {
    const { id } = await store.createExecution({ jobId, nodeId: 'n-1' })
    await store.updateExecution({ executionId: id, to: 'Completed' })
  }
  await store.transitionJob({ jobId, to: 'Completed' })
  const history = await store.listHistory({ jobId, limit: 1_000 })
  const rest = await store.listHistory({ jobId, limit: 1_000, cursor: history.next })
  const whole: WholeJob<Json> = {
    versions: await store.listJobVersions(jobId),
    executions: (await store.listExecutions({ jobId, limit: 1_000 })).items,
    evaluations: (await store.listEvaluations({ jobId, limit: 1_000 })).items,
    history: [...history.items, ...rest.items],
  }
  await store.deleteJob({ jobId })
  while ((await store.reclaim()).more);
  return whole
}

test('an import that is overtaken by its own removal ends, and leaves nothing', async () => {
  const { store, clock, importJob, again, jobId } = await openWithJob()
  const overtaken = importJob(async (writes) => {
    if (writes !== 3) return
    clock.nowMs += HOUR_MS + 1
    while ((await store.reclaim()).more);
  })
  await expect(overtaken).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
  expect((await store.listExecutions({ states: ['Completed'] })).items).toEqual([])
  expect((await store.check()).findings).toEqual([])
  await again()
  expect((await store.getJob(jobId))?.state).toBe('Completed')
})

test('an import does not take the submit key of a job that came meanwhile', async () => {
  const { store, importJob } = await openWithJob()
  let live = ''
  const late = importJob(async (writes) => {
    if (writes === 2) live = (await store.submitJob({ type: 'batch', spec: {}, submitKey: 'once' })).job.id
  })
  await expect(late).rejects.toMatchObject({ code: 'SUBMIT_KEY_CONFLICT' })
  expect((await store.submitJob({ type: 'batch', spec: {}, submitKey: 'once' })).job.id).toBe(live)
  expect((await store.check()).findings).toEqual([])
})

test('trimming evaluations leaves those of an import alone until it is whole', async () => {
  const { store, clock, importJob, jobId } = await openWithJob()
  clock.nowMs += 3 * DAY_MS
  const rule = { olderThanMs: DAY_MS }
  const writes = await importJob(async () => {
    expect(await store.trimEvaluations(rule)).toBe(0)
  })
  expect(writes).toBeGreaterThan(3)
  expect((await store.check()).findings).toEqual([])
  expect(await store.trimEvaluations(rule)).toBe(1)
  expect((await store.listEvaluations({ jobId })).items).toEqual([])
})

test('an import that failed half-way leaves its id to the next one, once it is reclaimed', async () => {
  const { store, importJob, again, jobId } = await openWithJob()
  const from = await store.latestCursor()
  const failed = importJob(async (writes) => {
    if (writes === 3) throw new Error('the archive cannot be read')
  })
  await expect(failed).rejects.toThrow('the archive cannot be read')
  expect(await store.getJob(jobId)).toBeNull()
  while ((await store.reclaim()).more);
  expect((await store.changes({ after: from })).changeSets).toEqual([])
  await again()
  expect((await store.listExecutions({ jobId, limit: 1_000 })).items).toHaveLength(500)
  expect((await store.check()).findings).toEqual([])
})

test('the feed tells of an imported job when all of it is there', async () => {
  const { store, importJob, jobId } = await openWithJob()
  const from = await store.latestCursor()
  await importJob(async () => {
    expect((await store.changes({ after: from })).changeSets).toEqual([])
  })
  const { changeSets } = await store.changes({ after: from })
  const changes = changeSets.flatMap((set) => set.changes)
  expect(changes).toMatchObject([{ kind: 'job', id: jobId, operation: 'put', state: 'Completed' }])
})

test('reclaiming passes over imports that are under way, however many come first', async () => {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  const store = await openJobStore(kv, { clock: Date.now })
  onTestFinished(async () => await store.close())
  const { job } = await store.submitJob({ type: 'batch', spec: {}, id: 'j-zzz' })
  await store.transitionJob({ jobId: job.id, to: 'Failed' })
  await kv.write((rows) => {
    for (let n = 100; n < 250; n += 1) {
      const key = idTuple('j', `j-${n}`)
      const mark = { id: `j-${n}`, at: Date.now(), until: Date.now() + HOUR_MS }
      rows.put('reclaim', key, encodeRecord('reclaim', key, 1, mark))
    }
  })
  await store.deleteJob({ jobId: job.id })
  expect(await store.reclaim()).toMatchObject({ finished: [job.id], more: false })
})
