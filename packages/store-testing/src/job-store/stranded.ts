import assert from 'node:assert/strict'

import type { ExhaustedJob } from '@saltcod/store-core'
import { claim, claimed } from './evaluation.ts'
import { type JobCase, submit } from './job-case.ts'

/** Cases about jobs that nothing would move any more. */
export const strandedCases: readonly JobCase[] = [
  {
    name: 'an overdue job is not handed out: it fails, unless an execution of it lives',
    run: async ({ store, clock }) => {
      const deadlineAtMs = clock.read() + 100
      const { job, evaluationId } = await submit(store, {
        deadlineAtMs,
        evaluation: { trigger: 'job-register' },
      })
      const lives = await submit(store, { deadlineAtMs, evaluation: { trigger: 'job-register' } })
      await store.createExecution({ jobId: lives.job.id, nodeId: 'n-1' })
      clock.step(100)
      assert.equal(await claim(store), null)
      assert.equal((await store.getEvaluation(evaluationId ?? ''))?.status, 'failed')
      const ended = await store.getJob(job.id)
      assert.deepEqual(
        [ended?.state, ended?.stateMessage],
        ['Failed', 'given up: the deadline of the job has passed'],
      )
      assert.equal((await store.getJob(lives.job.id))?.state, 'Pending')
    },
  },
  {
    name: 'a job whose attempts are used up ends in the same change, or becomes what its worker asked for',
    run: async ({ store }) => {
      const giveUp = async (exhausted?: ExhaustedJob) => {
        const { lease } = await claimed(store)
        return await store.retryEvaluation({
          lease,
          delayMs: 0,
          maxAttempts: 1,
          comment: 'no luck',
          ...(exhausted === undefined ? {} : { exhausted }),
        })
      }
      const register = { evaluation: { trigger: 'job-register' } } as const
      const plain = await submit(store, register)
      const before = await store.latestCursor()
      assert.equal(await giveUp(), 'failed')
      const { changeSets } = await store.changes({ after: before })
      assert.equal(changeSets.filter(({ changes }) => changes.some(({ kind }) => kind === 'job')).length, 1)
      assert.equal(changeSets.at(-1)?.changes.length, 2)
      const ended = await store.getJob(plain.job.id)
      assert.deepEqual([ended?.state, ended?.stateMessage], ['Failed', 'given up: no luck'])
      const { items } = await store.listHistory({ jobId: plain.job.id })
      assert.equal(items.at(-1)?.newState, 'Failed')

      const asked = await submit(store, register)
      await giveUp({ to: 'Stopped', message: 'enough', evaluation: { trigger: 'job-cancel' } })
      assert.equal((await store.getJob(asked.job.id))?.state, 'Stopped')
      const next = await store.claimEvaluation({ holder: 's', leaseMs: 1_000, scheduler: true })
      assert.equal(next?.evaluation.jobId, asked.job.id)
      await store.completeEvaluation({ lease: next.lease })

      const running = await submit(store, register)
      const { id: executionId } = await store.createExecution({ jobId: running.job.id, nodeId: 'n-1' })
      await giveUp()
      assert.equal((await store.getJob(running.job.id))?.state, 'Pending')
      await store.updateExecution({ executionId, to: 'Failed' })
      const last = await store.getJob(running.job.id)
      assert.deepEqual([last?.state, last?.stateMessage], ['Failed', 'given up: no luck'])
    },
  },
  {
    name: 'an end that is reported with an evaluation, or while another execution lives, leaves the job to these',
    needs: 'single opening',
    run: async ({ store }) => {
      const { job } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const jobId = job.id
      const made = []
      for (let n = 0; n < 3; n += 1) made.push((await store.createExecution({ jobId, nodeId: 'n-1' })).id)
      const { lease } = await claimed(store)
      await store.retryEvaluation({ lease, delayMs: 0, maxAttempts: 1, comment: 'no luck' })
      const report = { nodeId: 'n-1', computeRevision: 1, to: 'Failed' } as const
      const [first = '', second = '', third = ''] = made
      await store.recordExecution({ ...report, executionId: first })
      assert.equal((await store.getJob(jobId))?.state, 'Pending')
      await store.recordExecution({ ...report, executionId: second, evaluation: { trigger: 'exec-update' } })
      await store.completeEvaluation({ lease: (await claimed(store)).lease })
      await store.recordExecution({ ...report, executionId: third })
      assert.equal((await store.getJob(jobId))?.state, 'Pending')
      assert.deepEqual((await store.check()).strandedJobIds, [])
    },
  },
]
