import assert from 'node:assert/strict'

import { JOB_TYPES, type Json } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { endedJob, type JobCase, newJob, SPEC, submit } from './job-case.ts'

/** Cases about new jobs. */
export const submitCases: readonly JobCase[] = [
  {
    name: 'a job is created whole, pending, with its first evaluation and its first line of history',
    run: async ({ store, clock }) => {
      const { job, evaluationId, created } = await store.submitJob({
        namespace: 'team',
        name: 'count words',
        type: 'ops',
        priority: 7,
        count: 3,
        labels: { env: 'prod', empty: '' },
        spec: SPEC,
        deadlineAtMs: clock.read() + 5,
        event: { message: 'from the API', topic: 'Submission', details: { by: 'someone' } },
      })
      assert.equal(created, true)
      const { id, ...rest } = job
      assert.match(id, /^j-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.deepEqual(rest, {
        namespace: 'team',
        name: 'count words',
        type: 'ops',
        priority: 7,
        count: 3,
        labels: { env: 'prod', empty: '' },
        spec: SPEC,
        version: 1,
        revision: 1,
        state: 'Pending',
        stateMessage: '',
        stateSinceMs: clock.read(),
        createdAtMs: clock.read(),
        modifiedAtMs: clock.read(),
        finishedAtMs: null,
        deadlineAtMs: clock.read() + 5,
        submitKey: null,
        hold: null,
      })
      assert.deepEqual(await store.getJob(id), job)
      const evaluation = await store.getEvaluation(evaluationId ?? '')
      assert.deepEqual(
        [
          evaluation?.jobId,
          evaluation?.trigger,
          evaluation?.priority,
          evaluation?.status,
          evaluation?.jobType,
        ],
        [id, 'job-register', 7, 'pending', 'ops'],
      )
      const { items } = await store.listHistory({ jobId: id })
      assert.deepEqual(
        items.map(({ level, previousState, newState, revision, event, atMs }) => [
          level,
          previousState,
          newState,
          revision,
          event,
          atMs,
        ]),
        [
          [
            'job',
            null,
            'Pending',
            1,
            { message: 'from the API', topic: 'Submission', details: { by: 'someone' } },
            clock.read(),
          ],
        ],
      )
    },
  },
  {
    name: 'what is left out has its default',
    run: async ({ store }) => {
      const job = await newJob(store)
      assert.deepEqual(
        [job.namespace, job.name, job.priority, job.count, job.labels],
        ['default', job.id, 0, 1, {}],
      )
    },
  },
  {
    name: 'every type of job is taken, and no other',
    run: async ({ store }) => {
      for (const type of JOB_TYPES) assert.equal((await newJob(store, { type })).type, type)
      for (const type of ['', 'Batch', 'cron', '__proto__']) {
        await assertRejects(submit(store, { type: type as 'batch' }), 'INVALID_ARGUMENT')
      }
    },
  },
  {
    name: 'an id that is taken is JOB_ALREADY_EXISTS, a name that is taken JOB_NAME_TAKEN; nothing is written',
    run: async ({ store }) => {
      const job = await newJob(store, { id: 'mine', name: 'one' })
      const before = (await store.changes()).changeSets
      await assertRejects(submit(store, { id: 'mine', name: 'two' }), 'JOB_ALREADY_EXISTS')
      await assertRejects(submit(store, { name: 'one' }), 'JOB_NAME_TAKEN')
      assert.deepEqual((await store.changes()).changeSets, before)
      assert.deepEqual(await store.getJob('mine'), job)
      assert.equal(await store.getJobByName('default', 'two'), null)
    },
  },
  {
    name: 'a name belongs to its namespace, and an ended job keeps its name',
    run: async ({ store }) => {
      const job = await endedJob(store, { name: 'one' })
      const other = await newJob(store, { name: 'one', namespace: 'other' })
      assert.equal((await store.getJobByName('default', 'one'))?.id, job.id)
      assert.equal((await store.getJobByName('other', 'one'))?.id, other.id)
      await assertRejects(submit(store, { name: 'one' }), 'JOB_NAME_TAKEN')
    },
  },
  {
    name: 'of concurrent submits with one name only the first succeeds',
    run: async ({ store }) => {
      const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => submit(store, { name: 'same' })))
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected', 'rejected'],
      )
    },
  },
  {
    name: 'a refusal of the first evaluation refuses the job',
    run: async ({ store }) => {
      const first = await submit(store, { evaluation: { id: 'v1', trigger: 'job-register' } })
      assert.equal(first.evaluationId, 'v1')
      const again = submit(store, { name: 'second', evaluation: { id: 'v1', trigger: 'job-register' } })
      await assertRejects(again, 'EVALUATION_ALREADY_EXISTS')
      assert.equal(await store.getJobByName('default', 'second'), null)
    },
  },
  {
    name: 'specifications come back as they were given',
    run: async ({ store }) => {
      const specs: Json[] = [
        null,
        0,
        -0.5,
        1e300,
        '',
        false,
        [],
        {},
        [[[]]],
        'ü€😀\0"\\\u2028',
        { a: { b: ['x', null] } },
      ]
      for (const spec of specs) {
        const { id } = await newJob(store, { spec })
        assert.deepEqual((await store.getJob(id))?.spec, spec)
      }
    },
  },
  {
    name: 'a job without a specification is a mistake of the caller',
    run: async ({ store }) => {
      await assertRejects(submit(store, { spec: undefined as unknown as Json }), 'TypeError')
      assert.deepEqual(await store.counts(), [])
    },
  },
]

