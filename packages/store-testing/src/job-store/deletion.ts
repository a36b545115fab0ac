import assert from 'node:assert/strict'

import type { JobStore } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { claim } from './evaluation.ts'
import { endedJob, type JobCase, newJob, SPEC } from './job-case.ts'

/** Reclaims until nothing is left and returns how many rows went and which jobs were finished. */
async function reclaimAll(store: JobStore): Promise<{ rows: number; finished: string[] }> {
  const sum = { rows: 0, finished: [] as string[] }
  for (;;) {
    const { removedRows, finished, more } = await store.reclaim()
    assert.ok(removedRows <= 510, `${removedRows} rows in one step`)
    sum.rows += removedRows
    sum.finished.push(...finished)
    if (!more) return sum
  }
}

/** Cases about deleting a job and reclaiming what it leaves. */
export const deletionCases: readonly JobCase[] = [
  {
    name: 'only an ended job that nobody holds is deleted',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      await assertRejects(store.deleteJob({ jobId: 'none' }), 'JOB_NOT_FOUND')
      await assertRejects(store.deleteJob({ jobId }), 'JOB_NOT_TERMINAL')
      await store.transitionJob({ jobId, to: 'Stopped' })
      await store.holdJob({ jobId, reason: 'audit' })
      await assertRejects(store.deleteJob({ jobId }), 'JOB_HELD')
      await store.holdJob({ jobId, reason: null })
      await store.deleteJob({ jobId })
      await assertRejects(store.deleteJob({ jobId }), 'JOB_NOT_FOUND')
    },
  },
  {
    name: 'a deleted job is in no listing, lookup or count, before and after reclaiming',
    run: async ({ store, clock }) => {
      const kept = await newJob(store, { labels: { a: '1' } })
      const { id: jobId } = await newJob(store, { name: 'gone', labels: { a: '1' }, submitKey: 'k' })
      await store.reviseJob({ jobId, spec: 2 })
      const one = await store.createExecution({ jobId, nodeId: 'n', deadlineAtMs: clock.read() })
      const two = await store.createExecution({ jobId, nodeId: 'n' })
      await store.updateExecution({ executionId: two.id, to: 'Completed' })
      const evaluation = await store.createEvaluation({ jobId, trigger: 'job-queue' })
      await store.createEvaluation({ jobId, trigger: 'job-queue', dueAtMs: clock.read() + 1 })
      await store.transitionJob({ jobId, to: 'Completed' })
      await store.deleteJob({ jobId })
      for (const step of ['before reclaiming', 'after reclaiming']) {
        assert.equal(await store.getJob(jobId), null, step)
        assert.equal(await store.getJob(jobId, 1), null)
        assert.equal(await store.getJobByName('default', 'gone'), null)
        await assertRejects(store.findJob(jobId.slice(0, 20)), 'JOB_NOT_FOUND')
        await assertRejects(store.listJobVersions(jobId), 'JOB_NOT_FOUND')
        await assertRejects(store.transitionJob({ jobId, to: 'Running' }), 'JOB_NOT_FOUND')
        await assertRejects(store.createExecution({ jobId, nodeId: 'n' }), 'JOB_NOT_FOUND')
        await assertRejects(store.createEvaluation({ jobId, trigger: 'job-queue' }), 'JOB_NOT_FOUND')
        await assertRejects(store.addHistory({ jobId, event: {} }), 'JOB_NOT_FOUND')
        assert.deepEqual((await store.listJobs()).items, [kept])
        assert.deepEqual(
          (await store.listJobs({ labels: [{ key: 'a', operator: '=', values: ['1'] }] })).items,
          [kept],
        )
        assert.deepEqual((await store.listJobs({ states: ['Completed'] })).items, [])
        assert.equal(await store.getExecution(one.id), null)
        await assertRejects(store.findExecution(one.id), 'EXECUTION_NOT_FOUND')
        await assertRejects(store.findExecution(one.id.slice(0, 20)), 'EXECUTION_NOT_FOUND')
        await assertRejects(
          store.updateExecution({ executionId: one.id, to: 'Running' }),
          'EXECUTION_NOT_FOUND',
        )
        assert.equal(
          await store.recordExecution({ executionId: one.id, nodeId: 'n', computeRevision: 1 }),
          'unknown',
        )
        for (const query of [
          { jobId },
          { nodeId: 'n' },
          { inProgress: true },
          { states: ['New', 'Completed'] as const },
        ]) {
          assert.deepEqual((await store.listExecutions(query)).items, [])
        }
        assert.equal(await store.getEvaluation(evaluation.id), null)
        assert.deepEqual((await store.listEvaluations({ jobId })).items, [])
        assert.deepEqual((await store.listEvaluations({})).items, [])
        assert.equal(await claim(store), null)
        assert.equal(await store.nextEvaluationMs(), null)
        assert.equal(await store.trimEvaluations({ olderThanMs: 0 }), 0)
        assert.deepEqual(await store.dueDeadlines(), [])
        assert.deepEqual((await store.listHistory({ jobId })).items, [])
        assert.deepEqual(
          (await store.counts()).map(({ kind, records }) => [kind, records]),
          [['job', 1]],
        )
        assert.deepEqual((await store.check()).findings, [])
        assert.deepEqual((await reclaimAll(store)).finished, step === 'before reclaiming' ? [jobId] : [])
      }
    },
  },
  {
    name: 'the name is free at once, the id after reclaiming',
    run: async ({ store }) => {
      const { id } = await endedJob(store, { id: 'mine', name: 'one', submitKey: 'k' })
      await store.createExecution({ id: 'run', jobId: id, nodeId: 'n', event: { message: 'old' } })
      await store.deleteJob({ jobId: id })
      const other = await newJob(store, { name: 'one' })
      assert.equal((await store.findJob('one')).id, other.id)
      await assertRejects(newJob(store, { id: 'mine' }), 'JOB_ALREADY_EXISTS')
      await reclaimAll(store)
      const again = await newJob(store, { id: 'mine', spec: 'new' })
      assert.deepEqual([again.version, again.revision, again.spec], [1, 1, 'new'])
      assert.equal((await store.listHistory({ jobId: 'mine' })).items.length, 1)
      await store.createExecution({ id: 'run', jobId: 'mine', nodeId: 'n' })
      assert.equal((await store.listExecutions({ jobId: 'mine' })).items.length, 1)
    },
  },
  {
    name: 'reclaiming takes small steps, leaves nothing, and never touches others',
    run: async ({ store, clock }) => {
      const kept = await newJob(store, { spec: SPEC })
      const keptRun = await store.createExecution({ jobId: kept.id, nodeId: 'n' })
      const deleted: string[] = []
      for (let n = 0; n < 3; n++) {
        const { id: jobId } = await newJob(store)
        await Promise.all(
          Array.from({ length: 150 }, async (_, m) => {
            const { id } = await store.createExecution({ jobId, nodeId: 'n', deadlineAtMs: clock.read() + m })
            if (m % 3 === 0) await store.updateExecution({ executionId: id, to: 'Completed' })
            if (m % 5 === 0) await store.createEvaluation({ jobId, trigger: 'exec-update' })
          }),
        )
        await store.transitionJob({ jobId, to: 'Completed' })
        await store.deleteJob({ jobId })
        deleted.push(jobId)
      }
      const { rows, finished } = await reclaimAll(store)
      assert.deepEqual(finished.sort(), deleted.sort())
      assert.ok(rows > 3 * 150)
      assert.deepEqual(await store.reclaim(), { removedRows: 0, finished: [], more: false })
      assert.deepEqual((await store.listJobs()).items, [kept])
      assert.deepEqual((await store.listExecutions({ nodeId: 'n' })).items, [keptRun])
      assert.equal(await store.nextDeadlineMs(), null)
    },
  },
  {
    name: 'a job with more evaluations and executions than a transaction takes keys is deleted all the same',
    large: true,
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      await Promise.all(
        Array.from({ length: 700 }, (_, n) =>
          store.createEvaluation({ jobId, trigger: 'exec-update', priority: n % 5 }),
        ),
      )
      for (let n = 0; n < 7; n++) {
        await Promise.all(
          Array.from({ length: 300 }, () =>
            store.createExecution({ jobId, nodeId: 'n', deadlineAtMs: clock.read() + n }),
          ),
        )
      }
      await store.transitionJob({ jobId, to: 'Stopped' })
      await store.deleteJob({ jobId })
      assert.deepEqual(await store.counts(), [])
      clock.step(100)
      assert.deepEqual(await store.dueDeadlines(), [])
      assert.equal(await store.nextDeadlineMs(), null)
      const { id } = await newJob(store, { deadlineAtMs: clock.read() })
      const next = { kind: 'job', id, dueAtMs: clock.read() }
      assert.deepEqual(await store.dueDeadlines({ limit: 1 }), [next])
      assert.equal(await claim(store), null)
      assert.deepEqual((await store.check()).findings, [])
      assert.deepEqual((await reclaimAll(store)).finished, [jobId])
      assert.deepEqual(await store.dueDeadlines(), [next])
    },
  },
  {
    name: 'what changes between a look at a job and its deletion is counted out too',
    run: async ({ store }) => {
      const { id: jobId } = await endedJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n' })
      // The deletion looks first; the others are before it in the queue of changes.
      const deleting = store.deleteJob({ jobId })
      const changes = [
        store.updateExecution({ executionId: id, to: 'Running' }),
        store.createExecution({ jobId, nodeId: 'm' }),
      ]
      await Promise.all([deleting, ...changes.map((change) => change.catch(() => undefined))])
      assert.deepEqual(await store.counts(), [])
      assert.deepEqual((await store.check()).findings, [])
    },
  },
  {
    name: 'the feed has a tombstone for the job and for each of its executions and evaluations',
    run: async ({ store }) => {
      const { id: jobId } = await endedJob(store)
      const execution = await store.createExecution({ jobId, nodeId: 'n' })
      const evaluation = await store.createEvaluation({ jobId, trigger: 'job-queue' })
      const cursor = await store.latestCursor()
      await store.deleteJob({ jobId })
      await reclaimAll(store)
      const { changeSets } = await store.changes({ after: cursor })
      const removed = changeSets
        .flatMap(({ changes }) => changes)
        .filter(({ operation }) => operation === 'remove')
      assert.deepEqual(removed.map(({ id }) => id).sort(), [jobId, execution.id, evaluation.id].sort())
      assert.ok(removed.every((change) => change.jobId === jobId && change.state === null))
    },
  },
  {
    name: 'reclaiming goes on after opening again',
    needs: 'reopen',
    run: async ({ store, reopen }) => {
      const { id: jobId } = await endedJob(store)
      await Promise.all(Array.from({ length: 300 }, () => store.createExecution({ jobId, nodeId: 'n' })))
      await store.deleteJob({ jobId })
      assert.equal((await store.reclaim()).more, true)
      const again = await reopen()
      assert.equal(await again.getJob(jobId), null)
      assert.deepEqual((await again.listExecutions({ nodeId: 'n' })).items, [])
      assert.deepEqual((await again.check()).findings, [])
      assert.deepEqual((await reclaimAll(again)).finished, [jobId])
    },
  },
]
