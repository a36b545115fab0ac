import assert from 'node:assert/strict'

import { assertRejects } from '../kv/expectation.ts'
import { create, type ExecutionCase, ended, JOB } from './execution-case.ts'

/** Cases about deleting executions. */
export const deletionCases: readonly ExecutionCase[] = [
  {
    name: 'only an ended execution is deleted, and only once',
    run: async ({ store }) => {
      const { id } = await create(store)
      await assertRejects(store.deleteExecution({ executionId: id }), 'STATE_CONFLICT')
      await assertRejects(store.deleteExecution({ executionId: 'none' }), 'EXECUTION_NOT_FOUND')
      await store.updateExecution({ executionId: id, to: 'Cancelled' })
      await store.deleteExecution({ executionId: id })
      await assertRejects(store.deleteExecution({ executionId: id }), 'EXECUTION_NOT_FOUND')
    },
  },
  {
    name: 'a deleted execution is in no listing, lookup, history or count, before and after reclaiming',
    run: async ({ store }) => {
      const kept = await create(store)
      const { id } = await ended(store, { id: 'mine' })
      await store.deleteExecution({ executionId: id })
      for (const finished of [['mine'], []]) {
        assert.equal(await store.getExecution(id), null)
        await assertRejects(store.findExecution(id), 'EXECUTION_NOT_FOUND')
        await assertRejects(store.updateExecution({ executionId: id, to: 'Running' }), 'EXECUTION_NOT_FOUND')
        await assertRejects(store.addHistory({ executionId: id, event: {} }), 'EXECUTION_NOT_FOUND')
        await assertRejects(
          store.acknowledgeExecution({ executionId: id, revision: 1 }),
          'EXECUTION_NOT_FOUND',
        )
        assert.deepEqual((await store.listExecutions()).items, [kept])
        assert.deepEqual((await store.listExecutions({ jobId: JOB.id })).items, [kept])
        assert.deepEqual((await store.listExecutions({ states: ['Completed'] })).items, [])
        assert.deepEqual((await store.listHistory({ executionId: id })).items, [])
        assert.deepEqual(
          (await store.counts()).map(({ state, records }) => [state, records]),
          [['Created', 1]],
        )
        assert.deepEqual((await store.check()).findings, [])
        if (finished.length > 0) await assertRejects(create(store, { id }), 'EXECUTION_ALREADY_EXISTS')
        assert.deepEqual((await store.reclaim()).finished, finished)
      }
      const again = await create(store, { id })
      assert.equal(again.revision, 1)
      assert.equal((await store.listHistory({ executionId: id })).items.length, 1)
    },
  },
  {
    name: 'several executions of a job are deleted, each for itself',
    run: async ({ store }) => {
      const ids: string[] = []
      for (let n = 0; n < 5; n++) ids.push((await ended(store)).id)
      for (const executionId of ids.slice(1, 4)) await store.deleteExecution({ executionId })
      assert.deepEqual(
        (await store.listExecutions({ jobId: JOB.id })).items.map(({ id }) => id),
        [ids[0], ids[4]],
      )
      const report = await store.reclaim()
      assert.deepEqual([[...report.finished].sort(), report.more], [ids.slice(1, 4).sort(), false])
    },
  },
  {
    name: 'a long history is reclaimed in small steps',
    run: async ({ store }) => {
      const { id } = await create(store)
      await Promise.all(
        Array.from({ length: 1_200 }, (_, n) =>
          store.addHistory({ executionId: id, event: { message: `${n}` } }),
        ),
      )
      await store.updateExecution({ executionId: id, to: 'Failed' })
      await store.deleteExecution({ executionId: id })
      let steps = 0
      for (let more = true; more; steps += 1) {
        const report = await store.reclaim()
        assert.ok(report.removedRows <= 510)
        more = report.more
      }
      assert.ok(steps >= 3)
      assert.deepEqual(await store.reclaim(), { removedRows: 0, finished: [], more: false })
    },
  },
  {
    name: 'reclaiming goes on after opening again',
    needs: 'reopen',
    run: async ({ store, reopen }) => {
      const { id } = await ended(store)
      await store.deleteExecution({ executionId: id })
      const again = await reopen()
      assert.equal(await again.getExecution(id), null)
      assert.deepEqual((await again.reclaim()).finished, [id])
    },
  },
]
