import assert from 'node:assert/strict'

import { assertRejects } from '../kv/expectation.ts'
import { alone, claimed } from './evaluation.ts'
import type { JobCase } from './job-case.ts'

/** Cases about deciding without a claim. */
export const nextEvaluationCases: readonly JobCase[] = [
  {
    name: 'what is next is told in the order of claims, without a claim, and decided about once',
    run: async ({ store, clock }) => {
      const ids = [
        await alone(store),
        await alone(store, { priority: 5 }),
        await alone(store, { delayMs: 500 }),
      ]
      const next = async () => (await store.nextEvaluations()).map(({ id }) => id)
      assert.deepEqual(await next(), [ids[1], ids[0]])
      assert.deepEqual(
        (await store.nextEvaluations({ limit: 1 })).map(({ attempt, lease }) => [attempt, lease]),
        [[0, null]],
      )
      assert.deepEqual(await store.nextEvaluations({ jobTypes: ['ops'] }), [])
      const lease = { evaluationId: ids[1] ?? '', unclaimed: true } as const
      await store.completeEvaluation({ lease, comment: 'at once' })
      const done = await store.getEvaluation(lease.evaluationId)
      assert.deepEqual([done?.status, done?.attempt, done?.comment], ['complete', 1, 'at once'])
      await assertRejects(store.completeEvaluation({ lease }), 'LEASE_LOST')
      for (const wrong of [
        { evaluationId: ids[0], unclaimed: false },
        { evaluationId: ids[0], unclaimed: 'no' },
        { evaluationId: ids[0] },
        { unclaimed: true },
        { evaluationId: ids[0], attempt: 1 },
      ]) {
        await assert.rejects(store.completeEvaluation({ lease: wrong as never }), TypeError)
      }
      const other = { evaluationId: ids[0] ?? '', unclaimed: true } as const
      const { lease: held } = await claimed(store)
      await assertRejects(store.applyPlan({ lease: other }), 'LEASE_LOST')
      await store.retryEvaluation({ lease: held, delayMs: 0, maxAttempts: 9, comment: 'later' })
      const retry = { lease: other, delayMs: 1_000, maxAttempts: 2, comment: 'failed' }
      assert.equal(await store.retryEvaluation({ ...retry, delayMs: 0, maxAttempts: 3 }), 'pending')
      assert.equal(await store.retryEvaluation(retry), 'failed')
      const waiting = { evaluationId: ids[2] ?? '', unclaimed: true } as const
      await assertRejects(store.applyPlan({ lease: waiting }), 'LEASE_LOST')
      assert.deepEqual(await next(), [])
      clock.step(500)
      assert.deepEqual(await next(), [ids[2]])
      await store.applyPlan({ lease: waiting })
      assert.deepEqual(await next(), [])
      assert.deepEqual((await store.check()).findings, [])
    },
  },
  {
    name: 'a lease that ran out is given back when somebody asks what is next; of a job one is told of',
    run: async ({ store, clock }) => {
      const id = await alone(store)
      const jobId = (await store.getEvaluation(id))?.jobId ?? ''
      await store.createEvaluation({ jobId, trigger: 'job-queue' })
      await claimed(store)
      assert.deepEqual(await store.nextEvaluations(), [])
      clock.step(2_000)
      assert.deepEqual(
        (await store.nextEvaluations()).map((found) => found.jobId),
        [jobId],
      )
    },
  },
]
