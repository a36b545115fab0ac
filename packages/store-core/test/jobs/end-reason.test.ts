import { expect, test } from 'vitest'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { type KvStore, openExecutionStore, openJobStore, STORE_TABLES } from '../../src/backend.ts'
import { encodeRecord, REBUILT_TABLES, rebuildStore } from '../../src/format.ts'

const JOB = { version: 1, namespace: 'default', name: 'n', type: 'batch', priority: 0, spec: {} } as const

/** The same store with other rows of executions, and no indexes and counters, as a repair copies it. */
async function withRows(kv: KvStore, change: (row: object) => object): Promise<KvStore> {
  const copy = openMemoryKv({ tables: STORE_TABLES })
  for (const table of STORE_TABLES) {
    const rows = kv.read((snapshot) => snapshot.range(table, { limit: 1_000 }))
    await copy.write((transaction) => {
      for (const { key, value } of rows) {
        if (table !== 'executions') transaction.put(table, key, value)
        else {
          const row = JSON.parse(Buffer.from(value.subarray(2, -4)).toString()) as object
          transaction.put(table, key, encodeRecord(table, key, 1, change(row)))
        }
      }
    })
  }
  return copy
}

async function ofJobs() {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  const store = await openJobStore(kv, { clock: () => 1_000 })
  const { job } = await store.submitJob({ type: 'batch', spec: {}, evaluation: null })
  await store.createExecution({ id: 'e-1', jobId: job.id, nodeId: 'n-1' })
  return { kv, store, open: openJobStore, kind: 'jobs' as const }
}

async function ofExecutions() {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  const store = await openExecutionStore(kv, { clock: () => 1_000 })
  await store.createExecution({ id: 'e-1', job: { ...JOB, id: 'j-1' }, requesterId: 'r' })
  return { kv, store, open: openExecutionStore, kind: 'executions' as const }
}

test.each([
  ['a job store', ofJobs],
  ['an execution store', ofExecutions],
])('in %s a reason that no end can have is found, and left out by a repair', async (_name, make) => {
  const { kv, store, open, kind } = await make()
  expect((await store.check()).findings).toEqual([])
  for (const row of [{ er: 'failed' }, { s: 'Failed', f: 1_000, ss: 1_000, er: 'bored' }]) {
    const damaged = await withRows(kv, (before) => ({ ...before, ...row }))
    const found = await open(damaged, { clock: () => 1_000 })
    expect((await found.check()).findings.map(({ rule }) => rule)).toContain('end-reason-wrong')
    await damaged.write((transaction) => {
      for (const table of REBUILT_TABLES)
        for (const key of transaction.keys(table, { limit: 1_000 })) transaction.remove(table, key)
    })
    await rebuildStore(damaged, { kind, nowMs: 2_000, onDrop: () => undefined })
    const repaired = await open(damaged, { clock: () => 2_000 })
    const execution = await repaired.getExecution('e-1')
    expect(execution).toMatchObject({ endReason: null, state: 's' in row ? 'Failed' : expect.any(String) })
    const left = (await repaired.check()).findings.map(({ rule }) => rule)
    expect(left).not.toContain('end-reason-wrong')
  }
})

test('a row of an earlier release has no reason, and none is made up from its message', async () => {
  const { kv, open } = await ofJobs()
  const earlier = { s: 'Failed', f: 1_000, m: 'interrupted: node restarted' }
  const store = await open(await withRows(kv, (row) => ({ ...row, ...earlier })), { clock: () => 1_000 })
  expect(await store.getExecution('e-1')).toMatchObject({ endReason: null, state: 'Failed' })
  expect((await store.check()).findings.map(({ rule }) => rule)).not.toContain('end-reason-wrong')
})
