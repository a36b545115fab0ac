import assert from 'node:assert/strict'
import type { ExecutionStore } from '@saltcod/store-core'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { test } from 'vitest'
import { foldedReport, foldReports } from '../../src/compute/fold-reports.ts'
import type { Report } from '../../src/link/link.ts'
import { jobOf } from './fixture.ts'

const MINUTE_MS = 60_000
const EXECUTIONS = 40
const DAYS = 3

test('what waits for a requester that stays away for days is no more than a report an execution', async () => {
  let nowMs = 1_700_000_000_000
  const store: ExecutionStore = await openMemoryExecutionStore({ clock: () => nowMs })
  const ids = Array.from({ length: EXECUTIONS }, (_, at) => `e-${at}`)
  const revisions = new Map<string, number>()
  const told = (executionId: string, message: string, patch: Report['patch']): object => {
    const revision = (revisions.get(executionId) ?? 0) + 1
    revisions.set(executionId, revision)
    return { executionId, revision, state: 'Running', message, event: { message, topic: 't' }, patch }
  }
  for (const id of ids) {
    const body = told(id, 'taken on', { resources: { cpu: 1 } }) as never
    const outbox = [{ destination: 'requester', body }]
    await store.createExecution({ id, job: jobOf('noop', {}, { type: 'service' }), requesterId: 'r', outbox })
  }
  let most = 0
  let written = EXECUTIONS
  const rows = async (): Promise<number> =>
    (await store.readOutbox({ destination: 'requester', limit: 1_000 })).length
  // Each hour a third of them changes, and every ten minutes the sender has failed once more.
  for (let tenth = 0; tenth < DAYS * 24 * 6; tenth += 1) {
    nowMs += 10 * MINUTE_MS
    for (const [at, executionId] of ids.entries()) {
      if ((at + tenth) % 18 !== 0) continue
      const body = told(executionId, `started again ${tenth}`, { runOutput: { tenth } }) as never
      await store.addHistory({ executionId, event: { message: 'again', topic: 't' } })
      await store.updateExecution({ executionId, outbox: [{ destination: 'requester', body }] })
      written += 1
    }
    await foldReports(store, { destination: 'requester', olderThanMs: nowMs - MINUTE_MS })
    most = Math.max(most, await rows())
  }
  assert.ok(written > EXECUTIONS * 20, `${written} reports were written`)
  assert.ok(most <= EXECUTIONS, `${most} rows for ${EXECUTIONS} executions`)
  for (const { body } of await store.readOutbox({ destination: 'requester', limit: 1_000 })) {
    const report = body as unknown as Report
    assert.equal(report.revision, revisions.get(report.executionId))
    assert.deepEqual(report.patch?.resources, { cpu: 1 })
  }
  assert.deepEqual((await store.check()).findings, [])
})

test('what is new waits as it is, and what is folded says all that was said', async () => {
  const store: ExecutionStore = await openMemoryExecutionStore()
  const body = { executionId: 'e-1', revision: 1 }
  const outbox = [1, 2].map((revision) => ({ destination: 'requester', body: { ...body, revision } }))
  await store.createExecution({ id: 'e-1', job: jobOf('noop', {}), requesterId: 'r', outbox })
  assert.equal(await foldReports(store, { destination: 'requester', olderThanMs: 0 }), 0)
  assert.deepEqual(
    foldedReport(
      { executionId: 'e-1', revision: 2, state: 'Running', message: 'runs', patch: { resources: 1 } },
      { executionId: 'e-1', revision: 4, state: 'Completed', patch: { runOutput: 2 } },
    ),
    {
      executionId: 'e-1',
      revision: 4,
      state: 'Completed',
      message: 'runs',
      patch: { resources: 1, runOutput: 2 },
    },
  )
})
