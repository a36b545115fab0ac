import assert from 'node:assert/strict'
import { END_REASONS, type ExecutionState } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { type JobCase, newJob } from './job-case.ts'

/** Cases about why executions ended. */
export const endReasonCases: readonly JobCase[] = [
  {
    name: 'the reason of an end is kept, and nothing but an end has one',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      for (const endReason of END_REASONS) {
        const { id: executionId } = await store.createExecution({ jobId, nodeId: 'n' })
        const reasoned = (to: ExecutionState) => store.updateExecution({ executionId, to, endReason })
        for (const to of ['BidAccepted', 'Running', 'Completed'] as const) {
          await assertRejects(reasoned(to), 'INVALID_ARGUMENT')
        }
        await assertRejects(store.updateExecution({ executionId, endReason }), 'INVALID_ARGUMENT')
        assert.equal((await store.getExecution(executionId))?.endReason, null)
        const ended = await reasoned(endReason === 'refused' ? 'AskForBidRejected' : 'Failed')
        assert.equal(ended.endReason, endReason)
        assert.deepEqual(await store.getExecution(executionId), ended)
      }
      const { findings } = await store.check()
      assert.deepEqual(findings, [])
    },
  },
  {
    name: 'an end without a reason has none',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      for (const to of ['Completed', 'Failed', 'Cancelled', 'BidRejected'] as const) {
        const { id: executionId } = await store.createExecution({ jobId, nodeId: 'n' })
        assert.equal((await store.updateExecution({ executionId, to, message: 'failed' })).endReason, null)
      }
    },
  },
  {
    name: 'a report brings the reason of an end; one that is overtaken changes none',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n' })
      const report = { executionId: id, nodeId: 'n', to: 'Failed', message: 'interrupted: no' } as const
      assert.equal(
        await store.recordExecution({ ...report, computeRevision: 4, endReason: 'timed-out' }),
        'applied',
      )
      assert.equal((await store.getExecution(id))?.endReason, 'timed-out')
      assert.equal(
        await store.recordExecution({ ...report, computeRevision: 5, endReason: 'interrupted' }),
        'stale',
      )
      assert.equal((await store.getExecution(id))?.endReason, 'timed-out')
    },
  },
]
