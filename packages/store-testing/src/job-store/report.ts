import assert from 'node:assert/strict'

import type { ExecutionState } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { idsOf } from '../store/pages.ts'
import { type JobCase, newJob } from './job-case.ts'

/** Cases about what a compute node reports. */
export const reportCases: readonly JobCase[] = [
  {
    name: 'a report is applied once, and stale when it comes again',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n', state: 'AskForBid' })
      const report = {
        executionId: id,
        nodeId: 'n',
        computeRevision: 4,
        to: 'Running',
        message: 'started',
        patch: { runOutput: { pid: 1 } },
        evaluation: { trigger: 'exec-update' },
        outbox: [{ destination: 'watcher', body: 1 }],
      } as const
      clock.step(5)
      assert.equal(await store.recordExecution(report), 'applied')
      const execution = await store.getExecution(id)
      assert.deepEqual(
        [
          execution?.state,
          execution?.stateMessage,
          execution?.computeRevision,
          execution?.revision,
          execution?.runOutput,
          execution?.stateSinceMs,
        ],
        ['Running', 'started', 4, 2, { pid: 1 }, clock.read()],
      )
      assert.equal(await store.recordExecution(report), 'stale')
      assert.deepEqual(await store.getExecution(id), execution)
      assert.equal((await store.listEvaluations({ jobId })).items.length, 1)
      assert.equal((await store.listHistory({ jobId, level: 'execution' })).items.length, 2)
      assert.equal(await store.recordExecution({ ...report, executionId: 'none' }), 'unknown')
      assert.equal((await store.readOutbox({ destination: 'watcher' })).length, 1)
    },
  },
  {
    name: 'what was given up with its node goes on there where its share was not given to another',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n', state: 'BidAccepted', partition: 0 })
      const report = { executionId: id, nodeId: 'n', computeRevision: 4, to: 'Running' } as const
      const goesOn = { ...report, goesOn: true } as const
      const giveUp = (endReason: 'node-lost' | 'timed-out') =>
        store.updateExecution({ executionId: id, to: 'Failed', endReason })
      assert.equal(await store.recordExecution(report), 'applied')
      assert.equal(await store.recordExecution(goesOn), 'stale')
      await giveUp('node-lost')
      assert.equal(await store.recordExecution({ ...goesOn, computeRevision: 3 }), 'stale')
      assert.equal(await store.recordExecution({ ...goesOn, to: 'Completed' }), 'stale')
      clock.step(5)
      const patch = { deadlineAtMs: clock.read() + 9 }
      assert.equal(await store.recordExecution({ ...goesOn, patch }), 'applied')
      const { state, endReason, finishedAtMs, desiredState, deadlineAtMs, computeRevision } =
        (await store.getExecution(id)) ?? {}
      assert.deepEqual(
        { state, endReason, finishedAtMs, desiredState, deadlineAtMs, computeRevision },
        {
          state: 'Running',
          endReason: null,
          finishedAtMs: null,
          desiredState: 'Running',
          deadlineAtMs: clock.read() + 9,
          computeRevision: 4,
        },
      )
      assert.deepEqual(idsOf((await store.listExecutions({ nodeId: 'n', inProgress: true })).items), [id])
      assert.deepEqual((await store.check()).findings, [])
      // Another end is one, and so is that of a share which another has now.
      await giveUp('timed-out')
      assert.equal(await store.recordExecution(goesOn), 'stale')
      const first = await store.createExecution({ jobId, nodeId: 'n', state: 'BidAccepted', partition: 1 })
      const ofFirst = { ...goesOn, executionId: first.id }
      await store.updateExecution({ executionId: first.id, to: 'Failed', endReason: 'node-lost' })
      const second = await store.createExecution({ jobId, nodeId: 'm', state: 'BidAccepted', partition: 1 })
      assert.equal(await store.recordExecution(ofFirst), 'stale')
      await store.updateExecution({ executionId: second.id, to: 'Failed', endReason: 'node-lost' })
      assert.equal(await store.recordExecution(ofFirst), 'applied')
      assert.equal(await store.recordExecution({ ...ofFirst, executionId: second.id, nodeId: 'm' }), 'stale')
      assert.deepEqual((await store.check()).findings, [])
    },
  },
  {
    name: 'reports out of order: the newest counts, what it overtook is stale',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n' })
      const tell = (computeRevision: number, to: ExecutionState) =>
        store.recordExecution({ executionId: id, nodeId: 'n', computeRevision, to })
      assert.equal(await tell(3, 'Publishing'), 'applied')
      assert.equal(await tell(2, 'Running'), 'stale')
      assert.equal(await tell(4, 'Running'), 'stale')
      assert.equal((await store.getExecution(id))?.computeRevision, 3)
      assert.equal(await tell(4, 'Completed'), 'applied')
      assert.equal(await tell(5, 'Failed'), 'stale')
      assert.equal((await store.getExecution(id))?.state, 'Completed')
    },
  },
  {
    name: 'the history of an execution ends where its node reports without an end, and its own end is taken',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n', state: 'BidAccepted' })
      const tell = (computeRevision: number, more: object) =>
        store.recordExecution({ executionId: id, nodeId: 'n', computeRevision, ...more })
      const event = { message: 'going on', topic: 'Endless' }
      assert.equal(await tell(1, { to: 'Running' }), 'applied')
      const all = Array.from({ length: 1_050 }, (_, at) =>
        tell(
          2 + at,
          at % 2 === 0 ? { event } : { to: 'Running', event, evaluation: { trigger: 'exec-update' } },
        ),
      )
      const applied = (await Promise.all(all)).filter((outcome) => outcome === 'applied').length
      assert.equal(applied, 998)
      const last = await store.listHistory({ jobId, level: 'execution', reverse: true, limit: 2 })
      assert.deepEqual(
        last.items.map(({ event: { message } }) => message),
        ['Its node has reported too much of it: nothing more is noted but changes of its state', 'going on'],
      )
      assert.equal(await tell(2_000, { to: 'Completed' }), 'applied')
      assert.equal((await store.getExecution(id))?.state, 'Completed')
      assert.deepEqual((await store.check()).findings, [])
    },
  },
  {
    name: 'a report of the same state, or of none, brings fields and events',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n', state: 'BidAccepted' })
      const told = { executionId: id, nodeId: 'n' }
      assert.equal(
        await store.recordExecution({
          ...told,
          computeRevision: 2,
          to: 'BidAccepted',
          patch: { runOutput: 1 },
        }),
        'applied',
      )
      assert.equal(
        await store.recordExecution({ ...told, computeRevision: 3, event: { message: 'still here' } }),
        'applied',
      )
      const execution = await store.getExecution(id)
      assert.deepEqual(
        [execution?.state, execution?.runOutput, execution?.computeRevision, execution?.revision],
        ['BidAccepted', 1, 3, 3],
      )
      const { items } = await store.listHistory({ jobId, reverse: true, limit: 1 })
      assert.equal(items[0]?.event.message, 'still here')
    },
  },
  {
    name: 'a job goes along with a report that is applied, from the states that it names and in the same version',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const job = { to: 'Running', from: ['Pending', 'Queued'], event: { message: 'Begun' } } as const
      const state = async () => (await store.getJob(jobId))?.state
      const { id } = await store.createExecution({ jobId, nodeId: 'n' })
      const report = { executionId: id, nodeId: 'n', job } as const
      assert.equal(
        await store.recordExecution({ ...report, computeRevision: 2, to: 'BidAccepted' }),
        'applied',
      )
      assert.equal(await state(), 'Running')
      const { items } = await store.listHistory({ jobId })
      assert.deepEqual(
        items.slice(-2).map((entry) => [entry.executionId, entry.newState]),
        [
          [null, 'Running'],
          [id, 'BidAccepted'],
        ],
      )
      await store.transitionJob({ jobId, to: 'Queued' })
      assert.equal(await store.recordExecution({ ...report, computeRevision: 1, to: 'Running' }), 'stale')
      assert.equal(await state(), 'Queued')
      const elsewhere = { ...job, from: ['Pending'] } as const
      await store.recordExecution({ ...report, job: elsewhere, computeRevision: 3, to: 'Running' })
      assert.equal(await state(), 'Queued')
      await store.reviseJob({ jobId, spec: 'another' })
      assert.equal(
        await store.recordExecution({ ...report, computeRevision: 4, to: 'Publishing' }),
        'applied',
      )
      assert.equal(await state(), 'Pending', 'it is an execution of the version before')
      const wrong = { to: 'Nowhere' as 'Running', from: ['Pending'] } as const
      await assertRejects(
        store.recordExecution({ ...report, job: wrong, computeRevision: 5 }),
        'INVALID_ARGUMENT',
      )
    },
  },
  {
    name: 'an execution that is not there, or of another node, is unknown, and nothing is written',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n' })
      const before = (await store.changes()).changeSets
      const report = { nodeId: 'n', computeRevision: 1, to: 'Running' } as const
      assert.equal(await store.recordExecution({ ...report, executionId: 'none' }), 'unknown')
      assert.equal(await store.recordExecution({ ...report, executionId: id, nodeId: 'm' }), 'unknown')
      assert.deepEqual((await store.changes()).changeSets, before)
      assert.equal((await store.getExecution(id))?.state, 'New')
    },
  },
  {
    name: 'concurrent deliveries of one report are applied once',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n' })
      const report = { executionId: id, nodeId: 'n', computeRevision: 1, to: 'Running' } as const
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.recordExecution(report)))
      assert.deepEqual(outcomes.filter((outcome) => outcome === 'applied').length, 1)
      assert.deepEqual(outcomes.filter((outcome) => outcome === 'stale').length, 7)
    },
  },
]
