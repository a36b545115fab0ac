import assert from 'node:assert/strict'

import { EXECUTION_MACHINE, EXECUTION_STATES, type ExecutionState } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { idsOf } from '../store/pages.ts'
import { type JobCase, newJob } from './job-case.ts'

/** Cases about executions as the requester keeps them. */
export const executionCases: readonly JobCase[] = [
  {
    name: 'an execution is created whole, with history',
    run: async ({ store, clock }) => {
      const job = await newJob(store, { namespace: 'team' })
      await store.reviseJob({ jobId: job.id })
      clock.step(3)
      const execution = await store.createExecution({
        id: 'run-1',
        jobId: job.id,
        nodeId: 'node-1',
        jobVersion: 1,
        state: 'AskForBid',
        desiredState: 'Running',
        desiredMessage: 'go',
        evaluationId: 'v1',
        partition: 0,
        previousExecutionId: 'run-0',
        endsBefore: 3,
        resources: { cpu: 0.5 },
        deadlineAtMs: clock.read() + 9,
        evaluation: { id: 'v2', trigger: 'exec-update' },
      })
      assert.deepEqual(execution, {
        id: 'run-1',
        jobId: job.id,
        jobVersion: 1,
        namespace: 'team',
        nodeId: 'node-1',
        evaluationId: 'v1',
        partition: 0,
        state: 'AskForBid',
        stateMessage: '',
        stateSinceMs: clock.read(),
        endReason: null,
        desiredState: 'Running',
        desiredMessage: 'go',
        previousExecutionId: 'run-0',
        endsBefore: 3,
        resources: { cpu: 0.5 },
        publishedResult: null,
        runOutput: null,
        computeRevision: 0,
        revision: 1,
        createdAtMs: clock.read(),
        modifiedAtMs: clock.read(),
        finishedAtMs: null,
        deadlineAtMs: clock.read() + 9,
      })
      assert.deepEqual(await store.getExecution('run-1'), execution)
      assert.equal((await store.getEvaluation('v2'))?.jobId, job.id)
      assert.deepEqual(await store.dueDeadlines(), [])
      const { items } = await store.listHistory({ jobId: job.id, level: 'execution' })
      assert.deepEqual(
        items.map((entry) => [
          entry.executionId,
          entry.nodeId,
          entry.previousState,
          entry.newState,
          entry.jobVersion,
        ]),
        [['run-1', 'node-1', null, 'AskForBid', 1]],
      )
    },
  },
  {
    name: 'creating is refused without the job, the version, a node, or with an id or evaluation that is taken',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      await store.createExecution({ id: 'run-1', jobId, nodeId: 'n' })
      const before = (await store.changes()).changeSets
      await assertRejects(store.createExecution({ jobId: 'none', nodeId: 'n' }), 'JOB_NOT_FOUND')
      await assertRejects(
        store.createExecution({ jobId, nodeId: 'n', jobVersion: 2 }),
        'JOB_VERSION_NOT_FOUND',
      )
      await assertRejects(store.createExecution({ jobId, nodeId: '' }), 'INVALID_ARGUMENT')
      await assertRejects(
        store.createExecution({ id: 'run-1', jobId, nodeId: 'n' }),
        'EXECUTION_ALREADY_EXISTS',
      )
      for (const state of ['Completed', 'Running', 'Nonsense']) {
        await assertRejects(
          store.createExecution({ jobId, nodeId: 'n', state: state as 'New' }),
          'INVALID_ARGUMENT',
        )
      }
      assert.deepEqual((await store.changes()).changeSets, before)
    },
  },
  {
    name: 'every pair of states is legal or refused as the table says',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      for (const from of EXECUTION_STATES) {
        for (const to of EXECUTION_STATES) {
          const { id } = await store.createExecution({ jobId, nodeId: 'n' })
          if (from !== 'New') await store.updateExecution({ executionId: id, to: from })
          const move = store.updateExecution({ executionId: id, to })
          if (EXECUTION_MACHINE.terminal.has(from)) await assertRejects(move, 'ALREADY_TERMINAL')
          else if (EXECUTION_MACHINE.edges[from].includes(to)) assert.equal((await move).state, to)
          else await assertRejects(move, 'ILLEGAL_TRANSITION')
        }
      }
    },
  },
  {
    name: 'checks come in order: exists, states, revision, ended, legal',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n' })
      await store.updateExecution({ executionId: id, to: 'Failed' })
      const wrong = { to: 'New', expectedStates: ['Running'], expectedRevision: 9 } as const
      await assertRejects(store.updateExecution({ executionId: 'none', ...wrong }), 'EXECUTION_NOT_FOUND')
      await assertRejects(store.updateExecution({ executionId: id, ...wrong }), 'STATE_CONFLICT')
      const known = { ...wrong, executionId: id, expectedStates: ['Failed'] as ExecutionState[] }
      await assertRejects(store.updateExecution(known), 'REVISION_CONFLICT')
      await assertRejects(store.updateExecution({ ...known, expectedRevision: 2 }), 'ALREADY_TERMINAL')
      await assertRejects(
        store.updateExecution({ executionId: id, patch: { desiredState: 'Stopped' } }),
        'ALREADY_TERMINAL',
      )
      const fresh = await store.createExecution({ jobId, nodeId: 'n', state: 'BidAccepted' })
      await assertRejects(
        store.updateExecution({ executionId: fresh.id, to: 'AskForBid' }),
        'ILLEGAL_TRANSITION',
      )
    },
  },
  {
    name: 'a patch sets what is given, clears what is null and leaves the rest',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const first = await store.createExecution({ jobId, nodeId: 'n', resources: { cpu: 1 } })
      clock.step(5)
      const patched = await store.updateExecution({
        executionId: first.id,
        patch: {
          desiredState: 'Running',
          desiredMessage: 'please',
          publishedResult: { at: 'x' },
          runOutput: { exitCode: 0 },
          deadlineAtMs: 1,
        },
      })
      assert.deepEqual(patched, {
        ...first,
        desiredState: 'Running',
        desiredMessage: 'please',
        publishedResult: { at: 'x' },
        runOutput: { exitCode: 0 },
        deadlineAtMs: 1,
        revision: 2,
        modifiedAtMs: clock.read(),
      })
      const cleared = await store.updateExecution({
        executionId: first.id,
        patch: {
          desiredState: 'Pending',
          desiredMessage: '',
          publishedResult: null,
          runOutput: null,
          resources: null,
          deadlineAtMs: null,
        },
      })
      assert.deepEqual(cleared, { ...first, resources: null, revision: 3, modifiedAtMs: clock.read() })
      assert.deepEqual(await store.getExecution(first.id), cleared)
      assert.equal((await store.listHistory({ jobId, level: 'execution' })).items.length, 3)
    },
  },
  {
    name: 'a move can carry a patch, an event and an evaluation, all or nothing',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const { id } = await store.createExecution({ jobId, nodeId: 'n', deadlineAtMs: clock.read() + 5 })
      const change = {
        executionId: id,
        to: 'Completed',
        message: 'fine',
        patch: { runOutput: { exitCode: 0 }, deadlineAtMs: 7 },
        event: { message: 'ran', details: { exitCode: '0' } },
        evaluation: { id: 'v1', trigger: 'exec-update' },
      } as const
      const done = await store.updateExecution(change)
      assert.deepEqual(
        [done.state, done.stateMessage, done.finishedAtMs, done.deadlineAtMs, done.runOutput],
        ['Completed', 'fine', clock.read(), null, { exitCode: 0 }],
      )
      const other = await store.createExecution({ jobId, nodeId: 'n' })
      await assertRejects(
        store.updateExecution({ ...change, executionId: other.id }),
        'EVALUATION_ALREADY_EXISTS',
      )
      assert.deepEqual(await store.getExecution(other.id), other)
    },
  },
  {
    name: 'executions are listed by job, version, node and states, by creation or time of the state',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const { id: otherJob } = await newJob(store)
      await store.reviseJob({ jobId })
      const ids: string[] = []
      for (const [job, nodeId, jobVersion] of [
        [jobId, 'a', 1],
        [jobId, 'b', 2],
        [otherJob, 'a', 1],
        [jobId, 'a', 2],
      ] as const) {
        ids.push((await store.createExecution({ jobId: job, nodeId, jobVersion })).id)
        clock.step(10)
      }
      for (const [n, to] of [
        [3, 'Running'],
        [1, 'BidAccepted'],
        [0, 'Failed'],
        [2, 'Publishing'],
      ] as const) {
        await store.updateExecution({ executionId: ids[n] ?? '', to })
        clock.step(10)
      }
      const at = (...numbers: readonly number[]) => numbers.map((n) => ids[n])
      const found = async (query: Parameters<typeof store.listExecutions>[0]) =>
        idsOf((await store.listExecutions(query)).items)
      assert.deepEqual(await found({ jobId }), at(0, 1, 3))
      assert.deepEqual(await found({ jobId, jobVersion: 2 }), at(1, 3))
      assert.deepEqual(await found({ jobId, states: ['Running', 'Failed'] }), at(0, 3))
      assert.deepEqual(await found({ jobId, inProgress: true, reverse: true }), at(3, 1))
      assert.deepEqual(await found({ nodeId: 'a' }), at(0, 2, 3))
      assert.deepEqual(await found({ nodeId: 'a', inProgress: true }), at(3, 2))
      assert.deepEqual(await found({ states: ['Running'] }), at(3))
      assert.deepEqual(await found({ inProgress: true }), at(3, 1, 2))
      assert.deepEqual(await found({ states: ['Running', 'BidAccepted', 'Failed'] }), at(3, 1, 0))
      assert.deepEqual(await found({ states: ['Publishing', 'Running'], reverse: true }), at(2, 3))
      await assertRejects(store.listExecutions({}), 'TypeError')
      assert.deepEqual(await found({ jobId: 'none' }), [])
    },
  },
]
