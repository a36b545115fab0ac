import assert from 'node:assert/strict'

import { MAX_MESSAGE_LENGTH } from '@saltcod/store-core/backend'
import { assertRejects } from '../kv/expectation.ts'
import { readAll } from '../store/pages.ts'
import { type JobCase, newJob } from './job-case.ts'

/** Cases about the history of a job and its executions. */
export const historyCases: readonly JobCase[] = [
  {
    name: 'all changes of a job and its executions stand in order of time; filters choose among them',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      clock.step(10)
      const one = await store.createExecution({ jobId, nodeId: 'node-a' })
      const two = await store.createExecution({ jobId, nodeId: 'node-b' })
      clock.step(10)
      const middleMs = clock.read()
      await store.updateExecution({ executionId: one.id, to: 'Running' })
      await store.transitionJob({ jobId, to: 'Running' })
      await store.updateExecution({ executionId: two.id, to: 'Failed' })
      await store.updateExecution({ executionId: one.id, to: 'Completed' })
      await store.transitionJob({ jobId, to: 'Completed' })
      const count = async (query: object) =>
        (await readAll((request) => store.listHistory({ jobId, ...query, ...request }), { limit: 2 })).length
      assert.equal(await count({}), 8)
      assert.equal(await count({ level: 'job' }), 3)
      assert.equal(await count({ level: 'execution' }), 5)
      assert.equal(await count({ executionIdPrefix: one.id }), 3)
      assert.equal(await count({ executionIdPrefix: 'e-' }), 5)
      assert.equal(await count({ executionIdPrefix: 'x' }), 0)
      assert.equal(await count({ nodeIdPrefix: 'node-b' }), 2)
      assert.equal(await count({ nodeIdPrefix: 'node' }), 5)
      assert.equal(await count({ sinceMs: middleMs }), 5)
      assert.equal(await count({ sinceMs: middleMs, level: 'job' }), 2)
      assert.equal(await count({ jobVersion: 2 }), 0)
      const { items } = await store.listHistory({ jobId })
      const times = items.map(({ atMs }) => atMs)
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      )
      const third = items[2]?.sequence ?? 0
      assert.equal(await count({ afterSequence: third }), 5)
      const reversed = await store.listHistory({ jobId, reverse: true })
      assert.deepEqual([...reversed.items].reverse(), items)
    },
  },
  {
    name: 'history goes on after a thousand entries in order',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      await Promise.all(
        Array.from({ length: 1_100 }, (_, n) => store.addHistory({ jobId, event: { message: String(n) } })),
      )
      const entries = await readAll((request) => store.listHistory({ jobId, ...request }), { limit: 400 })
      assert.deepEqual(
        entries.slice(1).map(({ event }) => event.message),
        Array.from({ length: 1_100 }, (_, n) => String(n)),
      )
    },
  },
  {
    name: 'an entry can be added for a job and for one of its executions, and changes no state',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const { id: executionId } = await store.createExecution({ jobId, nodeId: 'n' })
      const event = { message: 'm', topic: 't', details: { a: 'b', __proto__x: 'y' } }
      const ofJob = await store.addHistory({ jobId, event })
      assert.deepEqual(
        { ...ofJob, sequence: 0 },
        {
          sequence: 0,
          level: 'job',
          jobId,
          jobVersion: 1,
          executionId: null,
          nodeId: null,
          previousState: 'Pending',
          newState: 'Pending',
          revision: 1,
          event,
          atMs: clock.read(),
        },
      )
      const ofExecution = await store.addHistory({ jobId, executionId, event: {} })
      assert.deepEqual(
        [ofExecution.level, ofExecution.executionId, ofExecution.newState, ofExecution.event],
        ['execution', executionId, 'New', { message: '', topic: '', details: {} }],
      )
      const { items } = await store.listHistory({ jobId })
      assert.deepEqual(items.slice(2), [ofJob, ofExecution])
      assert.equal((await store.getJob(jobId))?.revision, 1)
    },
  },
  {
    name: 'an entry is refused where the job or the execution is not there, or belongs to another job',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const { id: other } = await newJob(store)
      const { id: executionId } = await store.createExecution({ jobId: other, nodeId: 'n' })
      await assertRejects(store.addHistory({ jobId: 'none', event: {} }), 'JOB_NOT_FOUND')
      await assertRejects(store.addHistory({ jobId, executionId: 'none', event: {} }), 'EXECUTION_NOT_FOUND')
      await assertRejects(store.addHistory({ jobId, executionId, event: {} }), 'EXECUTION_NOT_FOUND')
      assert.equal((await store.listHistory({ jobId: other })).items.length, 2)
    },
  },
  {
    name: 'a long message is cut, not refused',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const message = 'ü'.repeat(MAX_MESSAGE_LENGTH + 1)
      await store.addHistory({ jobId, event: { message } })
      const moved = await store.transitionJob({ jobId, to: 'Failed', message })
      assert.equal(moved.stateMessage.length, MAX_MESSAGE_LENGTH)
      const [, entry] = (await store.listHistory({ jobId })).items
      assert.equal(entry?.event.message, `${'ü'.repeat(MAX_MESSAGE_LENGTH - 1)}…`)
    },
  },
  {
    name: 'a job that was never there has no history',
    run: async ({ store }) => {
      const page = await store.listHistory({ jobId: 'none' })
      assert.deepEqual([page.items, page.next, page.previous], [[], null, null])
    },
  },
]
