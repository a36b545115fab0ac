import assert from 'node:assert/strict'

import { COMPUTE_MACHINE, COMPUTE_STATES, type ComputeState, END_REASONS } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { create, type ExecutionCase, ended, JOB } from './execution-case.ts'

/** States that nothing leads into. */
const IMPORTED: ReadonlySet<ComputeState> = new Set<ComputeState>(['WaitingVerification', 'ResultAccepted'])

/** The way to each state that an execution can be brought into. */
const WAYS: Readonly<Partial<Record<ComputeState, readonly ComputeState[]>>> = {
  Created: [],
  BidAccepted: ['BidAccepted'],
  Running: ['BidAccepted', 'Running'],
  Publishing: ['BidAccepted', 'Running', 'Publishing'],
  Completed: ['Completed'],
  Failed: ['Failed'],
  Cancelled: ['Cancelled'],
}

/** Cases about creating and changing executions. */
export const lifecycleCases: readonly ExecutionCase[] = [
  {
    name: 'an execution is created whole, with its job and its first line of history',
    run: async ({ store, clock }) => {
      const execution = await store.createExecution({
        id: 'run-1',
        job: JOB,
        requesterId: 'requester',
        state: 'BidAccepted',
        partition: 0,
        rerunnable: true,
        resources: { cpu: 0.5 },
        deadlineAtMs: clock.read() + 9,
        event: { message: 'asked for', topic: 'Bidding', details: { by: 'requester' } },
      })
      assert.deepEqual(execution, {
        id: 'run-1',
        job: JOB,
        requesterId: 'requester',
        partition: 0,
        state: 'BidAccepted',
        stateMessage: '',
        stateSinceMs: clock.read(),
        endReason: null,
        attempt: 0,
        rerunnable: true,
        process: null,
        resources: { cpu: 0.5 },
        publishedResult: null,
        runOutput: null,
        acknowledgedRevision: 0,
        revision: 1,
        createdAtMs: clock.read(),
        modifiedAtMs: clock.read(),
        finishedAtMs: null,
        deadlineAtMs: clock.read() + 9,
      })
      assert.deepEqual(await store.getExecution('run-1'), execution)
      assert.deepEqual(await store.findExecution('run-1'), execution)
      const { items } = await store.listHistory({ executionId: 'run-1' })
      assert.deepEqual(
        { ...items[0], sequence: 0 },
        {
          sequence: 0,
          level: 'execution',
          jobId: JOB.id,
          jobVersion: 2,
          executionId: 'run-1',
          nodeId: null,
          previousState: null,
          newState: 'BidAccepted',
          revision: 1,
          event: { message: 'asked for', topic: 'Bidding', details: { by: 'requester' } },
          atMs: clock.read(),
        },
      )
    },
  },
  {
    name: 'an id that is taken is EXECUTION_ALREADY_EXISTS, and nothing is written',
    run: async ({ store }) => {
      const first = await create(store, { id: 'run-1' })
      const before = (await store.changes()).changeSets
      await assertRejects(create(store, { id: 'run-1', requesterId: 'other' }), 'EXECUTION_ALREADY_EXISTS')
      assert.deepEqual((await store.changes()).changeSets, before)
      assert.deepEqual(await store.getExecution('run-1'), first)
    },
  },
  {
    name: 'an execution begins as Created or BidAccepted, and not otherwise',
    run: async ({ store }) => {
      assert.equal((await create(store)).state, 'Created')
      assert.equal((await create(store, { state: 'BidAccepted' })).state, 'BidAccepted')
      for (const state of [...COMPUTE_STATES.slice(2), 'Nonsense']) {
        await assertRejects(create(store, { state: state as 'Created' }), 'INVALID_ARGUMENT')
      }
    },
  },
  {
    name: 'every pair of states that can be reached is legal or refused as the table says',
    run: async ({ store }) => {
      for (const from of COMPUTE_STATES) {
        const way = WAYS[from]
        assert.equal(way === undefined, IMPORTED.has(from))
        if (way === undefined) continue
        for (const to of COMPUTE_STATES) {
          const { id } = await create(store)
          for (const step of way) await store.updateExecution({ executionId: id, to: step })
          const before = await store.getExecution(id)
          const move = store.updateExecution({ executionId: id, to })
          if (COMPUTE_MACHINE.terminal.has(from)) await assertRejects(move, 'ALREADY_TERMINAL')
          else if (COMPUTE_MACHINE.edges[from].includes(to)) assert.equal((await move).state, to)
          else {
            await assertRejects(move, 'ILLEGAL_TRANSITION')
            assert.deepEqual(await store.getExecution(id), before)
          }
        }
      }
    },
  },
  {
    name: 'checks come in order: exists, states, revision, ended, legal',
    run: async ({ store }) => {
      const { id } = await ended(store)
      const wrong = { to: 'Created', expectedStates: ['Running'], expectedRevision: 9 } as const
      await assertRejects(store.updateExecution({ executionId: 'none', ...wrong }), 'EXECUTION_NOT_FOUND')
      await assertRejects(store.updateExecution({ executionId: id, ...wrong }), 'STATE_CONFLICT')
      const known = { ...wrong, executionId: id, expectedStates: ['Completed'] as ComputeState[] }
      await assertRejects(store.updateExecution(known), 'REVISION_CONFLICT')
      await assertRejects(store.updateExecution({ ...known, expectedRevision: 2 }), 'ALREADY_TERMINAL')
      await assertRejects(
        store.updateExecution({ executionId: id, patch: { attempt: 2 } }),
        'ALREADY_TERMINAL',
      )
      const fresh = await create(store)
      await assertRejects(
        store.updateExecution({ executionId: fresh.id, to: 'Publishing' }),
        'ILLEGAL_TRANSITION',
      )
    },
  },
  {
    name: 'an update without conditions moves the state, keeps the message, and writes history',
    run: async ({ store, clock }) => {
      const { job: _job, ...first } = await create(store)
      clock.step(5)
      const moved = await store.updateExecution({
        executionId: first.id,
        to: 'BidAccepted',
        message: 'accepted',
      })
      assert.deepEqual(moved, {
        ...first,
        state: 'BidAccepted',
        stateMessage: 'accepted',
        stateSinceMs: clock.read(),
        modifiedAtMs: clock.read(),
        revision: 2,
      })
      clock.step(5)
      const done = await store.updateExecution({
        executionId: first.id,
        to: 'Cancelled',
        event: { message: 'why' },
      })
      assert.deepEqual([done.finishedAtMs, done.stateMessage, done.revision], [clock.read(), 'why', 3])
      const { items } = await store.listHistory({ executionId: first.id })
      assert.deepEqual(
        items.map(({ previousState, newState, event }) => [previousState, newState, event.message]),
        [
          [null, 'Created', 'Execution created'],
          ['Created', 'BidAccepted', 'accepted'],
          ['BidAccepted', 'Cancelled', 'why'],
        ],
      )
    },
  },
  {
    name: 'the reason of an end is kept, and nothing but an end has one',
    run: async ({ store }) => {
      for (const endReason of END_REASONS) {
        const { id: executionId, endReason: none } = await create(store)
        assert.equal(none, null)
        for (const to of ['BidAccepted', 'Completed'] as const) {
          await assertRejects(store.updateExecution({ executionId, to, endReason }), 'INVALID_ARGUMENT')
        }
        await assertRejects(store.updateExecution({ executionId, endReason }), 'INVALID_ARGUMENT')
        const ended = await store.updateExecution({ executionId, to: 'Failed', endReason })
        assert.equal(ended.endReason, endReason)
        assert.equal((await store.getExecution(executionId))?.endReason, endReason)
      }
      const { id: executionId } = await create(store)
      assert.equal((await store.updateExecution({ executionId, to: 'Failed' })).endReason, null)
      assert.deepEqual((await store.check()).findings, [])
    },
  },
  {
    name: 'a rerun enters Running again with a further attempt and another process',
    run: async ({ store, clock }) => {
      const { id } = await create(store, { state: 'BidAccepted' })
      const process = { pid: 7, startTime: '123', bootId: 'boot' }
      await store.updateExecution({ executionId: id, to: 'Running', patch: { attempt: 1, process } })
      clock.step(9)
      const again = await store.updateExecution({
        executionId: id,
        to: 'Running',
        patch: { attempt: 2, process: { ...process, pid: 8 } },
      })
      assert.deepEqual(
        [again.attempt, again.process?.pid, again.stateSinceMs, again.revision],
        [2, 8, clock.read(), 3],
      )
      const cleared = await store.updateExecution({ executionId: id, patch: { process: null, attempt: 0 } })
      assert.deepEqual([cleared.process, cleared.attempt, cleared.state], [null, 0, 'Running'])
    },
  },
  {
    name: 'a patch sets what is given, clears what is null and leaves the rest',
    run: async ({ store, clock }) => {
      const { job, ...first } = await create(store, { resources: { cpu: 1 } })
      clock.step(1)
      const patch = { publishedResult: { at: 'x' }, runOutput: { exitCode: 0 }, deadlineAtMs: clock.read() }
      const patched = await store.updateExecution({ executionId: first.id, patch })
      assert.deepEqual(patched, { ...first, ...patch, revision: 2, modifiedAtMs: clock.read() })
      const nothing = { publishedResult: null, runOutput: null, resources: null, deadlineAtMs: null }
      const cleared = await store.updateExecution({ executionId: first.id, patch: nothing })
      assert.deepEqual(cleared, { ...first, ...nothing, revision: 3, modifiedAtMs: clock.read() })
      assert.deepEqual(await store.getExecution(first.id), { ...cleared, job })
    },
  },
  {
    name: 'of concurrent updates with one expected revision exactly one succeeds',
    run: async ({ store }) => {
      const { id } = await create(store)
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, () =>
          store.updateExecution({ executionId: id, expectedRevision: 1, patch: { attempt: 1 } }),
        ),
      )
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    },
  },
  {
    name: 'what the requester has confirmed is noted, never beyond the record and never backwards',
    run: async ({ store }) => {
      const { id } = await ended(store)
      const confirmed = async () => (await store.getExecution(id))?.acknowledgedRevision
      const before = (await store.changes()).changeSets
      await store.acknowledgeExecution({ executionId: id, revision: 1 })
      assert.equal(await confirmed(), 1)
      await store.acknowledgeExecution({ executionId: id, revision: 9 })
      assert.equal(await confirmed(), 2)
      await store.acknowledgeExecution({ executionId: id, revision: 1 })
      assert.equal(await confirmed(), 2)
      assert.equal((await store.getExecution(id))?.revision, 2)
      assert.deepEqual((await store.changes()).changeSets, before)
      await assertRejects(
        store.acknowledgeExecution({ executionId: 'none', revision: 1 }),
        'EXECUTION_NOT_FOUND',
      )
      for (const revision of [-1, 0.5, Number.NaN]) {
        await assertRejects(store.acknowledgeExecution({ executionId: id, revision }), 'INVALID_ARGUMENT')
      }
    },
  },
  {
    name: 'updates, deletions and history with a request id are made once; another kind of change is refused',
    run: async ({ store }) => {
      const { id } = await create(store)
      const change = { executionId: id, to: 'Completed', requestId: 'r1' } as const
      const done = await store.updateExecution(change)
      assert.deepEqual(await store.updateExecution(change), done)
      const event = { executionId: id, event: { message: 'm' }, requestId: 'r2' }
      assert.deepEqual(await store.addHistory(event), await store.addHistory(event))
      await assertRejects(store.deleteExecution({ executionId: id, requestId: 'r1' }), 'REQUEST_ID_CONFLICT')
      await store.deleteExecution({ executionId: id, requestId: 'r3' })
      await store.deleteExecution({ executionId: id, requestId: 'r3' })
      assert.equal(await store.getExecution(id), null)
    },
  },
]