/** Cases about submit keys. */
export const submitKeyCases: readonly JobCase[] = [
  {
    name: 'a second submit with the key gives the first job and makes nothing',
    run: async ({ store }) => {
      const request = { type: 'batch', spec: { a: 1, b: [2] }, labels: { x: 'y' }, submitKey: 'k' } as const
      const first = await store.submitJob(request)
      const before = (await store.changes()).changeSets
      const again = await store.submitJob({ ...request, spec: { b: [2], a: 1 } })
      assert.deepEqual([again.created, again.evaluationId], [false, null])
      assert.deepEqual(again.job, first.job)
      assert.equal(again.job.submitKey, 'k')
      assert.deepEqual((await store.changes()).changeSets, before)
    },
  },
  {
    name: 'the same key with another specification, type, count, priority, label or name is SUBMIT_KEY_CONFLICT',
    run: async ({ store }) => {
      const request = { type: 'batch', spec: 1, name: 'one', submitKey: 'k' } as const
      await store.submitJob(request)
      for (const other of [
        { spec: 2 },
        { type: 'ops' as const },
        { count: 2 },
        { priority: 1 },
        { labels: { a: 'b' } },
        { name: 'two' },
      ]) {
        await assertRejects(store.submitJob({ ...request, ...other }), 'SUBMIT_KEY_CONFLICT')
      }
    },
  },
  {
    name: 'a key belongs to its namespace and lives as long as its job',
    run: async ({ store }) => {
      const first = await newJob(store, { submitKey: 'k' })
      const other = await newJob(store, { submitKey: 'k', namespace: 'other', spec: 'another' })
      assert.notEqual(other.id, first.id)
      await store.transitionJob({ jobId: first.id, to: 'Failed' })
      assert.equal((await submit(store, { submitKey: 'k' })).job.id, first.id)
      await store.deleteJob({ jobId: first.id })
      const next = await submit(store, { submitKey: 'k', spec: 'another' })
      assert.equal(next.created, true)
      assert.notEqual(next.job.id, first.id)
    },
  },
  {
    name: 'a revised job is still found by the key and its first specification, and comes as it is now',
    run: async ({ store }) => {
      const { id } = await newJob(store, { submitKey: 'k', spec: 'first' })
      await store.reviseJob({ jobId: id, spec: 'second' })
      const again = await submit(store, { submitKey: 'k', spec: 'first' })
      assert.deepEqual([again.job.id, again.job.version, again.job.spec], [id, 2, 'second'])
      await assertRejects(submit(store, { submitKey: 'k', spec: 'second' }), 'SUBMIT_KEY_CONFLICT')
    },
  },
  {
    name: 'a submit that finds its job sends nothing',
    run: async ({ store }) => {
      const outbox = [{ destination: 'node', body: 1 }]
      await submit(store, { submitKey: 'k', outbox })
      await submit(store, { submitKey: 'k', outbox })
      assert.equal((await store.readOutbox({ destination: 'node' })).length, 1)
    },
  },
  {
    name: 'concurrent submits with one key make one job',
    run: async ({ store }) => {
      const made = await Promise.all([1, 2, 3, 4, 5].map(() => submit(store, { submitKey: 'k' })))
      assert.equal(new Set(made.map(({ job }) => job.id)).size, 1)
      assert.deepEqual(
        made.map(({ created }) => created),
        [true, false, false, false, false],
      )
    },
  },
  {
    name: 'a key without text, too long or with control characters is refused',
    run: async ({ store }) => {
      for (const submitKey of ['', '  ', 'a\0b', '\ud800', 'x'.repeat(257)]) {
        await assertRejects(submit(store, { submitKey }), 'INVALID_ARGUMENT')
      }
    },
  },
]

