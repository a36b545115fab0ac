import assert from 'node:assert/strict'

import type { ExecutionStore, FinishedExecution } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { readAll } from '../store/pages.ts'
import { create, type ExecutionCase, ended, JOB } from './execution-case.ts'

async function finished(store: ExecutionStore, state: FinishedExecution['state'] = 'Completed') {
  return await readAll((request) => store.listFinishedExecutions({ ...request, state, limit: 2 }))
}

/** Cases about what retention looks at. */
export const retentionCases: readonly ExecutionCase[] = [
  {
    name: 'finished executions are listed by when they ended, with what was acknowledged',
    run: async ({ store, clock }) => {
      const ids: string[] = []
      for (let n = 0; n < 5; n++) ids.push((await create(store)).id)
      for (const executionId of [...ids].reverse()) {
        clock.step(10)
        await store.updateExecution({ executionId, to: 'Completed' })
      }
      await store.acknowledgeExecution({ executionId: ids[4] ?? '', revision: 2 })
      const found = await finished(store)
      assert.deepEqual(
        found.map(({ id }) => id),
        [...ids].reverse(),
      )
      assert.deepEqual(
        found.map(({ revision, acknowledgedRevision }) => [revision, acknowledgedRevision]),
        [
          [2, 2],
          [2, 0],
          [2, 0],
          [2, 0],
          [2, 0],
        ],
      )
      assert.deepEqual(
        [found[0]?.jobId, found[0]?.namespace, found[0]?.state],
        [JOB.id, JOB.namespace, 'Completed'],
      )
      assert.deepEqual(
        (await store.counts()).map(({ bytes }) => bytes),
        [found.reduce((sum, { bytes }) => sum + bytes, 0)],
      )
      assert.deepEqual(await finished(store, 'Failed'), [])
      await assertRejects(store.listFinishedExecutions({ state: 'Running' }), 'INVALID_ARGUMENT')
    },
  },
  {
    name: 'an execution is measured with its job and its history',
    run: async ({ store }) => {
      assert.equal(await store.measureExecution('none'), null)
      const { id } = await ended(store)
      const size = await store.measureExecution(id)
      assert.equal(size?.rows, 2 + 2)
      assert.ok((size?.bytes ?? 0) > ((await finished(store))[0]?.bytes ?? 0))
    },
  },
]
