import { expect, test } from 'vitest'
import { IS_LONG } from '../../../../test/seed.ts'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { type KvStore, openExecutionStore, openJobStore, STORE_TABLES } from '../../src/backend.ts'
import { decodeRecord, decodeTuple, encodeRecord, REBUILT_TABLES, rebuildStore } from '../../src/format.ts'
import { type DurableStore, isStoreError } from '../../src/index.ts'

/**
 * Rows as a program wrote them that had a mistake, or was no friend: their checksum is right, and what they hold is no
 * row. Whoever meets one is told so by `RECORD_CORRUPT`, and all others are as near as before.
 */

interface Row {
  readonly table: (typeof STORE_TABLES)[number]
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** One value in so many is put in the place of each in a short run. */
const EVERY = IS_LONG ? 1 : 6
const NOW_MS = 1_000_000
const clock = () => NOW_MS
const NO_ROWS: readonly unknown[] = [null, [5], 'text', {}]
const NO_VALUES: readonly unknown[] = [null, -1, 'x'.repeat(2_000), {}, 1e300, undefined]
const REFUSALS = new Set([
  'JOB_NOT_FOUND',
  'EXECUTION_NOT_FOUND',
  'JOB_VERSION_NOT_FOUND',
  'ALREADY_TERMINAL',
  'ILLEGAL_TRANSITION',
  'STATE_CONFLICT',
  'INVALID_CURSOR',
  'FEED_DIVERGED',
])
/** What an opening may say of the rows that it reads itself. */
const NO_OPENING = new Set(['STORE_DAMAGED', 'STORE_FOREIGN', 'SCHEMA_TOO_NEW', 'RECORD_CORRUPT'])

async function storeWith(rows: readonly Row[]): Promise<KvStore> {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  await kv.write((transaction) => {
    for (const { table, key, value } of rows) transaction.put(table, key, value)
  })
  return kv
}

function rowsOf(kv: KvStore): Row[] {
  return STORE_TABLES.flatMap((table) =>
    kv.read((snapshot) =>
      snapshot.range(table, { limit: 1_000 }).map(({ key, value }) => ({ table, key, value })),
    ),
  )
}

async function jobRows(): Promise<Row[]> {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  const store = await openJobStore(kv, { clock })
  const job = { type: 'batch', spec: { a: 1 }, labels: { env: 'x' }, deadlineAtMs: 2_000_000 } as const
  await store.submitJob({ ...job, id: 'j-a', submitKey: 'k', outbox: [{ destination: 'n', body: 1 }] })
  const claim = await store.claimEvaluation({ holder: 'h', leaseMs: 1_000 })
  if (claim === null) throw new Error('nothing to claim')
  await store.applyPlan({
    lease: claim.lease,
    newExecutions: [{ id: 'e-a', jobId: 'j-a', nodeId: 'n', partition: 0, resources: { cpu: 1 } }],
    job: { to: 'Running', message: 'so', event: { topic: 't', details: { a: 'b' } } },
    followUps: [{ id: 'v-later', trigger: 'job-update', delayMs: 500_000 }],
  })
  await store.submitJob({ ...job, id: 'j-b', name: 'sound', requestId: 'r' })
  await store.claimEvaluation({ holder: 'h', leaseMs: 1_000 })
  await store.submitJob({ type: 'batch', spec: {}, id: 'j-gone' })
  await store.transitionJob({ jobId: 'j-gone', to: 'Stopped' })
  await store.deleteJob({ jobId: 'j-gone' })
  await store.setNamedCursor('follower', await store.latestCursor())
  await store.setPeer({ name: 'n', storeId: 's', incarnation: 'i', firstSequence: 2, sequence: 5 })
  return rowsOf(kv)
}

async function executionRows(): Promise<Row[]> {
  const kv = openMemoryKv({ tables: STORE_TABLES })
  const store = await openExecutionStore(kv, { clock })
  const job = {
    id: 'j-a',
    version: 1,
    namespace: 'default',
    name: 'a',
    type: 'batch',
    priority: 1,
    spec: 1,
  } as const
  await store.createExecution({ id: 'e-a', job, requesterId: 'r', rerunnable: true, partition: 0 })
  const process = { pid: 1, startTime: '2', bootId: 'b' }
  await store.updateExecution({ executionId: 'e-a', to: 'BidAccepted' })
  await store.updateExecution({ executionId: 'e-a', to: 'Running', patch: { attempt: 1, process } })
  await store.updateExecution({ executionId: 'e-a', to: 'Failed', endReason: 'failed', message: 'm' })
  await store.acknowledgeExecution({ executionId: 'e-a', revision: 4 })
  await store.createExecution({ id: 'e-b', job, requesterId: 'r' })
  await store.setCheckpoint('commands', 3)
  return rowsOf(kv)
}

/** Each row, and each of its fields, as something else. */
function* wrongRows(rows: readonly Row[]): Generator<{ what: string; damaged: Row; rows: readonly Row[] }> {
  const seen = new Set<string>()
  for (const row of rows) {
    if (row.table === 'index') continue
    const record = decodeRecord<unknown>(row.table, row.key, row.value)
    const fields = typeof record === 'object' && record !== null ? Object.entries(record) : []
    const sort = JSON.stringify([
      row.table,
      row.table === 'meta' && decodeTuple(row.key)[0],
      fields.map(([name]) => name),
    ])
    if (seen.has(sort)) continue
    seen.add(sort)
    const wrong = NO_ROWS.concat(
      fields.flatMap(([name]) =>
        NO_VALUES.map((value) => Object.assign(structuredClone(record) as object, { [name]: value })),
      ),
    )
    for (const value of wrong.filter((_, number) => number % EVERY === 0)) {
      const damaged = { ...row, value: encodeRecord(row.table, row.key, 1, value) }
      const what = `${row.table} ${JSON.stringify(decodeTuple(row.key))}: ${JSON.stringify(value)?.slice(0, 300)}`
      yield { what, damaged, rows: rows.map((other) => (other === row ? damaged : other)) }
    }
  }
}

/** Opens a store; `null` where one of the rows that an opening reads is damaged. */
async function openDamaged<Store>(
  what: string,
  { table }: Row,
  opening: () => Promise<Store>,
): Promise<Store | null> {
  try {
    return await opening()
  } catch (error) {
    const code = isStoreError(error) ? error.code : ''
    if (table !== 'meta' || !NO_OPENING.has(code)) throw new Error(what, { cause: error })
    return null
  }
}

/** Runs a step that may meet the row; it may say that the row is damaged, and nothing else. */
async function tolerated(what: string, step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch (error) {
    const code = isStoreError(error) ? error.code : ''
    if (code !== 'RECORD_CORRUPT' && !REFUSALS.has(code)) throw new Error(what, { cause: error })
  }
}

test('a row of a job store that is none is damaged for all who meet it, and nobody else is kept from anything', async () => {
  for (const { what, damaged, rows } of wrongRows(await jobRows())) {
    const kv = await storeWith(rows)
    const run = (step: () => Promise<unknown>) => tolerated(what, step)
    const store = await openDamaged(what, damaged, () => openJobStore(kv, { clock }))
    if (store !== null) {
      await store.check()
      await store.info()
      await store.counts()
      await store.listQuarantine()
      await store.listJobs()
      await store.listEvaluations({})
      await store.listExecutions({ nodeId: 'n' })
      await store.dueDeadlines()
      await store.nextEvaluations()
      await run(() => store.changes())
      await run(() => store.changes({ reverse: true }))
      await run(() => store.readOutbox({ destination: 'n' }))
      await run(() => store.getNamedCursor('follower'))
      await run(() => store.getPeer('n'))
      for (const jobId of ['j-a', 'j-b']) {
        await run(() => store.getJob(jobId))
        await run(() => store.listJobVersions(jobId))
        await run(() => store.listHistory({ jobId }))
        await run(() => store.measureJob(jobId))
      }
      await run(() => store.getExecution('e-a'))
      await run(() => store.getEvaluation('v-later'))
      await store.submitJob({ type: 'batch', spec: {}, id: 'j-new' })
      for (let n = 0; n < 3; n++) await store.claimEvaluation({ holder: 'h', leaseMs: 1_000 })
      await run(() => store.updateExecution({ executionId: 'e-a', to: 'Failed' }))
      await run(() => store.transitionJob({ jobId: 'j-a', to: 'Failed' }))
      await store.fold()
      await store.reclaim()
      await store.trimFeed({ olderThanMs: 0 })
      expect((await store.getJob('j-new'))?.id, what).toBe('j-new')
    }
    await assertRebuilt(what, damaged, rows, 'jobs')
  }
}, 120_000)

test('a row of an execution store that is none is damaged for all who meet it, and nobody else is kept from anything', async () => {
  for (const { what, damaged, rows } of wrongRows(await executionRows())) {
    const kv = await storeWith(rows)
    const run = (step: () => Promise<unknown>) => tolerated(what, step)
    const store = await openDamaged(what, damaged, () => openExecutionStore(kv, { clock }))
    if (store !== null) {
      await store.check()
      await store.info()
      await store.counts()
      await store.listExecutions()
      await run(() => store.getCheckpoint('commands'))
      for (const executionId of ['e-a', 'e-b']) {
        await run(() => store.getExecution(executionId))
        await run(() => store.listHistory({ executionId }))
        await run(() => store.measureExecution(executionId))
        await run(() => store.addHistory({ executionId, event: { message: 'm' } }))
      }
      await run(() => store.updateExecution({ executionId: 'e-b', to: 'BidAccepted' }))
      await store.fold()
      await run(() => store.deleteExecution({ executionId: 'e-a' }))
      await store.reclaim()
      await store.check()
    }
    await assertRebuilt(what, damaged, rows, 'executions')
  }
}, 120_000)

/** A rebuild drops such a row, and what it makes of the others keeps all rules. */
async function assertRebuilt(
  what: string,
  damaged: Row,
  rows: readonly Row[],
  kind: 'jobs' | 'executions',
): Promise<void> {
  const emptied: readonly string[] = REBUILT_TABLES
  const kv = await storeWith(rows.filter(({ table }) => !emptied.includes(table)))
  const rebuilt = `rebuilt with ${what}`
  const store = await openDamaged<DurableStore>(rebuilt, damaged, async () => {
    await rebuildStore(kv, { kind, nowMs: NOW_MS, onDrop: () => undefined })
    return await (kind === 'jobs' ? openJobStore(kv, { clock }) : openExecutionStore(kv, { clock }))
  })
  const findings = (await store?.check())?.findings ?? []
  // That entries of a history are lost, no rebuild can mend.
  expect(
    findings.filter(({ rule }) => rule !== 'history-end'),
    rebuilt,
  ).toEqual([])
}

test('a job in a state of a newer release is read, and refused where it should be moved on', async () => {
  const rows = (await jobRows()).map((row) => {
    if (row.table !== 'jobs' || decodeTuple(row.key)[0] !== 'j-a') return row
    const record = decodeRecord<object>(row.table, row.key, row.value)
    return { ...row, value: encodeRecord(row.table, row.key, 1, { ...record, s: 'constructor' }) }
  })
  const store = await openJobStore(await storeWith(rows), { clock })
  expect((await store.getJob('j-a'))?.state).toBe('constructor')
  await expect(store.transitionJob({ jobId: 'j-a', to: 'Failed' })).rejects.toMatchObject({
    code: 'ILLEGAL_TRANSITION',
  })
})

test('a check of a job that claims more versions than there are ends', async () => {
  const rows = (await jobRows()).map((row) => {
    if (row.table !== 'jobs' || decodeTuple(row.key)[0] !== 'j-a') return row
    const record = decodeRecord<object>(row.table, row.key, row.value)
    return { ...row, value: encodeRecord(row.table, row.key, 1, { ...record, v: Number.MAX_SAFE_INTEGER }) }
  })
  const store = await openJobStore(await storeWith(rows), { clock })
  const { findings } = await store.check()
  expect(findings.filter(({ rule }) => rule === 'spec-missing').length).toBe(1)
})
