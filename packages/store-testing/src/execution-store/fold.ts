import assert from 'node:assert/strict'

import type { ComputeExecution, ExecutionStore } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { foldAll } from '../store/fold-all.ts'
import { readAll } from '../store/pages.ts'
import { create, type ExecutionCase, ended } from './execution-case.ts'

async function readEverything(store: ExecutionStore): Promise<unknown> {
  const executions = await readAll((request) => store.listExecutions({ ...request, limit: 2 }))
  return {
    executions,
    counts: await store.counts(),
    changes: (await store.changes({ limit: 1_000 })).changeSets,
    finished: await readAll((request) => store.listFinishedExecutions({ ...request, state: 'Completed' })),
    ofExecutions: await Promise.all(
      executions.map(async ({ id: executionId }) => [
        await store.getExecution(executionId),
        await store.findExecution(executionId.slice(0, 12)),
        await readAll((request) => store.listHistory({ ...request, executionId, limit: 1 })),
        await readAll((request) => store.listHistory({ ...request, executionId, reverse: true })),
        await store.measureExecution(executionId),
      ]),
    ),
  }
}

async function acknowledged(store: ExecutionStore): Promise<ComputeExecution> {
  const execution = await ended(store)
  await store.acknowledgeExecution({ executionId: execution.id, revision: execution.revision })
  return execution
}

/** Cases about finished executions that became one row each. */
export const foldCases: readonly ExecutionCase[] = [
  {
    name: 'a reader sees no difference between an execution and a folded one',
    run: async ({ store }) => {
      for (let n = 0; n < 5; n++) {
        await acknowledged(store)
        await create(store)
      }
      const before = await readEverything(store)
      assert.equal(await foldAll(store, 2), 5)
      assert.deepEqual(await readEverything(store), before)
      assert.deepEqual((await store.check({ batchRows: 1 })).findings, [])
      assert.equal(await foldAll(store), 0)
    },
  },
  {
    name: 'an execution is folded once it has ended long enough ago and the requester knows',
    run: async ({ store, clock }) => {
      const { id: executionId, revision } = await ended(store)
      assert.equal((await store.fold()).folded, 0)
      await store.acknowledgeExecution({ executionId, revision })
      clock.step(10)
      assert.equal((await store.fold({ anew: true, olderThanMs: 11 })).folded, 0)
      assert.equal((await store.fold({ anew: true, olderThanMs: 10 })).folded, 1)
      await assertRejects(store.fold({ limit: 0 }), 'INVALID_ARGUMENT')
    },
  },
  {
    name: 'a change puts the rows of a folded execution back, and it is folded again later',
    run: async ({ store }) => {
      const { id: executionId, revision } = await acknowledged(store)
      await foldAll(store)
      await store.acknowledgeExecution({ executionId, revision })
      assert.equal(await foldAll(store), 0)
      await store.addHistory({ executionId, event: { message: 'late' } })
      const { items } = await store.listHistory({ executionId })
      assert.equal(items.length, 3)
      assert.equal(await foldAll(store), 1)
      await assertRejects(
        store.updateExecution({ executionId, patch: { runOutput: 'x' } }),
        'ALREADY_TERMINAL',
      )
      assert.equal(await foldAll(store), 0)
      assert.deepEqual((await store.listHistory({ executionId })).items, items)
    },
  },
  {
    name: 'a folded execution is deleted with everything that belongs to it',
    run: async ({ store }) => {
      const { id: executionId } = await acknowledged(store)
      await acknowledged(store)
      await foldAll(store)
      await assertRejects(create(store, { id: executionId }), 'EXECUTION_ALREADY_EXISTS')
      await store.deleteExecution({ executionId })
      assert.equal(await store.getExecution(executionId), null)
      while ((await store.reclaim()).more);
      assert.deepEqual((await store.listHistory({ executionId })).items, [])
      await create(store, { id: executionId })
    },
  },
  {
    name: 'folded executions outlive an opening',
    needs: 'reopen',
    run: async ({ store, reopen }) => {
      await acknowledged(store)
      const before = await readEverything(store)
      await foldAll(store)
      assert.deepEqual(await readEverything(await reopen()), before)
    },
  },
]
