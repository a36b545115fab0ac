import assert from 'node:assert/strict'

import { isStoreError, type JobStore, type WholeJob } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { readAll } from '../store/pages.ts'
import { endedJob, type JobCase, newJob } from './job-case.ts'

/** Reads a job and everything that belongs to it. */
async function wholeJob(store: JobStore, jobId: string): Promise<WholeJob> {
  return {
    versions: await store.listJobVersions(jobId),
    executions: await readAll((request) => store.listExecutions({ ...request, jobId })),
    evaluations: await readAll((request) => store.listEvaluations({ ...request, jobId })),
    history: await readAll((request) => store.listHistory({ ...request, jobId })),
  }
}

async function takeOut(store: JobStore, jobId: string): Promise<WholeJob> {
  const whole = await wholeJob(store, jobId)
  await store.deleteJob({ jobId })
  while ((await store.reclaim()).more);
  return whole
}

/** A job of two versions with executions and evaluations that ended. */
async function fullJob(store: JobStore, executions: number): Promise<string> {
  const { id: jobId } = await newJob(store, {
    labels: { team: 'blue' },
    submitKey: 'once',
    evaluation: { trigger: 'job-register' },
  })
  const claim = await store.claimEvaluation({ holder: 'worker', leaseMs: 60_000 })
  assert.ok(claim)
  await store.completeEvaluation({ lease: claim.lease, comment: 'decided' })
  await store.reviseJob({ jobId, labels: { team: 'red' }, priority: 7, evaluation: null })
  for (let n = 0; n < executions; n++) {
    const { id: executionId } = await store.createExecution({
      jobId,
      nodeId: `n-${n % 3}`,
      partition: n,
      resources: { cpu: n },
      evaluationId: claim.evaluation.id,
    })
    await store.updateExecution({
      executionId,
      to: 'Running',
      event: { message: 'on', details: { n: `${n}` } },
    })
    const end = n === 1 ? ({ to: 'Failed', endReason: 'timed-out' } as const) : ({ to: 'Completed' } as const)
    await store.updateExecution({ executionId, ...end, patch: { runOutput: { exitCode: 0 } } })
  }
  await store.transitionJob({ jobId, to: 'Completed', message: 'all done' })
  return jobId
}

