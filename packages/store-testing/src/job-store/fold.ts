import assert from 'node:assert/strict'

import { EXECUTION_STATES, type JobStore } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { foldAll } from '../store/fold-all.ts'
import { readAll } from '../store/pages.ts'
import { endedJob, type JobCase, newJob } from './job-case.ts'

/** Reads everything that a store tells of its jobs, in every way that it tells it. */
async function readEverything(store: JobStore): Promise<unknown> {
  const jobs = await readAll((request) => store.listJobs(request), { limit: 3 })
  const executions = await readAll((request) =>
    store.listExecutions({ ...request, states: EXECUTION_STATES, limit: 2 }),
  )
  return {
    jobs,
    executions,
    counts: await store.counts(),
    changes: (await store.changes({ limit: 1_000 })).changeSets,
    finished: await readAll((request) =>
      store.listFinishedJobs({ ...request, namespace: 'default', state: 'Completed' }),
    ),
    ofJobs: await Promise.all(
      jobs.map(async ({ id: jobId, name }) => ({
        byId: await store.getJob(jobId),
        first: await store.getJob(jobId, 1),
        byName: await store.getJobByName('default', name),
        byShortId: await store.findJob(jobId.slice(0, 12)),
        versions: await store.listJobVersions(jobId),
        executions: await readAll((request) => store.listExecutions({ ...request, jobId })),
        evaluations: await readAll((request) => store.listEvaluations({ ...request, jobId })),
        history: await readAll((request) => store.listHistory({ ...request, jobId, limit: 2 })),
        newestFirst: await readAll((request) =>
          store.listHistory({ ...request, jobId, reverse: true, limit: 3 }),
        ),
        size: await store.measureJob(jobId),
      })),
    ),
    ofExecutions: await Promise.all(
      executions.map(async ({ id }) => [
        await store.getExecution(id),
        await store.findExecution(id.slice(0, 12)),
      ]),
    ),
  }
}

/** Ends a job of two versions with executions, their ends and a history. */
async function livedJob(store: JobStore, executions = 2): Promise<string> {
  const { id: jobId } = await newJob(store, { labels: { team: 'blue' }, spec: { text: 'grüße\n"x"' } })
  await store.reviseJob({ jobId, labels: { team: 'red' }, evaluation: null })
  for (let n = 0; n < executions; n++) {
    const { id: executionId } = await store.createExecution({ jobId, nodeId: `n-${n % 2}` })
    await store.updateExecution({ executionId, to: 'Running' })
    await store.updateExecution({ executionId, to: 'Completed', patch: { runOutput: { exitCode: 0 } } })
  }
  await store.transitionJob({ jobId, to: 'Completed', message: 'all done' })
  return jobId
}

async function executionIdOf(store: JobStore, jobId: string): Promise<string> {
  return (await store.listExecutions({ jobId })).items[0]?.id ?? ''
}

