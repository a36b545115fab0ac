import assert from 'node:assert/strict'

import { assertRejects } from '../kv/expectation.ts'
import { claim, claimed } from './evaluation.ts'
import { type JobCase, submit } from './job-case.ts'

/** Cases about claims: how long they hold, how they end, how often they are tried again. */
export const leaseCases: readonly JobCase[] = [
  {
    name: 'a claim says what it is, and the evaluation who holds it',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      const { evaluationId } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const { lease, evaluation } = await claimed(store)
      const { incarnation } = lease
      assert.equal(incarnation, (await store.info()).incarnations[0]?.id)
      assert.deepEqual(lease, { evaluationId, attempt: 1, expiresAtMs: clock.read() + 1_000, incarnation })
      assert.deepEqual(evaluation.lease, { ...lease, holder: 'worker' })
      assert.deepEqual(await store.getEvaluation(evaluationId ?? ''), evaluation)
      assert.equal(await store.nextEvaluationMs(), lease.expiresAtMs)
    },
  },
  {
    name: 'completing ends an evaluation, with its status and comment, and its lease',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      for (const status of ['complete', 'canceled'] as const) {
        await submit(store, { evaluation: { trigger: 'job-register' } })
        const { lease } = await claimed(store)
        clock.step(3)
        await store.completeEvaluation({ lease, status, comment: 'well' })
        const ended = await store.getEvaluation(lease.evaluationId)
        assert.deepEqual(
          [ended?.status, ended?.comment, ended?.lease, ended?.attempt, ended?.modifiedAtMs],
          [status, 'well', null, 1, clock.read()],
        )
        await assertRejects(store.completeEvaluation({ lease }), 'LEASE_LOST')
        assert.equal(await claim(store), null)
      }
    },
  },
  {
    name: 'a lease that ran out is lost at its very time, even where nobody took it',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      const { evaluationId } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const { lease } = await claimed(store)
      clock.step(999)
      await store.extendLease({ lease, leaseMs: 1 })
      clock.step(1)
      await assertRejects(store.extendLease({ lease, leaseMs: 1_000 }), 'LEASE_LOST')
      await assertRejects(store.completeEvaluation({ lease }), 'LEASE_LOST')
      await assertRejects(
        store.retryEvaluation({ lease, delayMs: 0, maxAttempts: 9, comment: '' }),
        'LEASE_LOST',
      )
      await assertRejects(store.applyPlan({ lease }), 'LEASE_LOST')
      assert.equal((await store.getEvaluation(evaluationId ?? ''))?.status, 'pending')
    },
  },
  {
    name: 'extending prolongs from now, and the old token stays good',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      await submit(store, { evaluation: { trigger: 'job-register' } })
      const { lease } = await claimed(store)
      clock.step(600)
      const longer = await store.extendLease({ lease, leaseMs: 1_000 })
      assert.deepEqual(longer, { ...lease, expiresAtMs: clock.read() + 1_000 })
      clock.step(600)
      assert.equal(await claim(store), null)
      await store.completeEvaluation({ lease })
      for (const leaseMs of [0, -1, 0.5, Number.NaN, 1e12]) {
        await assertRejects(store.claimEvaluation({ holder: 'w', leaseMs }), 'INVALID_ARGUMENT')
      }
      await assertRejects(store.claimEvaluation({ holder: '', leaseMs: 1 }), 'INVALID_ARGUMENT')
    },
  },
  {
    name: 'a lease that ran out goes to the next with the next attempt, and the old token is worthless',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      await submit(store, { evaluation: { trigger: 'job-register' } })
      const first = await claimed(store)
      clock.step(1_000)
      const second = await claimed(store)
      assert.equal(second.evaluation.id, first.evaluation.id)
      assert.equal(second.lease.attempt, 2)
      await assertRejects(store.completeEvaluation({ lease: first.lease }), 'LEASE_LOST')
      await assertRejects(store.applyPlan({ lease: first.lease, job: { to: 'Running' } }), 'LEASE_LOST')
      assert.equal((await store.getJob(first.evaluation.jobId))?.state, 'Pending')
      await store.completeEvaluation({ lease: second.lease })
    },
  },
  {
    name: 'leases that run out again and again fail their evaluation in the end, and free its job',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      const { job, evaluationId } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const next = await store.createEvaluation({ jobId: job.id, trigger: 'exec-update', priority: -1 })
      for (let attempt = 1; attempt <= 10; attempt++) {
        const { evaluation } = await claimed(store)
        assert.deepEqual([evaluation.id, evaluation.attempt], [evaluationId, attempt])
        clock.step(1_000)
      }
      assert.equal((await claimed(store)).evaluation.id, next.id)
      assert.equal((await store.getEvaluation(evaluationId ?? ''))?.status, 'failed')
    },
  },
  {
    name: 'giving back delays the next attempt, and says why',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      const { job, evaluationId } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const other = await store.createEvaluation({ jobId: job.id, trigger: 'exec-update' })
      const { lease } = await claimed(store)
      const outcome = await store.retryEvaluation({
        lease,
        delayMs: 500,
        maxAttempts: 3,
        comment: 'no nodes',
      })
      assert.equal(outcome, 'pending')
      const waiting = await store.getEvaluation(evaluationId ?? '')
      assert.deepEqual(
        [waiting?.status, waiting?.comment, waiting?.dueAtMs, waiting?.lease, waiting?.attempt],
        ['pending', 'no nodes', clock.read() + 500, null, 1],
      )
      const second = await claimed(store)
      assert.equal(second.evaluation.id, other.id)
      await store.completeEvaluation({ lease: second.lease })
      assert.equal(await claim(store), null)
      assert.equal(await store.nextEvaluationMs(), clock.read() + 500)
      clock.step(500)
      assert.equal((await claimed(store)).lease.attempt, 2)
    },
  },
  {
    name: 'after its last attempt an evaluation is failed, and the job’s next one can be claimed',
    needs: 'single opening',
    run: async ({ store }) => {
      const { job, evaluationId } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const next = await store.createEvaluation({ jobId: job.id, trigger: 'exec-update', priority: -1 })
      const give = async () => {
        const { lease } = await claimed(store)
        assert.equal(lease.evaluationId, evaluationId)
        return await store.retryEvaluation({ lease, delayMs: 0, maxAttempts: 2, comment: 'broken' })
      }
      assert.deepEqual([await give(), await give()], ['pending', 'failed'])
      const failed = await store.getEvaluation(evaluationId ?? '')
      assert.deepEqual([failed?.status, failed?.comment, failed?.attempt], ['failed', 'broken', 2])
      assert.equal((await claimed(store)).evaluation.id, next.id)
    },
  },
  {
    name: 'a clock that steps back gives nothing away twice',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      await submit(store, { evaluation: { trigger: 'job-register' } })
      const { lease } = await claimed(store)
      clock.step(-1_000_000)
      assert.equal(await claim(store), null)
      await store.completeEvaluation({ lease })
    },
  },
  {
    name: 'leases are void after opening again, and their claims do not count',
    needs: 'reopen',
    run: async ({ store, clock, reopen }) => {
      const ids: (string | null)[] = []
      for (let n = 0; n < 3; n++) {
        ids.push((await submit(store, { evaluation: { trigger: 'job-register' } })).evaluationId)
      }
      const leases = [(await claimed(store)).lease, (await claimed(store)).lease]
      clock.step(10)
      const again = await reopen()
      for (const lease of leases) await assertRejects(again.completeEvaluation({ lease }), 'LEASE_LOST')
      for (const id of ids) assert.equal((await again.getEvaluation(id ?? ''))?.lease, null)
      const found = [await claimed(again), await claimed(again), await claimed(again)]
      assert.deepEqual(found.map(({ evaluation }) => evaluation.id).sort(), [...ids].sort())
      assert.ok(found.every(({ lease }) => lease.attempt === 1))
      for (const lease of leases) await assertRejects(again.applyPlan({ lease }), 'LEASE_LOST')
    },
  },
]