/** Cases about jobs that come back. */
export const importCases: readonly JobCase[] = [
  {
    name: 'a job comes back as it was, with everything that belongs to it',
    run: async ({ store, clock }) => {
      const jobId = await fullJob(store, 3)
      const counts = await store.counts()
      const whole = await takeOut(store, jobId)
      assert.equal(await store.getJob(jobId), null)
      clock.step(1_000)
      const back = await store.importJob(whole)
      assert.deepEqual(back, whole.versions.at(-1))
      assert.deepEqual(await wholeJob(store, jobId), whole)
      assert.deepEqual(await store.counts(), counts)
      assert.equal((await store.getJobByName('default', back.name))?.id, jobId)
      const labelled = { key: 'team', operator: '=', values: ['red'] } as const
      assert.deepEqual(
        (await store.listJobs({ labels: [labelled] })).items.map(({ id }) => id),
        [jobId],
      )
      await store.deleteJob({ jobId })
    },
  },
  {
    name: 'executions come back without reasons of their ends where an earlier release wrote them',
    run: async ({ store }) => {
      const whole = await takeOut(store, await fullJob(store, 2))
      const executions = whole.executions.map(({ endReason: _reason, ...execution }) => execution)
      await store.importJob({ ...whole, executions: executions as never })
      const back = await wholeJob(store, whole.versions[0]?.id ?? '')
      assert.deepEqual(
        back.executions,
        whole.executions.map((execution) => ({ ...execution, endReason: null })),
      )
    },
  },
  {
    name: 'a job too large for one transaction comes back whole',
    large: true,
    run: async ({ store }) => {
      const jobId = await fullJob(store, 450)
      const whole = await takeOut(store, jobId)
      await store.importJob(whole)
      assert.deepEqual(await wholeJob(store, jobId), whole)
      await store.reviseJob({ jobId, evaluation: null })
    },
  },
  {
    name: 'a job may be held when it comes back, and what was pending is canceled',
    run: async ({ store }) => {
      const { id: jobId } = await endedJob(store, { evaluation: { trigger: 'job-register' } })
      const whole = await takeOut(store, jobId)
      const back = await store.importJob({ ...whole, hold: 'from the archive' })
      assert.equal(back.hold, 'from the archive')
      await assertRejects(store.deleteJob({ jobId }), 'JOB_HELD')
      assert.deepEqual(
        (await store.listEvaluations({ jobId })).items.map(({ status }) => status),
        ['canceled'],
      )
      assert.equal(await store.claimEvaluation({ holder: 'worker', leaseMs: 1_000 }), null)
    },
  },
  {
    name: 'a job of another store keeps the order of its history under numbers of this one',
    run: async ({ store }) => {
      const jobId = await fullJob(store, 2)
      const whole = await takeOut(store, jobId)
      const ahead = <T extends { sequence: number }>(entry: T): T => ({
        ...entry,
        sequence: entry.sequence + 1e6,
      })
      await store.importJob({
        ...whole,
        history: whole.history.map(ahead),
        evaluations: whole.evaluations.map(ahead),
      })
      const unnumbered = ({ history }: WholeJob) => history.map((entry) => ({ ...entry, sequence: 0 }))
      assert.deepEqual(unnumbered(await wholeJob(store, jobId)), unnumbered(whole))
    },
  },
  {
    name: 'a job that is there, whose name or key is taken, or that is not whole, is refused',
    run: async ({ store }) => {
      const jobId = await fullJob(store, 1)
      const there = await wholeJob(store, jobId)
      await assertRejects(store.importJob(there), 'JOB_ALREADY_EXISTS')
      await takeOut(store, jobId)
      const [first, second] = there.versions
      assert.ok(first && second)
      const { id: other } = await endedJob(store, { name: first.name })
      await assertRejects(store.importJob(there), 'JOB_NAME_TAKEN')
      await takeOut(store, other)
      const { id: keyed } = await endedJob(store, { submitKey: 'once' })
      await assertRejects(store.importJob(there), 'SUBMIT_KEY_CONFLICT')
      await takeOut(store, keyed)
      const bad: Partial<WholeJob>[] = [
        { versions: [] },
        { versions: [second] },
        { versions: [first, { ...second, state: 'Running', finishedAtMs: null }] },
        { executions: there.executions.map((one) => ({ ...one, state: 'Running', finishedAtMs: null })) },
        { history: there.history.map((entry) => ({ ...entry, jobId: 'another' })) },
      ]
      for (const part of bad) await assertRejects(store.importJob({ ...there, ...part }), 'INVALID_ARGUMENT')
      assert.equal((await store.listJobs()).items.length, 0)
      await store.importJob(there)
      assert.deepEqual(await wholeJob(store, jobId), there)
    },
  },
  {
    name: 'a job comes back into another namespace with everything that belongs to it',
    run: async ({ store }) => {
      const jobId = await fullJob(store, 2)
      const whole = await takeOut(store, jobId)
      const namespace = 'restored'
      await store.importJob({ ...whole, versions: whole.versions.map((one) => ({ ...one, namespace })) })
      const back = await wholeJob(store, jobId)
      for (const one of [...back.versions, ...back.executions, ...back.evaluations]) {
        assert.equal(one.namespace, namespace)
      }
      assert.equal((await store.counts()).length, (await store.counts({ namespace })).length)
    },
  },
  {
    name: 'a job with any one field damaged is refused, or comes back into a store that is whole',
    large: true,
    run: async ({ store }) => {
      const jobId = await fullJob(store, 1)
      const whole = await takeOut(store, jobId)
      let accepted = 0
      let refused = 0
      for (const { where, damaged } of damagedJobs(whole)) {
        const outcome = await store.importJob(damaged as WholeJob).catch((error: unknown) => error)
        if (outcome instanceof TypeError || isStoreError(outcome, 'INVALID_ARGUMENT')) {
          refused += 1
          continue
        }
        assert.ok(!(outcome instanceof Error), `${where}: ${String(outcome)}`)
        accepted += 1
        assert.deepEqual((await store.check()).findings, [], where)
        const [job] = (await store.listJobs()).items
        assert.ok(job, where)
        if (job.hold !== null) await store.holdJob({ jobId: job.id, reason: null })
        await takeOut(store, job.id)
        assert.deepEqual(await store.counts(), [], where)
      }
      assert.ok(accepted > 10 && refused > 200, `${accepted} accepted, ${refused} refused`)
    },
  },
]

const DAMAGE: readonly unknown[] = [undefined, Number.NaN, 7, 'x']

/** Yields a job once for each of its fields and each wrong value, with that one in place of the field. */
function* damagedJobs(whole: WholeJob): Generator<{ where: string; damaged: unknown }> {
  const last = `${whole.history.length - 1}`
  for (const path of pathsOf(whole, [])) {
    // What lies between the first and the last entry of the history is like them.
    if (path[0] === 'history' && ![undefined, '0', last].includes(path[1])) continue
    for (const value of DAMAGE) {
      const damaged: unknown = structuredClone(whole)
      const name = path.at(-1) ?? ''
      const owner = path
        .slice(0, -1)
        .reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], damaged)
      ;(owner as Record<string, unknown>)[name] = value
      yield { where: `${path.join('.')} as ${typeof value} ${JSON.stringify(value)}`, damaged }
    }
  }
}

/** Yields the place of every field, to the depth of the details of an event. */
function* pathsOf(value: unknown, path: readonly string[]): Generator<readonly string[]> {
  if (path.length > 0) yield path
  if (typeof value !== 'object' || value === null || path.length === 5) return
  for (const [name, part] of Object.entries(value)) yield* pathsOf(part, [...path, name])
}
