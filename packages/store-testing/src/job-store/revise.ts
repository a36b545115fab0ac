import assert from 'node:assert/strict'

import { JOB_STATES } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { type JobCase, newJob } from './job-case.ts'

/** Cases about new versions of a job. */
export const reviseCases: readonly JobCase[] = [
  {
    name: 'a new version changes what is given, keeps the rest, and begins anew as Pending',
    run: async ({ store, clock }) => {
      const first = await newJob(store, {
        name: 'one',
        count: 2,
        priority: 3,
        labels: { a: '1' },
        spec: 'old',
      })
      clock.step(10)
      const { job, evaluationId, created } = await store.reviseJob({ jobId: first.id, spec: 'new', count: 5 })
      assert.equal(created, true)
      assert.deepEqual(job, {
        ...first,
        spec: 'new',
        count: 5,
        version: 2,
        revision: 2,
        stateSinceMs: clock.read(),
        modifiedAtMs: clock.read(),
      })
      assert.deepEqual(await store.getJob(first.id), job)
      assert.equal((await store.getEvaluation(evaluationId ?? ''))?.trigger, 'job-update')
    },
  },
  {
    name: 'versions are kept, oldest first, each with its own specification and the time at which it was made',
    run: async ({ store, clock }) => {
      const { id, createdAtMs: madeAtMs } = await newJob(store, { spec: 1, labels: { v: '1' } })
      clock.step(1_000)
      await store.transitionJob({ jobId: id, to: 'Running' })
      clock.step(1_000)
      await store.reviseJob({ jobId: id, spec: 2, labels: { v: '2' } })
      clock.step(1_000)
      await store.reviseJob({ jobId: id, priority: 9 })
      clock.step(1_000)
      await store.transitionJob({ jobId: id, to: 'Running' })
      const versions = await store.listJobVersions(id)
      assert.deepEqual(
        versions.map(({ modifiedAtMs, createdAtMs }) => [modifiedAtMs - madeAtMs, createdAtMs]),
        [0, 2_000, 4_000].map((afterMs) => [afterMs, madeAtMs]),
      )
      assert.deepEqual(
        versions.map(({ version, spec, labels, priority }) => [version, spec, labels, priority]),
        [
          [1, 1, { v: '1' }, 0],
          [2, 2, { v: '2' }, 0],
          [3, 2, { v: '2' }, 9],
        ],
      )
      assert.deepEqual((await store.getJob(id, 1))?.spec, 1)
      for (const version of [0, 4, -1, 1.5]) assert.equal(await store.getJob(id, version), null)
      await assertRejects(store.listJobVersions('none'), 'JOB_NOT_FOUND')
    },
  },
  {
    name: 'any state is left, also an end, which is then forgotten',
    run: async ({ store, clock }) => {
      for (const state of JOB_STATES) {
        const { id } = await newJob(store, { deadlineAtMs: clock.read() + 100 })
        if (state !== 'Pending') await store.transitionJob({ jobId: id, to: state, message: 'why' })
        const { job } = await store.reviseJob({ jobId: id })
        assert.deepEqual(
          [job.state, job.finishedAtMs, job.version, job.stateMessage],
          ['Pending', null, 2, ''],
        )
        assert.ok(
          (await store.listJobs({ inProgress: true, type: 'batch' })).items.some((each) => each.id === id),
        )
      }
    },
  },
  {
    name: 'a deadline stays where none is given, unless the job had ended, and null takes it away',
    run: async ({ store, clock }) => {
      const atMs = clock.read() + 100
      const { id: jobId } = await newJob(store, { deadlineAtMs: atMs })
      const revised = async (deadlineAtMs?: number | null) =>
        (await store.reviseJob({ jobId, ...(deadlineAtMs === undefined ? {} : { deadlineAtMs }) })).job
          .deadlineAtMs
      assert.equal(await revised(), atMs)
      assert.equal(await store.nextDeadlineMs(), atMs)
      assert.equal(await revised(atMs + 1), atMs + 1)
      assert.equal(await revised(null), null)
      assert.equal(await store.nextDeadlineMs(), null)
      await revised(atMs)
      await store.transitionJob({ jobId, to: 'Failed' })
      assert.equal(await revised(), null)
    },
  },
  {
    name: 'labels that are gone are found no more, new ones are',
    run: async ({ store }) => {
      const { id } = await newJob(store, { labels: { old: '1', kept: '1' } })
      await store.reviseJob({ jobId: id, labels: { kept: '1', fresh: '1' } })
      const found = async (key: string) =>
        (await store.listJobs({ labels: [{ key, operator: '=', values: ['1'] }] })).items.length
      assert.deepEqual([await found('old'), await found('kept'), await found('fresh')], [0, 1, 1])
      await store.reviseJob({ jobId: id, labels: {} })
      assert.deepEqual([await found('kept'), await found('fresh')], [0, 0])
    },
  },
  {
    name: 'expectations are checked: unknown job, state, revision',
    run: async ({ store }) => {
      const { id } = await newJob(store)
      await assertRejects(store.reviseJob({ jobId: 'none' }), 'JOB_NOT_FOUND')
      await assertRejects(store.reviseJob({ jobId: id, expectedStates: ['Running'] }), 'STATE_CONFLICT')
      await assertRejects(store.reviseJob({ jobId: id, unexpectedStates: ['Pending'] }), 'STATE_CONFLICT')
      await assertRejects(store.reviseJob({ jobId: id, expectedRevision: 2 }), 'REVISION_CONFLICT')
      assert.equal((await store.getJob(id))?.version, 1)
      await store.reviseJob({ jobId: id, expectedStates: ['Pending'], expectedRevision: 1 })
    },
  },
  {
    name: 'the evaluation and the event are the caller’s, none where none is wanted',
    run: async ({ store }) => {
      const { id } = await newJob(store, { priority: 2 })
      const { evaluationId } = await store.reviseJob({
        jobId: id,
        priority: 6,
        evaluation: { trigger: 'job-rerun', comment: 'again' },
        event: { message: 'run again', topic: 'Rerun' },
      })
      const evaluation = await store.getEvaluation(evaluationId ?? '')
      assert.deepEqual(
        [evaluation?.trigger, evaluation?.comment, evaluation?.priority],
        ['job-rerun', 'again', 6],
      )
      assert.equal((await store.reviseJob({ jobId: id, evaluation: null })).evaluationId, null)
      const { items } = await store.listHistory({ jobId: id, reverse: true })
      assert.deepEqual([items[1]?.event.message, items[1]?.jobVersion], ['run again', 2])
    },
  },
]
