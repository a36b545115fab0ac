import { expect, onTestFinished, test } from 'vitest'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { type KvStore, openJobStore, STORE_TABLES } from '../../src/backend.ts'
import { INDEX, idTuple, REBUILT_TABLES, rebuildStore, tuple } from '../../src/format.ts'
import type { JobStore } from '../../src/index.ts'

/** A job store whose rows a test can damage. */
async function openBoth() {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  let nowMs = 1_000
  const store = await openJobStore(kv, { clock: () => nowMs })
  onTestFinished(async () => await store.close())
  const damage = async (table: string, key: Uint8Array): Promise<void> => {
    await kv.write((transaction) => {
      const bytes = Buffer.from(transaction.get(table, key) ?? [])
      bytes[5] = (bytes[5] ?? 0) ^ 1
      transaction.put(table, key, bytes)
    })
  }
  const step = (ms: number): void => {
    nowMs += ms
  }
  return { kv, store, damage, step }
}

/** The records alone, as a repair copies them. */
async function copyOf(kv: KvStore): Promise<KvStore> {
  const copy = openMemoryKv({ tables: STORE_TABLES })
  for (const table of STORE_TABLES) {
    if ((REBUILT_TABLES as readonly string[]).includes(table)) continue
    const rows = kv.read((snapshot) => snapshot.range(table, { limit: 1_000 }))
    await copy.write((transaction) => {
      for (const { key, value } of rows) transaction.put(table, key, value)
    })
  }
  return copy
}

