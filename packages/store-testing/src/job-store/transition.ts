import assert from 'node:assert/strict'

import { JOB_MACHINE, JOB_STATES } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { endedJob, type JobCase, newJob } from './job-case.ts'

/** Cases about the states of a job and the order in which a change is checked. */
export const transitionCases: readonly JobCase[] = [
  {
    name: 'a move sets state, message, times and revision, and writes history',
    run: async ({ store, clock }) => {
      const first = await newJob(store)
      clock.step(1_000)
      const job = await store.transitionJob({ jobId: first.id, to: 'Running', message: 'started' })
      assert.deepEqual(job, {
        ...first,
        state: 'Running',
        stateMessage: 'started',
        stateSinceMs: clock.read(),
        modifiedAtMs: clock.read(),
        revision: 2,
      })
      assert.deepEqual(await store.getJob(first.id), job)
      clock.step(1)
      const ended = await store.transitionJob({
        jobId: first.id,
        to: 'Completed',
        event: { message: 'done' },
      })
      assert.deepEqual(
        [ended.finishedAtMs, ended.stateMessage, ended.revision, ended.createdAtMs],
        [clock.read(), 'done', 3, first.createdAtMs],
      )
      const { items } = await store.listHistory({ jobId: first.id })
      assert.deepEqual(
        items.map(({ previousState, newState, revision, event }) => [
          previousState,
          newState,
          revision,
          event.message,
        ]),
        [
          [null, 'Pending', 1, 'Job submitted'],
          ['Pending', 'Running', 2, 'started'],
          ['Running', 'Completed', 3, 'done'],
        ],
      )
    },
  },
  {
    name: 'a change without a state changes the message and writes history, and the job is in its state as long as before',
    run: async ({ store, clock }) => {
      const first = await newJob(store)
      const queued = await store.transitionJob({ jobId: first.id, to: 'Queued', message: 'no room' })
      clock.step(1_000)
      const job = await store.transitionJob({ jobId: first.id, message: 'no memory' })
      const { stateSinceMs } = queued
      assert.deepEqual(job, {
        ...queued,
        stateMessage: 'no memory',
        stateSinceMs,
        modifiedAtMs: clock.read(),
        revision: 3,
      })
      const { items } = await store.listJobs({ states: ['Queued'] })
      assert.deepEqual(items, [job])
      const { items: history } = await store.listHistory({ jobId: first.id, reverse: true, limit: 1 })
      assert.deepEqual(
        history.map(({ previousState, newState, event }) => [previousState, newState, event.message]),
        [['Queued', 'Queued', 'no memory']],
      )
      await store.transitionJob({ jobId: first.id, to: 'Completed' })
      await assertRejects(store.transitionJob({ jobId: first.id, message: 'late' }), 'ALREADY_TERMINAL')
    },
  },
  {
    name: 'every pair of states is legal or refused as the table says, and a refusal changes nothing',
    run: async ({ store }) => {
      for (const from of JOB_STATES) {
        for (const to of JOB_STATES) {
          const { id } = await newJob(store)
          if (from !== 'Pending') await store.transitionJob({ jobId: id, to: from })
          const before = await store.getJob(id)
          const move = store.transitionJob({ jobId: id, to })
          if (JOB_MACHINE.terminal.has(from)) await assertRejects(move, 'ALREADY_TERMINAL')
          else if (JOB_MACHINE.edges[from].includes(to))
            assert.equal((await move).state, to, `${from} to ${to}`)
          else await assertRejects(move, 'ILLEGAL_TRANSITION')
          if (!JOB_MACHINE.edges[from].includes(to)) assert.deepEqual(await store.getJob(id), before)
        }
      }
    },
  },
  {
    name: 'checks come in order: exists, states, revision, ended, legal',
    run: async ({ store }) => {
      const { id } = await endedJob(store)
      const wrong = { to: 'Pending', expectedStates: ['Running'], expectedRevision: 99 } as const
      await assertRejects(store.transitionJob({ jobId: 'none', ...wrong }), 'JOB_NOT_FOUND')
      await assertRejects(store.transitionJob({ jobId: id, ...wrong }), 'STATE_CONFLICT')
      const known = { ...wrong, jobId: id, expectedStates: ['Completed'] } as const
      await assertRejects(store.transitionJob(known), 'REVISION_CONFLICT')
      await assertRejects(
        store.transitionJob({ ...known, unexpectedStates: ['Completed'] }),
        'STATE_CONFLICT',
      )
      await assertRejects(store.transitionJob({ ...known, expectedRevision: 2 }), 'ALREADY_TERMINAL')
      const fresh = await newJob(store)
      await assertRejects(
        store.transitionJob({ jobId: fresh.id, to: 'Pending', expectedRevision: 1 }),
        'ILLEGAL_TRANSITION',
      )
      await assertRejects(
        store.transitionJob({ jobId: fresh.id, to: 'Nowhere' as 'Running' }),
        'ILLEGAL_TRANSITION',
      )
    },
  },
  {
    name: 'an error names the record, what was found and what was expected',
    run: async ({ store }) => {
      const { id } = await newJob(store)
      const detailsOf = async (call: Promise<unknown>) =>
        await call.then(
          () => assert.fail('should have been refused'),
          (error: { details: unknown }) => error.details,
        )
      assert.deepEqual(
        await detailsOf(
          store.transitionJob({ jobId: id, to: 'Running', expectedStates: ['Queued', 'Running'] }),
        ),
        { id, actual: 'Pending', expected: ['Queued', 'Running'] },
      )
      assert.deepEqual(
        await detailsOf(store.transitionJob({ jobId: id, to: 'Running', expectedRevision: 5 })),
        { id, actual: 1, expected: 5 },
      )
    },
  },
  {
    name: 'no expected states, or an empty list, expect nothing',
    run: async ({ store }) => {
      const { id } = await newJob(store)
      await store.transitionJob({ jobId: id, to: 'Queued', expectedStates: [], unexpectedStates: [] })
      await store.transitionJob({ jobId: id, to: 'Running', unexpectedStates: ['Pending', 'Completed'] })
      assert.equal((await store.getJob(id))?.revision, 3)
    },
  },
  {
    name: 'of concurrent moves with one expected revision exactly one succeeds',
    run: async ({ store }) => {
      const { id } = await newJob(store)
      const moves = await Promise.allSettled(
        Array.from({ length: 10 }, () =>
          store.transitionJob({ jobId: id, to: 'Running', expectedRevision: 1 }),
        ),
      )
      assert.equal(moves.filter(({ status }) => status === 'fulfilled').length, 1)
      assert.equal((await store.getJob(id))?.revision, 2)
    },
  },
  {
    name: 'an evaluation can be asked for with a move, and is refused with it',
    run: async ({ store }) => {
      const { id } = await newJob(store)
      await store.transitionJob({ jobId: id, to: 'Running', evaluation: { id: 'v1', trigger: 'job-queue' } })
      assert.equal((await store.getEvaluation('v1'))?.jobId, id)
      const again = store.transitionJob({
        jobId: id,
        to: 'Failed',
        evaluation: { id: 'v1', trigger: 'job-cancel' },
      })
      await assertRejects(again, 'EVALUATION_ALREADY_EXISTS')
      assert.equal((await store.getJob(id))?.state, 'Running')
      assert.equal((await store.listHistory({ jobId: id })).items.length, 2)
    },
  },
  {
    name: 'an operator’s hold is kept, shown, written down and let go',
    run: async ({ store }) => {
      const { id } = await endedJob(store)
      const held = await store.holdJob({ jobId: id, reason: 'audit' })
      assert.deepEqual([held.hold, held.revision, held.state], ['audit', 3, 'Completed'])
      assert.equal((await store.getJob(id))?.hold, 'audit')
      await assertRejects(store.deleteJob({ jobId: id }), 'JOB_HELD')
      const free = await store.holdJob({ jobId: id, reason: null })
      assert.deepEqual([free.hold, free.revision], [null, 4])
      assert.equal((await store.listHistory({ jobId: id })).items.length, 4)
      await assertRejects(store.holdJob({ jobId: 'none', reason: null }), 'JOB_NOT_FOUND')
      await assertRejects(store.holdJob({ jobId: id, reason: '' }), 'INVALID_ARGUMENT')
      await store.deleteJob({ jobId: id })
    },
  },
]
