import { describe, expect, onTestFinished, test } from 'vitest'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { type KvStore, openExecutionStore, openJobStore, STORE_TABLES } from '../../src/backend.ts'
import { encodeRecord, idTuple, REBUILT_TABLES, rebuildStore, tuple } from '../../src/format.ts'

const CORRUPT = { code: 'RECORD_CORRUPT' }

/** A job store with two folded jobs, of which a test may damage the first. */
async function twoFoldedJobs() {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  const store = await openJobStore(kv, { clock: () => 1_000 })
  onTestFinished(async () => await store.close())
  for (const id of ['one', 'two']) {
    await store.submitJob({ id, type: 'batch', spec: { text: 'x'.repeat(200) }, evaluation: null })
    await store.createExecution({ id: `e-${id}`, jobId: id, nodeId: 'n' })
    await store.updateExecution({ executionId: `e-${id}`, to: 'Completed' })
    await store.transitionJob({ jobId: id, to: 'Completed' })
  }
  expect((await store.fold()).folded).toBe(2)
  return { kv, store }
}

async function flip(kv: KvStore, table: string, key: Uint8Array, at: number): Promise<void> {
  await kv.write((transaction) => {
    const bytes = Buffer.from(transaction.get(table, key) ?? [])
    bytes[at] = (bytes[at] ?? 0) ^ 4
    transaction.put(table, key, bytes)
  })
}

/** The records alone, as a repair copies them. */
async function rebuilt(kv: KvStore, kind: 'jobs' | 'executions') {
  const copy = openMemoryKv({ tables: STORE_TABLES })
  for (const table of STORE_TABLES) {
    if ((REBUILT_TABLES as readonly string[]).includes(table)) continue
    const rows = kv.read((snapshot) => snapshot.range(table, { limit: 1_000 }))
    await copy.write((transaction) => {
      for (const { key, value } of rows) transaction.put(table, key, value)
    })
  }
  const dropped: string[] = []
  await rebuildStore(copy, { kind, nowMs: 5, onDrop: ({ table }) => void dropped.push(table) })
  return { copy, dropped }
}

// The codec, the record's version, the numbers of its rows, and what is compressed.
describe.each([0, 1, 2, 60])('a folded job with a flipped bit in byte %i', (at) => {
  test('is corrupt for whoever asks for any part of it, and hides nothing else', async () => {
    const { kv, store } = await twoFoldedJobs()
    await flip(kv, 'jobs', idTuple('j', 'one'), at)
    for (const call of [
      () => store.getJob('one'),
      () => store.listJobVersions('one'),
      () => store.getExecution('e-one'),
      () => store.measureJob('one'),
      () => store.transitionJob({ jobId: 'one', to: 'Running' }),
      () => store.addHistory({ jobId: 'one', event: { message: 'late' } }),
      () => store.updateExecution({ executionId: 'e-one', to: 'Failed' }),
      () => store.deleteJob({ jobId: 'one' }),
    ]) {
      await expect(call(), call.toString()).rejects.toMatchObject(CORRUPT)
    }
    expect(await store.listJobs()).toMatchObject({ items: [{ id: 'two' }], quarantined: ['one'] })
    expect(await store.listExecutions({ nodeId: 'n' })).toMatchObject({
      items: [{ id: 'e-two' }],
      quarantined: ['e-one'],
    })
    expect(await store.listHistory({ jobId: 'one' })).toMatchObject({
      items: [],
      quarantined: ['one entry 0'],
    })
    expect((await store.listHistory({ jobId: 'two' })).items).toHaveLength(4)
    expect((await store.listQuarantine()).map(({ table }) => table)).toContain('jobs')
    const { findings } = await store.check()
    expect(findings.filter(({ table }) => table === 'jobs')).toMatchObject([{ rule: 'record-corrupt' }])
    expect(findings.every(({ rule }) => rule === 'record-corrupt')).toBe(true)
    expect(await store.fold({ anew: true })).toMatchObject({ examined: 2, folded: 0 })
  })
})