/** Cases about request ids of the job store's own operations. */
export const requestIdCases: readonly JobCase[] = [
  {
    name: 'a request id of another kind of change is REQUEST_ID_CONFLICT',
    run: async ({ store }) => {
      const { id } = await newJob(store, { requestId: 'r' })
      await assertRejects(
        store.transitionJob({ jobId: id, to: 'Running', requestId: 'r' }),
        'REQUEST_ID_CONFLICT',
      )
      assert.equal((await store.getJob(id))?.state, 'Pending')
    },
  },
  {
    name: 'every change can be asked again: state, revision, execution, hold, deletion, history',
    run: async ({ store }) => {
      const { id } = await newJob(store)
      const twice = async <T>(call: () => Promise<T>): Promise<T> => {
        const result = await call()
        const { sequence } = await store.info()
        assert.deepEqual(await call(), result)
        assert.equal((await store.info()).sequence, sequence)
        return result
      }
      await twice(() =>
        store.transitionJob({ jobId: id, to: 'Running', expectedRevision: 1, requestId: '1' }),
      )
      const made = await twice(() => store.createExecution({ jobId: id, nodeId: 'n', requestId: '2' }))
      await twice(() => store.updateExecution({ executionId: made.id, to: 'BidAccepted', requestId: '3' }))
      const report = { executionId: made.id, nodeId: 'n', computeRevision: 1, to: 'Completed' as const }
      assert.equal(await twice(() => store.recordExecution({ ...report, requestId: '4' })), 'applied')
      await twice(() => store.reviseJob({ jobId: id, spec: 2, requestId: '5' }))
      await twice(() => store.holdJob({ jobId: id, reason: 'audit', requestId: '6' }))
      await twice(() => store.addHistory({ jobId: id, event: { message: 'seen' }, requestId: '7' }))
      await twice(() => store.createEvaluation({ jobId: id, trigger: 'job-queue', id: 'v1', requestId: '8' }))
      await store.holdJob({ jobId: id, reason: null })
      await store.transitionJob({ jobId: id, to: 'Stopped' })
      await twice(() => store.deleteJob({ jobId: id, requestId: '9' }))
      assert.equal(await store.getJob(id), null)
    },
  },
  {
    name: 'a change that was refused may be asked again with the same request id',
    run: async ({ store }) => {
      const { id } = await newJob(store)
      const ask = () =>
        store.transitionJob({ jobId: id, to: 'Queued', expectedStates: ['Running'], requestId: 'r' })
      await assertRejects(ask(), 'STATE_CONFLICT')
      await store.transitionJob({ jobId: id, to: 'Running' })
      assert.equal((await ask()).state, 'Queued')
    },
  },
]