/** The same rows, as another process may look at them. */
function readOnly(kv: KvStore): KvStore {
  return new Proxy(kv, {
    get: (target, name) => {
      if (name === 'readOnly') return true
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const message = (number: number) => ({ destination: 'node-1', body: { number } })

test('a changed index row of a request id is found', async () => {
  const { kv, store } = await openBoth()
  await store.submitJob({ type: 'batch', spec: {}, evaluation: null, requestId: 'r-1' })
  const prefix = tuple(INDEX.requestByTime)
  const [key] = kv.read((snapshot) => snapshot.keys('index', { gte: prefix, limit: 1 }))
  const changes = [tuple(INDEX.requestByTime, 1_001, 'r-1'), tuple(INDEX.requestByTime, 1_000, 'q-1')]
  for (const [n, changed] of changes.entries()) {
    const copy = await copyOf(kv)
    await copy.write((transaction) => {
      for (const row of kv.read((snapshot) => snapshot.range('index', { limit: 1_000 })))
        transaction.put('index', row.key, row.value)
      transaction.remove('index', key as Uint8Array)
      transaction.put('index', changed, new Uint8Array(0))
    })
    const opened = await openJobStore(copy, { clock: () => 2_000 })
    const rules = (await opened.check()).findings.map(({ rule }) => rule)
    expect(rules).toContain('record-without-index')
    expect(rules.includes('index-without-record')).toBe(n === 1)
    await opened.close()
  }
  expect((await store.check()).findings).toEqual([])
})

test('a damaged message keeps none of the others, and is quarantined', async () => {
  const { store, damage } = await openBoth()
  for (const number of [1, 2, 3, 4])
    await store.submitJob({ type: 'batch', spec: {}, outbox: [message(number)] })
  const [first, second] = await store.readOutbox({ destination: 'node-1' })
  await damage('outbox', tuple('node-1', first?.sequence ?? 0))
  await damage('outbox', tuple('node-1', second?.sequence ?? 0))

  const numbers = async (limit: number) =>
    (await store.readOutbox({ destination: 'node-1', limit })).map(({ body }) => body)
  expect(await numbers(1)).toEqual([{ number: 3 }])
  expect(await numbers(100)).toEqual([{ number: 3 }, { number: 4 }])
  expect((await store.listQuarantine()).map(({ table }) => table)).toEqual(['outbox', 'outbox'])
})

test('a damaged entry of the feed is a gap, and what lies behind it is followed', async () => {
  const { store, damage } = await openBoth()
  for (let jobs = 0; jobs < 4; jobs++) await store.submitJob({ type: 'batch', spec: {}, evaluation: null })
  const sequences = (await store.changes()).changeSets.map(({ sequence }) => sequence)
  const [one = 0, two = 0, three = 0, four = 0] = sequences
  await damage('feed', tuple(two))
  await damage('feed', tuple(three))

  const begin = await store.changes()
  expect(begin.changeSets.map(({ sequence }) => sequence)).toEqual([one])
  expect(begin.gap).toBeNull()
  const behind = await store.changes({ after: begin.cursor })
  expect(behind.changeSets.map(({ sequence }) => sequence)).toEqual([four])
  expect(behind.gap).toEqual({ afterSequence: one, resumesAtSequence: four })
  const only = await store.changes({ after: begin.cursor, limit: 1 })
  expect(only).toMatchObject({ changeSets: [], gap: { afterSequence: one, resumesAtSequence: two + 1 } })
  expect((await store.changes({ after: only.cursor })).gap).toEqual({
    afterSequence: two,
    resumesAtSequence: four,
  })
  expect((await store.changes({ after: behind.cursor })).gap).toBeNull()
  expect((await store.listQuarantine()).map(({ table }) => table)).toEqual(['feed', 'feed'])
})

test('a damaged counter is a finding of a check, and ends none', async () => {
  const { store, damage } = await openBoth()
  await store.submitJob({ type: 'batch', spec: {} })
  await damage('counters', tuple('job', 'default', 'Pending'))
  const { findings } = await store.check()
  expect(findings.map(({ rule, table }) => `${rule} ${table}`)).toEqual(['record-corrupt counters'])
})

test('a damaged counter keeps no change, is marked where it is read, and is counted anew by a repair', async () => {
  const { kv, store, damage } = await openBoth()
  const { job } = await store.submitJob({ type: 'batch', spec: {}, evaluation: null })
  await damage('counters', tuple('job', 'default', 'Pending'))
  await store.submitJob({ type: 'batch', spec: {}, evaluation: null })
  expect((await store.listQuarantine()).map(({ table }) => table)).toEqual(['counters'])
  await store.transitionJob({ jobId: job.id, to: 'Running' })

  const names = { kind: 'job', namespace: 'default' }
  expect(await store.counts()).toEqual([
    { ...names, state: 'Pending', records: 0, bytes: 0, damaged: true },
    { ...names, state: 'Running', records: 1, bytes: expect.any(Number) },
  ])
  const { findings } = await store.check()
  expect(findings.map(({ rule, table }) => `${rule} ${table}`)).toEqual(['record-corrupt counters'])

  const copy = await copyOf(kv)
  await rebuildStore(copy, { kind: 'jobs', nowMs: 2_000, onDrop: () => undefined })
  const repaired = await openJobStore(copy, { clock: () => 2_000 })
  onTestFinished(async () => await repaired.close())
  expect((await repaired.counts()).map(({ state, records }) => [state, records])).toEqual([
    ['Pending', 1],
    ['Running', 1],
  ])
  expect((await repaired.check()).findings).toEqual([])
})

test('a damaged evaluation at the head of a job keeps neither other jobs nor its own', async () => {
  const { store, damage, step } = await openBoth()
  const submit = (dueAtMs: number) =>
    store.submitJob({ type: 'batch', spec: {}, evaluation: { trigger: 'job-register', dueAtMs } })
  const waiting = await submit(2_000)
  const ready = await submit(2_000)
  await damage('evaluations', idTuple('v', waiting.evaluationId ?? ''))
  step(1_000)

  const claim = () => store.claimEvaluation({ holder: 'worker', leaseMs: 60_000 })
  expect((await claim())?.evaluation.jobId).toBe(ready.job.id)
  expect(await claim()).toBeNull()
  await store.createEvaluation({ jobId: waiting.job.id, trigger: 'node-restart', coalesce: true })
  const again = await claim()
  expect(again?.evaluation.jobId).toBe(waiting.job.id)
  if (again === null) return
  await store.applyPlan({ lease: again.lease, job: { to: 'Completed' } })
  await store.deleteJob({ jobId: waiting.job.id })
  expect((await store.listQuarantine()).map(({ table }) => table)).toEqual(['evaluations'])
})

test('a damaged sequence row keeps no store from opening: the number is found again, larger than any other', async () => {
  const { kv, store, damage } = await openBoth()
  const { job } = await store.submitJob({ type: 'batch', spec: {}, outbox: [message(1)] })
  const cursor = await store.latestCursor()
  for (let n = 0; n < 5; n++) await store.addHistory({ jobId: job.id, event: { message: 'seen' } })
  const { sequence } = await store.info()
  await damage('meta', tuple('sequence'))

  const reader = await openJobStore(readOnly(kv), { clock: () => 2_000 })
  expect((await reader.listJobs()).items.map(({ id }) => id)).toEqual([job.id])
  expect((await reader.info()).sequence).toBe(sequence)
  const findings = async (open: JobStore) =>
    (await open.check()).findings.map(({ rule, table }) => `${rule} ${table}`)
  expect(await findings(reader)).toEqual(['record-corrupt meta'])

  const again = await openJobStore(kv, { clock: () => 2_000 })
  expect((await again.info()).sequence).toBeGreaterThan(sequence)
  const { changeSets } = await again.changes({ after: cursor })
  expect(changeSets.length).toBe(5)
  await again.transitionJob({ jobId: job.id, to: 'Running' })
  expect((await again.changes({ after: cursor })).changeSets.length).toBe(6)
  expect((await again.listHistory({ jobId: job.id })).items.at(-1)?.newState).toBe('Running')
  expect((await again.listQuarantine()).map(({ table }) => table)).toEqual(['meta'])
  expect(await findings(again)).toEqual([])
})

test('a damaged sequence row is found again behind a feed that was trimmed, which leaves a gap', async () => {
  const { kv, store, damage, step } = await openBoth()
  const early = await store.latestCursor()
  await store.submitJob({ type: 'batch', spec: {} })
  step(10)
  await store.trimFeed({ olderThanMs: 1 })
  await damage('meta', tuple('sequence'))
  const again = await openJobStore(kv, { clock: () => 2_000 })
  expect((await again.changes({ after: early })).gap).not.toBeNull()
  expect((await again.check()).findings).toEqual([])
})

test('a damaged incarnation makes its cursors diverge, and nothing else', async () => {
  const { kv, store, damage } = await openBoth()
  await store.submitJob({ type: 'batch', spec: {} })
  const cursor = await store.latestCursor()
  const second = await openJobStore(kv, { clock: () => 2_000 })
  await second.submitJob({ type: 'batch', spec: {} })
  const later = await second.latestCursor()
  await damage('meta', tuple('incarnation', 1))
  await damage('meta', tuple('incarnations'))

  const third = await openJobStore(kv, { clock: () => 3_000 })
  expect((await third.info()).incarnations).toHaveLength(2)
  await expect(third.changes({ after: cursor })).rejects.toMatchObject({ code: 'FEED_DIVERGED' })
  expect((await third.changes({ after: later })).changeSets).toEqual([])
  const begin = await third.changes({ limit: 1 })
  expect((await third.changes({ after: begin.cursor })).changeSets).toHaveLength(1)
})

test('a store whose own row is damaged is not written, can be read, and is mended by a repair', async () => {
  const { kv, store, damage } = await openBoth()
  const { job } = await store.submitJob({ type: 'batch', spec: {}, evaluation: null })
  const { sequence } = await store.info()
  await damage('meta', tuple('store'))
  const opening = openJobStore(kv, { clock: () => 2_000 })
  await expect(opening).rejects.toMatchObject({
    code: 'STORE_DAMAGED',
    hint: expect.stringContaining('repair'),
  })
  const reader = await openJobStore(readOnly(kv), { clock: () => 2_000 })
  expect((await reader.listJobs()).items.map(({ id }) => id)).toEqual([job.id])

  const copy = await copyOf(kv)
  await rebuildStore(copy, { kind: 'jobs', nowMs: 2_000, onDrop: () => undefined })
  const repaired = await openJobStore(copy, { clock: () => 2_000 })
  onTestFinished(async () => await repaired.close())
  expect((await repaired.info()).sequence).toBeGreaterThanOrEqual(sequence)
  expect((await repaired.check()).findings).toEqual([])
})

test('a repair finds a damaged sequence number again too', async () => {
  const { kv, store, damage } = await openBoth()
  const { job } = await store.submitJob({ type: 'batch', spec: {} })
  await store.addHistory({ jobId: job.id, event: { message: 'seen' } })
  const { sequence } = await store.info()
  await damage('meta', tuple('sequence'))
  const copy = await copyOf(kv)
  await rebuildStore(copy, { kind: 'jobs', nowMs: 2_000, onDrop: () => undefined })
  const repaired = await openJobStore(copy, { clock: () => 2_000 })
  onTestFinished(async () => await repaired.close())
  expect((await repaired.info()).sequence).toBeGreaterThan(sequence)
  expect((await repaired.check()).findings).toEqual([])
})

test('a history that does not lead up to its record is found, and a repair says so in it', async () => {
  const { kv, store } = await openBoth()
  const { job } = await store.submitJob({ type: 'batch', spec: {}, evaluation: null })
  const { id } = await store.createExecution({ jobId: job.id, nodeId: 'n' })
  await store.updateExecution({ executionId: id, to: 'Running' })
  await store.addHistory({ jobId: job.id, event: { message: 'changes nothing' } })
  expect((await store.check()).findings).toEqual([])
  const old = kv.read((snapshot) => snapshot.get('jobs', idTuple('j', job.id)))
  await store.transitionJob({ jobId: job.id, to: 'Running' })
  const [started] = (await store.listHistory({ jobId: job.id, executionIdPrefix: id, reverse: true })).items
  await kv.write((rows) => {
    // A write that was lost, and an entry that was.
    if (old !== undefined) rows.put('jobs', idTuple('j', job.id), old)
    rows.remove('history', tuple(idTuple('j', job.id), started?.sequence ?? 0))
  })
  const ends = (await store.check()).findings.filter(({ rule }) => rule === 'history-end')
  expect(ends.map((finding) => finding.id).sort()).toEqual([id, job.id].sort())

  const copy = await copyOf(kv)
  await rebuildStore(copy, { kind: 'jobs', nowMs: 2_000, onDrop: () => undefined })
  const repaired = await openJobStore(copy, { clock: () => 2_000 })
  onTestFinished(async () => await repaired.close())
  expect((await repaired.check()).findings).toEqual([])
  const { items } = await repaired.listHistory({ jobId: job.id })
  const notes = items.filter(({ event }) => event.topic === 'Repair')
  expect(notes.map(({ executionId, newState, revision }) => [executionId, newState, revision])).toEqual([
    [null, 'Pending', 1],
    [id, 'Running', 2],
  ])
  await repaired.transitionJob({ jobId: job.id, to: 'Queued' })
  const again = await copyOf(copy)
  await rebuildStore(again, { kind: 'jobs', nowMs: 2_000, onDrop: (row) => expect(row).toBeNull() })
  const second = await openJobStore(again, { clock: () => 2_000 })
  onTestFinished(async () => await second.close())
  expect((await second.check()).findings).toEqual([])
  expect((await second.listHistory({ jobId: job.id })).items).toHaveLength(items.length + 1)
})

test('index rows that are missing, or that fit no record, are found one by one', async () => {
  const { kv, store } = await openBoth()
  for (const id of ['job-1', 'job-2', 'job-3']) {
    await store.submitJob({ id, type: 'batch', spec: {}, labels: { team: 'blue' } })
  }
  expect((await store.check()).findings).toEqual([])
  const byLabel = tuple(INDEX.jobByLabel)
  await kv.write((transaction) => {
    const [first] = transaction.range('index', { gte: byLabel, limit: 1 })
    transaction.remove('index', first?.key ?? byLabel)
    // As many rows as there were.
    transaction.put('index', tuple(INDEX.jobByLabel, 'team', 'red', 5, 'job-2'), new Uint8Array(0))
  })
  const { findings } = await store.check()
  expect(findings.map(({ rule, id }) => [rule, id])).toEqual([
    ['record-without-index', 'job-1'],
    ['index-without-record', 'job-2'],
  ])
})

test('a damaged evaluation at the front keeps nobody from the next one', async () => {
  const { store, damage } = await openBoth()
  const first = await store.submitJob({ type: 'batch', spec: {}, priority: 9 })
  const second = await store.submitJob({ type: 'batch', spec: {}, priority: 1 })
  await damage('evaluations', idTuple('v', first.evaluationId ?? ''))
  const claim = await store.claimEvaluation({ holder: 'worker', leaseMs: 1_000 })
  expect(claim?.evaluation.jobId).toBe(second.job.id)
  expect(await store.listQuarantine()).toHaveLength(1)
})

test('a damaged evaluation that waits still has a time', async () => {
  const { store, damage } = await openBoth()
  const { job } = await store.submitJob({ type: 'batch', spec: {}, evaluation: null })
  const dueAtMs = 5_000
  const { id } = await store.createEvaluation({ jobId: job.id, trigger: 'job-queue', dueAtMs })
  await damage('evaluations', idTuple('v', id))
  expect(await store.nextEvaluationMs()).toBe(dueAtMs)
})