/** Cases about finished jobs that became one row each. */
export const foldCases: readonly JobCase[] = [
  {
    name: 'a reader sees no difference between a job and a folded one',
    run: async ({ store, clock }) => {
      for (let n = 0; n < 4; n++) {
        await livedJob(store, n)
        await newJob(store)
        clock.step(5)
      }
      await endedJob(store, { id: 'my-own.id' })
      const before = await readEverything(store)
      assert.equal(await foldAll(store, 2), 5)
      assert.deepEqual(await readEverything(store), before)
      assert.equal(await foldAll(store), 0)
      assert.deepEqual((await store.check()).findings, [])
      assert.deepEqual((await store.check({ batchRows: 1 })).findings, [])
    },
  },
  {
    name: 'folding tells what it did, makes the rows smaller, and goes on where it ended',
    run: async ({ store, clock }) => {
      for (let n = 0; n < 5; n++) {
        await livedJob(store)
        clock.step(1)
      }
      const { sequence } = await store.info()
      const reports = [
        await store.fold({ limit: 2 }),
        await store.fold({ limit: 2 }),
        await store.fold({ limit: 2 }),
      ]
      assert.deepEqual(
        reports.map(({ examined, folded, more }) => [examined, folded, more]),
        [
          [2, 2, true],
          [2, 2, true],
          [1, 1, false],
        ],
      )
      for (const { bytesBefore, bytesAfter } of reports) assert.ok(bytesAfter * 2 < bytesBefore)
      assert.equal((await store.fold()).examined, 0)
      assert.equal((await store.info()).sequence, sequence)
      for (const limit of [0, 501, 1.5]) await assertRejects(store.fold({ limit }), 'INVALID_ARGUMENT')
      await assertRejects(store.fold({ olderThanMs: -1 }), 'INVALID_ARGUMENT')
    },
  },
  {
    name: 'only what ended long enough ago, with nothing going on about it, is folded',
    run: async ({ store, clock }) => {
      await newJob(store)
      const { id: jobId } = await endedJob(store)
      const { id: executionId } = await store.createExecution({ jobId, nodeId: 'n' })
      const { id: waiting } = await endedJob(store)
      await store.createEvaluation({ jobId: waiting, trigger: 'job-queue' })
      await livedJob(store)
      clock.step(1_000)
      await endedJob(store)
      assert.equal((await store.fold({ olderThanMs: 1_000 })).folded, 1)
      await store.updateExecution({ executionId, to: 'Failed' })
      assert.equal((await store.fold({ olderThanMs: 1_000 })).examined, 0)
      assert.equal((await store.fold({ olderThanMs: 1_000, anew: true })).folded, 1)
      clock.step(86_400_000)
      assert.equal((await store.fold({ olderThanMs: 1_000 })).folded, 1)
    },
  },
  {
    name: 'a walk that begins anew does so in every namespace, however short its first step',
    run: async ({ store }) => {
      const jobIds: string[] = []
      for (const namespace of ['one', 'two', 'one', 'two'])
        jobIds.push((await endedJob(store, { namespace })).id)
      assert.equal((await store.fold()).folded, 4)
      for (const jobId of jobIds) await store.addHistory({ jobId, event: { message: 'late' } })
      assert.equal((await store.fold()).folded, 0)
      let report = await store.fold({ limit: 1, anew: true })
      let folded = report.folded
      while (report.more) {
        report = await store.fold({ limit: 1 })
        folded += report.folded
      }
      assert.equal(folded, 4)
    },
  },
  {
    name: 'a change puts the rows of a folded job back, and it is folded again later',
    run: async ({ store }) => {
      const changes: ((jobId: string) => Promise<unknown>)[] = [
        (jobId) => store.addHistory({ jobId, event: { message: 'late' } }),
        (jobId) => store.holdJob({ jobId, reason: 'audit' }),
        (jobId) => store.createExecution({ jobId, nodeId: 'n' }),
        (jobId) => store.reviseJob({ jobId, evaluation: null }),
        async (jobId) =>
          store.recordExecution({
            executionId: await executionIdOf(store, jobId),
            nodeId: 'n-0',
            computeRevision: 9,
            event: { message: 'late' },
          }),
      ]
      for (const change of changes) {
        const [one, other] = [await livedJob(store), await livedJob(store)]
        await change(one)
        await foldAll(store)
        const before = await store.listHistory({ jobId: other })
        await change(other)
        const after = await store.listHistory({ jobId: other })
        assert.deepEqual(after.items.slice(0, before.items.length), before.items)
        assert.deepEqual(
          (await store.getJob(other))?.revision,
          (await store.getJob(one))?.revision,
          change.toString(),
        )
        assert.deepEqual((await store.check()).findings, [])
        await foldAll(store)
        assert.deepEqual(await store.listHistory({ jobId: other }), after)
      }
    },
  },
  {
    name: 'what was refused leaves a folded job folded',
    run: async ({ store }) => {
      const jobId = await livedJob(store)
      const executionId = await executionIdOf(store, jobId)
      await foldAll(store)
      await assertRejects(store.transitionJob({ jobId, to: 'Running' }), 'ALREADY_TERMINAL')
      await assertRejects(store.updateExecution({ executionId, to: 'Running' }), 'ALREADY_TERMINAL')
      await assertRejects(newJob(store, { id: jobId }), 'JOB_ALREADY_EXISTS')
      const { id: other } = await newJob(store)
      await assertRejects(
        store.createExecution({ jobId: other, id: executionId, nodeId: 'n' }),
        'EXECUTION_ALREADY_EXISTS',
      )
      assert.equal(await foldAll(store), 0)
    },
  },
  {
    name: 'a folded job is deleted with everything that belongs to it',
    run: async ({ store }) => {
      const jobId = await livedJob(store, 3)
      const executionId = await executionIdOf(store, jobId)
      const kept = await livedJob(store)
      await foldAll(store)
      await store.deleteJob({ jobId })
      assert.equal(await store.getJob(jobId), null)
      assert.equal(await store.getExecution(executionId), null)
      assert.deepEqual((await store.listHistory({ jobId })).items, [])
      assert.deepEqual((await store.check()).findings, [])
      while ((await store.reclaim()).more);
      assert.deepEqual((await store.check()).findings, [])
      assert.equal((await store.getJob(kept))?.id, kept)
      assert.equal((await store.submitJob({ id: jobId, type: 'batch', spec: 1 })).created, true)
    },
  },
  {
    name: 'a job with more rows than a record may have stays as it is',
    run: async ({ store }) => {
      const jobId = await livedJob(store)
      await Promise.all(
        Array.from({ length: 400 }, () => store.addHistory({ jobId, event: { message: 'noted' } })),
      )
      assert.equal(await foldAll(store), 0)
    },
  },
  {
    name: 'what changes while it is being folded, and a check meanwhile, lose nothing',
    run: async ({ store }) => {
      const jobIds = await Promise.all(Array.from({ length: 12 }, () => livedJob(store, 1)))
      const note = async (jobId: string) => await store.addHistory({ jobId, event: { message: 'noted' } })
      for (let round = 1; round <= 4; round++) {
        const [{ findings }] = await Promise.all([
          store.check({ batchRows: 3 }),
          foldAll(store, 5),
          ...jobIds.filter((_, n) => (n + round) % 3 === 0).map(note),
          foldAll(store, 3),
        ])
        assert.deepEqual(findings, [])
      }
      for (const [n, jobId] of jobIds.entries()) {
        const noted = [1, 2, 3, 4].filter((round) => (n + round) % 3 === 0).length
        const { items } = await store.listHistory({ jobId })
        assert.equal(items.filter(({ event }) => event.message === 'noted').length, noted)
      }
      await foldAll(store)
      assert.equal(await foldAll(store), 0)
    },
  },
  {
    name: 'folded jobs outlive an opening',
    needs: 'reopen',
    run: async ({ store, reopen }) => {
      await livedJob(store)
      const before = await readEverything(store)
      await foldAll(store)
      assert.deepEqual(await readEverything(await reopen()), before)
    },
  },
]