test('a repair unfolds, and leaves out only what is damaged', async () => {
  const { kv, store } = await twoFoldedJobs()
  const two = await store.getJob('two')
  const history = await store.listHistory({ jobId: 'two' })
  await flip(kv, 'jobs', idTuple('j', 'one'), 30)
  const entry = tuple(idTuple('j', 'two'), history.items[0]?.sequence ?? 0)
  const older = encodeRecord('history', entry, 1, { at: 1, v: 1, s: 'Pending', r: 1, m: 'older' })
  await kv.write((transaction) => transaction.put('history', entry, older))
  const { copy, dropped } = await rebuilt(kv, 'jobs')
  expect(dropped).toEqual(['jobs'])
  const repaired = await openJobStore(copy, { clock: () => 2_000 })
  expect((await repaired.check()).findings).toEqual([])
  expect(await repaired.getJob('two')).toEqual(two)
  expect(await repaired.listHistory({ jobId: 'two' })).toEqual(history)
  expect((await repaired.getExecution('e-two'))?.state).toBe('Completed')
  expect(await repaired.getJob('one')).toBeNull()
  expect(await repaired.fold()).toMatchObject({ folded: 1 })
  await repaired.close()
})

test('a check tells of rows that are folded and loose, and of index rows that lead nowhere', async () => {
  const { kv, store } = await twoFoldedJobs()
  const pointer = (id: string) => tuple(13, idTuple('e', id))
  const rulesAfter = async (
    change: (put: (table: string, key: Uint8Array, value: Uint8Array) => void) => void,
  ) => {
    const before = kv.read((snapshot) => snapshot.range('index', { limit: 1_000 }))
    await kv.write((transaction) => change((table, key, value) => transaction.put(table, key, value)))
    const rules = (await store.check()).findings.map(({ rule }) => rule)
    await kv.write((transaction) => {
      for (const key of transaction.keys('index', { limit: 1_000 })) transaction.remove('index', key)
      for (const { key, value } of before) transaction.put('index', key, value)
      transaction.remove('history', tuple(idTuple('j', 'one'), 900))
    })
    return rules
  }
  expect(await rulesAfter(() => undefined)).toEqual([])
  expect(await rulesAfter((put) => put('history', tuple(idTuple('j', 'one'), 900), Buffer.of(1)))).toContain(
    'folded-and-loose',
  )
  expect(await rulesAfter((put) => put('index', pointer('nobody'), idTuple('j', 'one')))).toContain(
    'index-without-record',
  )
  expect(await rulesAfter((put) => put('index', pointer('e-one'), idTuple('j', 'two')))).toContain(
    'record-without-index',
  )
  expect(await rulesAfter(() => undefined)).toEqual([])
})

test('a damaged folded execution is corrupt, and hides nothing else', async () => {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  const store = await openExecutionStore(kv, { clock: () => 1_000 })
  onTestFinished(async () => await store.close())
  const job = { version: 1, namespace: 'default', name: 'n', type: 'batch', priority: 0, spec: {} } as const
  for (const id of ['one', 'two']) {
    await store.createExecution({ id, requesterId: 'r', job: { ...job, id: 'j' } })
    const { revision } = await store.updateExecution({ executionId: id, to: 'Completed' })
    await store.acknowledgeExecution({ executionId: id, revision })
  }
  expect((await store.fold()).folded).toBe(2)
  await flip(kv, 'executions', idTuple('e', 'one'), 20)
  await expect(store.getExecution('one')).rejects.toMatchObject(CORRUPT)
  expect(await store.listExecutions()).toMatchObject({ items: [{ id: 'two' }], quarantined: ['one'] })
  expect((await store.check()).findings).toMatchObject([{ rule: 'record-corrupt', table: 'executions' }])
  const { copy, dropped } = await rebuilt(kv, 'executions')
  expect(dropped).toEqual(['executions'])
  const repaired = await openExecutionStore(copy, { clock: () => 2_000 })
  expect((await repaired.check()).findings).toEqual([])
  expect((await repaired.listHistory({ executionId: 'two' })).items).toHaveLength(2)
  await repaired.close()
})
