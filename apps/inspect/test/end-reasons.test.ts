import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import { beforeAll, expect, test } from 'vitest'
import { useFixtureSession } from './fixture-session.ts'

const session = useFixtureSession()
const JOB = {
  id: 'j-ends',
  version: 1,
  namespace: 'default',
  name: 'ends',
  type: 'batch',
  priority: 0,
} as const

interface Row {
  readonly id: string
  readonly endReason: string | null
}

/** A store of each kind with an execution that ended for a reason, and one as earlier releases left it. */
beforeAll(async () => {
  const jobs = await openLmdbJobStore({ path: session.at('ends-jobs.db') })
  const { job } = await jobs.submitJob({ name: 'ends', type: 'batch', spec: {}, evaluation: null })
  for (const [id, endReason] of [
    ['e-timed', 'timed-out'],
    ['e-earlier', undefined],
  ] as const) {
    await jobs.createExecution({ id, jobId: job.id, nodeId: 'n-1' })
    const reason = endReason === undefined ? {} : { endReason }
    const message = 'interrupted: so it says'
    await jobs.updateExecution({ executionId: id, to: 'Failed', message, ...reason })
  }
  await jobs.transitionJob({ jobId: job.id, to: 'Failed', message: 'given up' })
  await jobs.close()
  const executions = await openLmdbExecutionStore({ path: session.at('ends-executions.db') })
  await executions.createExecution({ id: 'e-gone', job: { ...JOB, spec: {} }, requesterId: 'r' })
  await executions.updateExecution({ executionId: 'e-gone', to: 'Failed', endReason: 'results-lost' })
  await executions.close()
})

test('why tells the reason of an end and what it means, and makes none up', async () => {
  const { stdout } = await session.run('why', 'ends-jobs.db', 'ends')
  expect(stdout).toContain('failed (timed-out: its time was up): interrupted: so it says')
  expect(stdout).toContain('failed: interrupted: so it says')
  const compute = await session.run('why', 'ends-executions.db', 'e-gone')
  expect(compute.stdout).toContain('it ended as Failed (results-lost: what it left was gone')
})

test('tables and JSON of executions have it', async () => {
  const rows = await session.runJson<Row[]>('executions', 'ends-jobs.db')
  expect(Object.fromEntries(rows.map(({ id, endReason }) => [id, endReason]))).toEqual({
    'e-timed': 'timed-out',
    'e-earlier': null,
  })
  for (const command of [
    ['executions', 'ends-jobs.db'],
    ['job', 'ends-jobs.db', 'ends'],
  ]) {
    const { stdout } = await session.run(...command)
    expect(stdout).toMatch(/ REASON .*\n(.*\n)*.* timed-out /)
  }
  const [compute] = await session.runJson<Row[]>('executions', 'ends-executions.db')
  expect(compute?.endReason).toBe('results-lost')
})

test('it stays through an export and an import, a repair and a check', async () => {
  for (const [store, id, reason] of [
    ['ends-jobs', 'e-timed', 'timed-out'],
    ['ends-executions', 'e-gone', 'results-lost'],
  ] as const) {
    expect((await session.run('export', `${store}.db`, `${store}.ndjson`, '--show-secrets')).status).toBe(0)
    expect((await session.run('import', `${store}.ndjson`, `${store}-again.db`)).status).toBe(0)
    expect((await session.run('repair', `${store}.db`, `${store}-repaired.db`)).status).toBe(0)
    for (const copy of [`${store}-again.db`, `${store}-repaired.db`]) {
      expect((await session.run('check', copy)).status, copy).toBe(0)
      const rows = await session.runJson<Row[]>('executions', copy)
      expect(rows.find((row) => row.id === id)?.endReason, copy).toBe(reason)
    }
  }
})
