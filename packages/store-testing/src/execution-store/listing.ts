import assert from 'node:assert/strict'

import { type ComputeExecutionQuery, LIVE_COMPUTE_STATES } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { idsOf, readAll } from '../store/pages.ts'
import { create, type ExecutionCase, JOB } from './execution-case.ts'

/** Cases about which executions a query finds, and in which order. */
export const listingCases: readonly ExecutionCase[] = [
  {
    name: 'executions of a job come by creation; a job without any has an empty page',
    run: async ({ store, clock }) => {
      const ids: string[] = []
      for (let n = 0; n < 4; n++) {
        ids.push((await create(store, { job: { ...JOB, id: n % 2 === 0 ? 'even' : 'odd' } })).id)
        clock.step(10)
      }
      await store.updateExecution({ executionId: ids[0] ?? '', to: 'BidAccepted' })
      const found = async (query: ComputeExecutionQuery) => idsOf((await store.listExecutions(query)).items)
      assert.deepEqual(await found({ jobId: 'even' }), [ids[0], ids[2]])
      assert.deepEqual(await found({ jobId: 'odd', reverse: true }), [ids[3], ids[1]])
      assert.deepEqual(await found({ jobId: 'even', states: ['BidAccepted'] }), [ids[0]])
      assert.deepEqual(await found({ jobId: 'even', live: true }), [ids[0]])
      assert.deepEqual(await found({ jobId: 'eve' }), [])
    },
  },
  {
    name: 'live executions come oldest first, through every state that is live and none that is not',
    run: async ({ store, clock }) => {
      const make = async (...states: readonly ('BidAccepted' | 'Running' | 'Publishing' | 'Cancelled')[]) => {
        const { id } = await create(store)
        for (const to of states) {
          clock.step(10)
          await store.updateExecution({ executionId: id, to })
        }
        return id
      }
      const publishing = await make('BidAccepted', 'Running', 'Publishing')
      const created = await make()
      const running = await make('BidAccepted', 'Running')
      await make('BidAccepted', 'Cancelled')
      const accepted = await make('BidAccepted')
      const found = async (query: ComputeExecutionQuery) => idsOf((await store.listExecutions(query)).items)
      assert.deepEqual(await found({ live: true }), [publishing, running, accepted])
      assert.deepEqual(await found({ live: true, reverse: true }), [accepted, running, publishing])
      assert.deepEqual(await found({ inProgress: true }), [publishing, created, running, accepted])
      assert.deepEqual(await found({ states: ['Running'] }), [running])
      assert.deepEqual(await found({ states: ['Running', 'Publishing'] }), [publishing, running])
      assert.deepEqual(await found({ live: true, states: ['Created'] }), [])
      assert.equal((await found({})).length, 5)
      await store.updateExecution({ executionId: running, to: 'Failed' })
      assert.deepEqual(await found({ live: true }), [publishing, accepted])
      assert.ok(
        (await store.listExecutions({ live: true })).items.every(({ state }) =>
          LIVE_COMPUTE_STATES.has(state),
        ),
      )
    },
  },
  {
    name: 'pages of every size and direction give every execution once, with ties in time',
    run: async ({ store, clock }) => {
      for (let n = 0; n < 17; n++) {
        const { id } = await create(store, { state: n % 2 === 0 ? 'Created' : 'BidAccepted' })
        if (n % 3 === 0) await store.updateExecution({ executionId: id, to: 'Failed' })
        if (n % 5 === 0) clock.step(1)
      }
      for (const query of [
        {},
        { jobId: JOB.id },
        { inProgress: true },
        { live: true },
        { states: ['Failed'] as const },
      ]) {
        const whole = idsOf(await readAll((request) => store.listExecutions({ ...query, ...request })))
        assert.ok(whole.length > 3)
        assert.equal(new Set(whole).size, whole.length)
        for (const limit of [1, 2, 5, whole.length]) {
          const list = (reverse: boolean) =>
            readAll((request) => store.listExecutions({ ...query, ...request, reverse }), { limit })
          assert.deepEqual(idsOf(await list(false)), whole)
          assert.deepEqual(idsOf(await list(true)), [...whole].reverse())
        }
      }
      const { next } = await store.listExecutions({ live: true, limit: 1 })
      await assertRejects(store.listExecutions({ inProgress: true, cursor: next }), 'INVALID_CURSOR')
      await assertRejects(store.listExecutions({ limit: 0 }), 'INVALID_ARGUMENT')
    },
  },
  {
    name: 'an execution is found by id and short id; an ambiguous one is refused with all matches',
    run: async ({ store }) => {
      const execution = await create(store)
      assert.deepEqual(await store.findExecution(execution.id.slice(0, 10)), execution)
      for (const n of [1, 2]) await create(store, { id: `e-1234abcd-0000-8000-8000-00000000000${n}` })
      await assertRejects(store.findExecution('e-1234abcd'), 'AMBIGUOUS_ID')
      await assertRejects(store.findExecution('e-'), 'EXECUTION_NOT_FOUND')
      assert.equal(await store.getExecution('e-1234abcd'), null)
    },
  },
]
