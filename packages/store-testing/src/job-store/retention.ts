import assert from 'node:assert/strict'

import type { FinishedJob, JobStore } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { foldAll } from '../store/fold-all.ts'
import { readAll } from '../store/pages.ts'
import { endedJob, type JobCase, newJob } from './job-case.ts'

async function finished(
  store: JobStore,
  state: FinishedJob['state'] = 'Completed',
  namespace = 'default',
): Promise<FinishedJob[]> {
  return await readAll((request) =>
    store.listFinishedJobs({ ...request, namespace, state: state as 'Completed', limit: 2 }),
  )
}

/** Cases about what retention looks at and does. */
export const retentionCases: readonly JobCase[] = [
  {
    name: 'ended executions of a job that goes on are forgotten with their history, and one entry tells how many',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store, { type: 'service' })
      await store.transitionJob({ jobId, to: 'Running' })
      const living = await store.createExecution({ jobId, nodeId: 'n-1' })
      const ids: string[] = []
      const end = async (): Promise<void> => {
        clock.step(1_000)
        const { id } = await store.createExecution({ jobId, nodeId: 'n-1' })
        ids.push(id)
        await store.updateExecution({ executionId: id, to: 'Running' })
        await store.updateExecution({ executionId: id, to: 'Failed', endReason: 'failed' })
        await store.transitionJob({ jobId, message: `it has ended ${ids.length} times` })
      }
      while (ids.length < 5) await end()
      const forget = (...executionIds: string[]) => store.forgetExecutions({ jobId, executionIds })
      const { cursor } = await store.changes()
      assert.deepEqual(await forget(...ids.slice(0, 3), 'e-none'), ids.slice(0, 3))
      const { changeSets } = await store.changes({ after: cursor })
      assert.deepEqual(
        changeSets.flatMap(({ changes }) => changes.map((change) => [change.operation, change.id])),
        ids.slice(0, 3).map((id) => ['remove', id]),
      )
      assert.equal(await store.getExecution(ids[0] ?? ''), null)
      const left = (await store.listExecutions({ jobId })).items.map(({ id }) => id)
      assert.deepEqual(left, [living.id, ...ids.slice(3)])
      const failed = (await store.counts({ kind: 'execution' })).find(({ state }) => state === 'Failed')
      assert.equal(failed?.records, 2)
      const told = async (): Promise<string[]> =>
        (await store.listHistory({ jobId, limit: 1_000 })).items
          .filter(({ level }) => level === 'job')
          .map(({ event }) => event.details['GivenUp'] ?? event.message)
      const submitted = (await told())[0]
      assert.deepEqual(await told(), [submitted, '3', ...[3, 4, 5].map((n) => `it has ended ${n} times`)])
      assert.deepEqual((await store.check()).findings, [])
      await end()
      assert.deepEqual(await forget(...ids.slice(0, 5)), ids.slice(3, 5))
      assert.deepEqual(await told(), [submitted, '5', 'it has ended 5 times', 'it has ended 6 times'])
      assert.deepEqual((await store.check()).findings, [])
      const before = await store.info()
      await assertRejects(forget(living.id), 'INVALID_ARGUMENT')
      const { id: other } = await newJob(store)
      await assertRejects(
        store.forgetExecutions({ jobId: other, executionIds: [ids[5] ?? ''] }),
        'INVALID_ARGUMENT',
      )
      await assertRejects(store.forgetExecutions({ jobId: 'j-none', executionIds: [] }), 'JOB_NOT_FOUND')
      await assertRejects(forget(...Array.from({ length: 51 }, () => 'e')), 'INVALID_ARGUMENT')
      assert.equal((await store.getExecution(ids[5] ?? ''))?.state, 'Failed')
      assert.ok((await store.info()).sequence >= before.sequence)
      await store.updateExecution({ executionId: living.id, to: 'Cancelled', endReason: 'stopped' })
      await store.transitionJob({ jobId, to: 'Stopped' })
      assert.deepEqual(await forget(ids[5] ?? ''), [], 'a job that has ended goes as a whole')
      assert.deepEqual((await store.check()).findings, [])
      await foldAll(store)
      assert.deepEqual((await store.check()).findings, [])
    },
  },
  {
    name: 'finished jobs are listed by when they ended, whatever their age, one namespace and state at a time',
    run: async ({ store, clock }) => {
      const ids: string[] = []
      for (let n = 0; n < 5; n++) ids.push((await newJob(store)).id)
      for (const jobId of [...ids].reverse()) {
        clock.step(10)
        await store.transitionJob({ jobId, to: 'Completed' })
      }
      const failed = await newJob(store)
      await store.transitionJob({ jobId: failed.id, to: 'Failed' })
      const elsewhere = await endedJob(store, { namespace: 'elsewhere' })
      const jobs = await finished(store)
      assert.deepEqual(
        jobs.map(({ id }) => id),
        [...ids].reverse(),
      )
      assert.deepEqual(
        jobs.map(({ finishedAtMs }) => finishedAtMs),
        [...jobs].map(({ finishedAtMs }) => finishedAtMs).sort((a, b) => a - b),
      )
      assert.deepEqual(
        (await finished(store, 'Failed')).map(({ id, state }) => [id, state]),
        [[failed.id, 'Failed']],
      )
      assert.deepEqual(
        (await finished(store, 'Completed', 'elsewhere')).map(({ id, namespace }) => [id, namespace]),
        [[elsewhere.id, 'elsewhere']],
      )
      assert.deepEqual(await finished(store, 'Stopped'), [])
      assert.deepEqual(await finished(store, 'Completed', 'n'.repeat(300)), [])
      await assertRejects(
        store.listFinishedJobs({ namespace: 'default', state: 'Running' as never }),
        'INVALID_ARGUMENT',
      )
    },
  },
  {
    name: 'the bytes of finished jobs add up to the counter, and a hold is told',
    run: async ({ store }) => {
      const { id } = await endedJob(store, { spec: { text: 'x'.repeat(1_000) } })
      await store.holdJob({ jobId: id, reason: 'audit' })
      await endedJob(store)
      const jobs = await finished(store)
      assert.deepEqual(
        jobs.map(({ hold }) => hold),
        ['audit', null],
      )
      assert.deepEqual(
        (await store.counts({ kind: 'job' })).map(({ bytes }) => bytes),
        [jobs.reduce((sum, { bytes }) => sum + bytes, 0)],
      )
      assert.equal(jobs[0]?.revision, (await store.getJob(id))?.revision)
    },
  },
  {
    name: 'a job that runs again is finished no more',
    run: async ({ store }) => {
      const { id: jobId } = await endedJob(store)
      await store.reviseJob({ jobId })
      assert.deepEqual(await finished(store), [])
    },
  },
  {
    name: 'a job is measured with all that belongs to it',
    run: async ({ store }) => {
      assert.equal(await store.measureJob('none'), null)
      const other = await newJob(store)
      const { id: jobId } = await newJob(store)
      const before = await store.measureJob(jobId)
      assert.equal(before?.rows, 3)
      const execution = await store.createExecution({ jobId, nodeId: 'n' })
      await store.createEvaluation({ jobId, trigger: 'job-queue' })
      const after = await store.measureJob(jobId)
      assert.equal(after?.rows, 3 + 2 + 1)
      assert.ok((after?.bytes ?? 0) > (before?.bytes ?? 0))
      assert.equal(after?.unfinishedExecutions, 1)
      await store.updateExecution({ executionId: execution.id, to: 'Failed' })
      assert.equal((await store.measureJob(jobId))?.unfinishedExecutions, 0)
      await Promise.all(
        Array.from({ length: 1_100 }, () => store.addHistory({ jobId, event: { message: 'noted' } })),
      )
      assert.equal((await store.measureJob(jobId))?.rows, 3 + 2 + 1 + 1 + 1_100)
      assert.equal((await store.measureJob(other.id))?.rows, 3)
    },
  },
  {
    name: 'a job that is not what the caller knows is not deleted',
    run: async ({ store }) => {
      const { id: jobId, revision } = await endedJob(store)
      const { id: executionId } = await store.createExecution({ jobId, nodeId: 'n' })
      const history = await store.listHistory({ jobId })
      const newest = history.items.at(-1)?.sequence ?? 0
      await assertRejects(store.deleteJob({ jobId, expectedRevision: revision - 1 }), 'REVISION_CONFLICT')
      await store.updateExecution({ executionId, to: 'Failed' })
      await assertRejects(
        store.deleteJob({ jobId, expectedRevision: revision, expectedHistorySequence: newest }),
        'REVISION_CONFLICT',
      )
      assert.equal((await store.getJob(jobId))?.revision, revision)
      const again = (await store.listHistory({ jobId })).items.at(-1)?.sequence ?? 0
      await store.deleteJob({ jobId, expectedRevision: revision, expectedHistorySequence: again })
      assert.equal(await store.getJob(jobId), null)
    },
  },
]
