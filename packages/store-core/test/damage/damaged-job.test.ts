import { expect, test } from 'vitest'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { openJobStore, STORE_TABLES } from '../../src/backend.ts'
import { encodeRecord, idTuple, tuple } from '../../src/format.ts'
import type { JobStore } from '../../src/index.ts'

const kv = () => openMemoryKv({ tables: STORE_TABLES })

async function damageJob(backend: ReturnType<typeof kv>, id: string): Promise<void> {
  await backend.write((rows) => {
    const key = idTuple('j', id)
    const bytes = Uint8Array.from(rows.get('jobs', key) ?? [])
    bytes[6] = (bytes[6] ?? 0) ^ 1
    rows.put('jobs', key, bytes)
  })
}

async function claim(store: JobStore) {
  return await store.claimEvaluation({ holder: 'worker', leaseMs: 1_000, maxAttempts: 1 })
}

test('a damaged job keeps no worker from the jobs behind it, and none that gives up on it', async () => {
  let nowMs = 1_000
  const backend = kv()
  const store = await openJobStore(backend, { clock: () => nowMs })
  await store.submitJob({ id: 'j-broken', type: 'batch', spec: {}, priority: 9 })
  await store.submitJob({ id: 'j-lost', type: 'batch', spec: {}, priority: 8 })
  await store.submitJob({ id: 'j-sound', type: 'batch', spec: {} })
  await damageJob(backend, 'j-broken')
  await damageJob(backend, 'j-lost')

  const broken = await claim(store)
  expect(broken?.evaluation.jobId).toBe('j-broken')
  if (broken === null) return
  const retry = { lease: broken.lease, delayMs: 0, maxAttempts: 1, comment: 'it cannot be read' }
  expect(await store.retryEvaluation(retry)).toBe('failed')
  expect((await claim(store))?.evaluation.jobId).toBe('j-lost')
  nowMs += 1_000
  expect((await claim(store))?.evaluation.jobId).toBe('j-sound')
  expect((await store.listQuarantine()).map(({ table }) => table)).toEqual(['jobs', 'jobs'])
})

test('what an opening has to end first may be damaged', async () => {
  const backend = kv()
  const store = await openJobStore(backend, { clock: () => 1_000 })
  for (const id of ['j-broken', 'j-sound']) {
    await store.submitJob({ id, type: 'batch', spec: {} })
    const claimed = await claim(store)
    if (claimed === null) return
    // An execution keeps the job from ending at once; without it the job is one that schema 1 left behind.
    await store.createExecution({ id: `e-${id}`, jobId: id, nodeId: 'n' })
    const { lease } = claimed
    await store.retryEvaluation({ lease, delayMs: 0, maxAttempts: 1, comment: 'no' })
    await store.updateExecution({ executionId: `e-${id}`, to: 'Failed' })
  }
  await damageJob(backend, 'j-broken')
  await backend.write((rows) => {
    const key = tuple('migration')
    rows.put('meta', key, encodeRecord('meta', key, 1, { from: 1, after: '' }))
  })
  const again = await openJobStore(backend, { clock: () => 2_000 })
  expect((await again.getJob('j-sound'))?.state).toBe('Failed')
})

test('a claim finds what is due behind any number of jobs that were stopped', async () => {
  const store = await openJobStore(kv(), { clock: () => 1_000 })
  for (let n = 0; n < 130; n++) {
    await store.submitJob({ id: `j-${n}`, type: 'batch', spec: {}, priority: 1 })
    await store.transitionJob({ jobId: `j-${n}`, to: 'Stopped' })
  }
  await store.submitJob({ id: 'j-last', type: 'batch', spec: {} })
  expect((await claim(store))?.evaluation.jobId).toBe('j-last')
})
