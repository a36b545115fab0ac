import assert from 'node:assert/strict'
import type { JobSpec } from '@saltcod/bacalhau-records'
import { findClockStep } from '@saltcod/compaction'
import { openMemoryExecutionStore, openMemoryJobStore } from '@saltcod/store-memory'
import { pino } from 'pino'
import { test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { Retention } from '../../src/retention/retention.ts'

const DAY_MS = 86_400_000

test('a clock that was set by days removes nothing until somebody says that it is right', async () => {
  let nowMs = 1_700_000_000_000
  const clock = (): number => nowMs
  const jobs = await openMemoryJobStore<JobSpec>({ clock })
  const end = async (): Promise<void> => {
    const { job } = await jobs.submitJob({ type: 'batch', spec: {} as JobSpec, evaluation: null })
    await jobs.transitionJob({ jobId: job.id, to: 'Completed' })
  }
  await end()
  nowMs += 3 * DAY_MS
  const clockStep = await findClockStep(jobs, nowMs)
  const rules = [{ maxAgeMs: DAY_MS }]
  const log = pino({ level: 'silent' })
  const retention = new Retention({
    jobs,
    compute: null,
    rules,
    clockStep,
    foldAfterMs: null,
    archive: null,
    log,
    clock,
  })
  await end()
  const suspended = await retention.run()
  assert.deepEqual(suspended.suspended, {
    now: new Date(nowMs).toISOString(),
    lastChange: new Date(nowMs - 3 * DAY_MS).toISOString(),
  })
  assert.deepEqual([suspended.removedJobs, suspended.complete], [0, false])
  assert.equal((await retention.run({ dryRun: true })).dryRun, true)
  const confirmed = await retention.run({ confirmClock: true })
  assert.deepEqual([confirmed.removedJobs, confirmed.suspended, confirmed.complete], [1, null, true])

  nowMs += 2 * DAY_MS
  await end()
  for (let n = 0; n < 2; n++) assert.notEqual((await retention.run()).suspended, null)
  assert.equal((await jobs.listJobs()).items.length, 2)
  assert.equal((await retention.run({ confirmClock: true })).removedJobs, 1)
  assert.equal((await retention.run()).suspended, null)
  await retention.stop()
})

test('the executions of removed jobs go, but never those that a younger job store has not known', async () => {
  let nowMs = 1_700_000_000_000
  const clock = (): number => nowMs
  const executions = await openMemoryExecutionStore({ clock })
  const endOne = async (id: string, jobId: string): Promise<void> => {
    await executions.createExecution({
      id,
      requesterId: 'n',
      job: { id: jobId, version: 1, namespace: 'default', name: 'x', type: 'batch', priority: 0, spec: {} },
    })
    const { revision } = await executions.updateExecution({ executionId: id, to: 'Completed' })
    await executions.acknowledgeExecution({ executionId: id, revision })
  }
  await endOne('older', 'job-of-another-store')
  nowMs += 1_000
  const jobs = await openMemoryJobStore<JobSpec>({ clock })
  const { job } = await jobs.submitJob({ type: 'batch', spec: {} as JobSpec, evaluation: null })
  await jobs.transitionJob({ jobId: job.id, to: 'Completed' })
  await endOne('kept', job.id)
  await endOne('left-by-a-crash', 'removed-before')
  const directory = temporaryDirectory()
  const compute = { executions, dataDir: directory, resultsDir: directory }
  const log = pino({ level: 'silent' })
  const retention = new Retention({
    jobs,
    compute,
    rules: [],
    clockStep: null,
    foldAfterMs: null,
    archive: null,
    log,
    clock,
  })
  const ids = async (): Promise<string[]> =>
    (await executions.listExecutions()).items.map(({ id }) => id).sort()
  await retention.run()
  assert.deepEqual(await ids(), ['kept', 'left-by-a-crash', 'older'])
  await retention.run({ rules: [{ maxCount: 10 }] })
  assert.deepEqual(await ids(), ['kept', 'older'])
  const report = await retention.run({ rules: [{ maxCount: 0 }] })
  assert.deepEqual([report.removedJobs, report.removedExecutions], [1, 1])
  assert.deepEqual(await ids(), ['older'])
})

test('what ended long enough ago is folded in both stores, unless it is never to be', async () => {
  let nowMs = 1_700_000_000_000
  const clock = (): number => nowMs
  const jobs = await openMemoryJobStore<JobSpec>({ clock })
  const executions = await openMemoryExecutionStore({ clock })
  const { job } = await jobs.submitJob({ type: 'batch', spec: {} as JobSpec, evaluation: null })
  await jobs.transitionJob({ jobId: job.id, to: 'Completed' })
  await executions.createExecution({
    id: 'run',
    requesterId: 'n',
    job: { id: job.id, version: 1, namespace: 'default', name: 'x', type: 'batch', priority: 0, spec: {} },
  })
  const { revision } = await executions.updateExecution({ executionId: 'run', to: 'Completed' })
  await executions.acknowledgeExecution({ executionId: 'run', revision })
  const rowsLeft = (): number =>
    [jobs, executions]
      .flatMap(
        ({ capabilities }) =>
          capabilities.statistics?.().tables.filter(({ table }) => table === 'history') ?? [],
      )
      .reduce((sum, { rows }) => sum + rows, 0)
  const parts = {
    jobs,
    compute: { executions, dataDir: temporaryDirectory(), resultsDir: temporaryDirectory() },
    rules: [],
    clockStep: null,
    archive: null,
    log: pino({ level: 'silent' }),
    clock,
  }
  const before = rowsLeft()
  nowMs += 999
  for (const foldAfterMs of [null, 1_000]) {
    const retention = new Retention({ ...parts, foldAfterMs })
    await retention.fold()
    assert.equal(rowsLeft(), before)
    await retention.stop()
  }
  nowMs += 1
  const retention = new Retention({ ...parts, foldAfterMs: 1_000 })
  await retention.fold()
  assert.equal(rowsLeft(), 0)
  assert.equal((await jobs.listHistory({ jobId: job.id })).items.length, 2)
  await retention.stop()
})
