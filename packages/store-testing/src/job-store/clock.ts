import assert from 'node:assert/strict'

import type { JobStore } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { jump } from '../store/clock-jump.ts'
import { claim, claimed } from './evaluation.ts'
import { type JobCase, newJob, newJobs, submit } from './job-case.ts'

const DAY_MS = 86_400_000

/** Submits a job whose evaluation is given back with a delay, and returns the id of the evaluation. */
async function givenBack(store: JobStore, delayMs: number): Promise<string> {
  await submit(store, { evaluation: { trigger: 'job-register' } })
  const { lease } = await claimed(store)
  await store.retryEvaluation({ lease, delayMs, maxAttempts: 9, comment: 'later' })
  return lease.evaluationId
}

async function dueAt(store: JobStore, id: string): Promise<number | undefined> {
  return (await store.getEvaluation(id))?.dueAtMs
}

/** Cases about a clock that is set while the store is open, or between two openings. */
export const clockCases: readonly JobCase[] = [
  {
    name: 'a delay that was given while the clock was ahead lasts from when the clock is right for as long as it is',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      await jump(store, clock, DAY_MS)
      const id = await givenBack(store, 500)
      await jump(store, clock, -DAY_MS)
      assert.equal(await store.nextEvaluationMs(), clock.read() + 500)
      assert.equal(await claim(store), null)
      assert.equal(await dueAt(store, id), clock.read() + 500)
      clock.step(499)
      assert.equal(await claim(store), null)
      clock.step(1)
      const { evaluation } = await claimed(store)
      assert.deepEqual([evaluation.id, evaluation.attempt], [id, 2])
    },
  },
  {
    name: 'so does one that an earlier opening gave',
    needs: 'reopen',
    run: async ({ store, clock, reopen }) => {
      await jump(store, clock, DAY_MS)
      const { id: jobId } = await newJob(store)
      const { id } = await store.createEvaluation({ jobId, trigger: 'job-queue', delayMs: 500 })
      await jump(store, clock, -DAY_MS)
      const again = await reopen()
      assert.equal(await claim(again), null)
      assert.equal(await dueAt(again, id), clock.read() + 500)
      clock.step(500)
      assert.equal((await claimed(again)).evaluation.id, id)
    },
  },
  {
    name: 'a delay may be asked for wherever an evaluation is, and a due time moves with the clock as a delay does',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      await jump(store, clock, DAY_MS)
      const dueAtMs = clock.read() + 7_000
      const { job, evaluationId } = await submit(store, {
        evaluation: { trigger: 'job-register', delayMs: 9_000 },
      })
      const fixed = await store.createEvaluation({ jobId: job.id, trigger: 'job-queue', dueAtMs })
      assert.equal(await dueAt(store, evaluationId ?? ''), clock.read() + 9_000)
      await jump(store, clock, -DAY_MS)
      assert.equal(await claim(store), null)
      assert.equal(await dueAt(store, evaluationId ?? ''), clock.read() + 9_000)
      assert.equal(await dueAt(store, fixed.id), dueAtMs - DAY_MS)
      assert.equal(await store.nextEvaluationMs(), clock.read() + 7_000)
      await jump(store, clock, 2 * DAY_MS)
      assert.equal(await store.nextEvaluationMs(), clock.read() + 7_000)
      assert.equal(await claim(store), null)
      clock.step(7_000)
      assert.equal((await claimed(store)).evaluation.id, fixed.id)
    },
  },
  {
    name: 'any number of delays is made right',
    run: async ({ store, clock }) => {
      await jump(store, clock, DAY_MS)
      for (const jobId of await newJobs(store, 150)) {
        await store.createEvaluation({ jobId, trigger: 'job-queue', delayMs: 2_000 })
      }
      await jump(store, clock, -DAY_MS)
      assert.equal(await claim(store), null)
      assert.equal(await store.nextEvaluationMs(), clock.read() + 2_000)
      const { items } = await store.listEvaluations({ limit: 200 })
      assert.equal(items.length, 150)
      assert.ok(items.every((evaluation) => evaluation.dueAtMs === clock.read() + 2_000))
    },
  },
  {
    name: 'what was found due stays so, whatever the clock does',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      await jump(store, clock, DAY_MS)
      const id = await givenBack(store, 500)
      clock.step(500)
      assert.equal(await store.claimEvaluation({ holder: 'ops', leaseMs: 1, jobTypes: ['ops'] }), null)
      await jump(store, clock, -DAY_MS)
      assert.equal(await store.nextEvaluationMs(), clock.read())
      assert.equal((await claimed(store)).evaluation.id, id)
    },
  },
  {
    name: 'what was due first is claimed first, however the clock was set, and behind what is more urgent',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      const add = async (priority: number): Promise<string | null> =>
        (await submit(store, { priority, evaluation: { trigger: 'job-register' } })).evaluationId
      const first = await add(0)
      clock.step(1)
      await jump(store, clock, DAY_MS)
      const ahead = [await add(0), await add(0)]
      clock.step(1)
      await jump(store, clock, -DAY_MS)
      const [later, urgent] = [await add(0), await add(1)]
      const order: string[] = []
      for (let next = await claim(store); next !== null; next = await claim(store)) {
        order.push(next.evaluation.id)
        await store.completeEvaluation({ lease: next.lease })
      }
      assert.deepEqual(order, [urgent, first, ...ahead, later])
    },
  },
  {
    name: 'the delay of a deleted job keeps nobody waiting or awake',
    run: async ({ store, clock }) => {
      await jump(store, clock, DAY_MS)
      const { id: jobId } = await newJob(store)
      await store.createEvaluation({ jobId, trigger: 'job-queue', delayMs: 500 })
      await store.transitionJob({ jobId, to: 'Completed' })
      await store.deleteJob({ jobId })
      clock.jump(-DAY_MS)
      assert.equal(await store.nextEvaluationMs(), null)
      assert.equal(await claim(store), null)
      while ((await store.reclaim()).more) {
        // One step of a few.
      }
    },
  },
  {
    name: 'how long a job and an execution have been in their states stays right',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const execution = await store.createExecution({ jobId, nodeId: 'n1' })
      await store.transitionJob({ jobId, to: 'Queued' })
      clock.step(3_000)
      for (const byMs of [DAY_MS, -2 * DAY_MS]) {
        await jump(store, clock, byMs)
        assert.equal((await store.getJob(jobId))?.stateSinceMs, clock.read() - 3_000)
        assert.equal((await store.getExecution(execution.id))?.stateSinceMs, clock.read() - 3_000)
      }
      const ended = await store.transitionJob({ jobId, to: 'Failed' })
      await jump(store, clock, DAY_MS)
      assert.equal((await store.getJob(jobId))?.stateSinceMs, ended.stateSinceMs)
    },
  },
  {
    name: 'a lease outlives no clock that is set back, and is lost to none that is set forward',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      for (const byMs of [DAY_MS, -DAY_MS]) {
        await submit(store, { evaluation: { trigger: 'job-register' } })
        const { lease, evaluation } = await claimed(store)
        assert.equal(evaluation.lease?.expiresAtMs, lease.expiresAtMs)
        await jump(store, clock, byMs)
        assert.equal(await claim(store), null)
        clock.step(999)
        const longer = await store.extendLease({ lease, leaseMs: 1_000 })
        assert.equal(longer.expiresAtMs, clock.read() + 1_000)
        clock.step(999)
        assert.equal(await claim(store), null)
        clock.step(1)
        await assertRejects(store.completeEvaluation({ lease }), 'LEASE_LOST')
        const second = await claimed(store)
        assert.deepEqual([second.evaluation.id, second.lease.attempt], [lease.evaluationId, 2])
        assert.equal(second.lease.expiresAtMs, clock.read() + 1_000)
        await store.completeEvaluation({ lease: second.lease })
      }
    },
  },
  {
    name: 'a clock that was back for a while and is right again takes no work from anybody',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      for (let n = 0; n < 5; n += 1) await submit(store, { evaluation: { trigger: 'job-register' } })
      const before = [(await claimed(store)).lease, (await claimed(store)).lease]
      await jump(store, clock, -DAY_MS)
      const meanwhile = [(await claimed(store)).lease, (await claimed(store)).lease]
      clock.step(500)
      await jump(store, clock, DAY_MS)
      const last = await claimed(store)
      assert.ok(![...before, ...meanwhile].some(({ evaluationId }) => evaluationId === last.evaluation.id))
      assert.equal(await claim(store), null)
      for (const lease of [...before, ...meanwhile, last.lease]) await store.completeEvaluation({ lease })
    },
  },
  {
    name: 'a delay is a whole number of milliseconds up to a year, and goes with no due time',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      for (const delayMs of [-1, 0.5, Number.NaN, 366 * DAY_MS]) {
        await assertRejects(
          store.createEvaluation({ jobId, trigger: 'job-queue', delayMs }),
          'INVALID_ARGUMENT',
        )
      }
      await assertRejects(
        store.createEvaluation({ jobId, trigger: 'job-queue', delayMs: 1, dueAtMs: 1 }),
        'INVALID_ARGUMENT',
      )
      assert.deepEqual((await store.listEvaluations({ jobId })).items, [])
    },
  },
]
