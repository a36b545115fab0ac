import assert from 'node:assert/strict'

import type { Claim, JobStore, NewEvaluation } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { idsOf } from '../store/pages.ts'
import { endedJob, type JobCase, newJob } from './job-case.ts'

/** Claims the next evaluation for a second. */
export async function claim(store: JobStore, holder: string = 'worker'): Promise<Claim | null> {
  return await store.claimEvaluation({ holder, leaseMs: 1_000 })
}

/** Claims the next evaluation, which must be there. */
export async function claimed(store: JobStore): Promise<Claim> {
  const found = await claim(store)
  assert.ok(found !== null, 'nothing is due')
  return found
}

/** Creates an evaluation of a job of its own and returns its id. */
export async function alone(store: JobStore, request: Partial<NewEvaluation> = {}): Promise<string> {
  const { id: jobId } = await newJob(store)
  return (await store.createEvaluation({ jobId, trigger: 'job-queue', ...request })).id
}

/** Claims and completes until nothing is due; returns the ids in the order of the claims. */
async function drain(store: JobStore): Promise<string[]> {
  const order: string[] = []
  for (let next = await claim(store); next !== null; next = await claim(store)) {
    order.push(next.evaluation.id)
    await store.completeEvaluation({ lease: next.lease })
  }
  return order
}

/** Cases about evaluations as records, and about the order in which they are claimed. */
export const evaluationCases: readonly JobCase[] = [
  {
    name: 'an evaluation is created whole, with the job’s priority, and found by job and status',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store, { namespace: 'team', priority: 4, type: 'ops' })
      const evaluation = await store.createEvaluation({
        jobId,
        trigger: 'node-join',
        comment: 'new node',
        dueAtMs: 9,
      })
      const { id, sequence, ...rest } = evaluation
      assert.match(id, /^v-/)
      assert.ok(sequence > 0)
      assert.deepEqual(rest, {
        jobId,
        namespace: 'team',
        jobType: 'ops',
        priority: 4,
        trigger: 'node-join',
        status: 'pending',
        comment: 'new node',
        dueAtMs: 9,
        attempt: 0,
        lostLeases: 0,
        lease: null,
        createdAtMs: clock.read(),
        modifiedAtMs: clock.read(),
      })
      assert.deepEqual(await store.getEvaluation(id), evaluation)
      assert.deepEqual((await store.listEvaluations({ jobId })).items, [evaluation])
      assert.deepEqual((await store.listEvaluations({ status: 'pending' })).items, [evaluation])
      assert.deepEqual((await store.listEvaluations({ jobId, status: 'complete' })).items, [])
      assert.deepEqual((await store.listEvaluations({})).items, [evaluation])
    },
  },
  {
    name: 'creating is refused without the job, or with an id that is taken',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      await store.createEvaluation({ id: 'v1', jobId, trigger: 'job-queue' })
      await assertRejects(
        store.createEvaluation({ id: 'v1', jobId, trigger: 'job-queue' }),
        'EVALUATION_ALREADY_EXISTS',
      )
      await assertRejects(store.createEvaluation({ jobId: 'none', trigger: 'job-queue' }), 'JOB_NOT_FOUND')
      assert.equal((await store.listEvaluations({ jobId })).items.length, 1)
    },
  },
  {
    name: 'a time or a priority that is none is refused',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      for (const wrong of [
        { dueAtMs: Number.NaN },
        { dueAtMs: 0.5 },
        { dueAtMs: -1 },
        { priority: Number.NaN },
        { priority: 1.5 },
        { priority: 2e9 },
      ]) {
        await assertRejects(
          store.createEvaluation({ jobId, trigger: 'job-queue', ...wrong }),
          'INVALID_ARGUMENT',
        )
      }
      assert.equal(await store.nextEvaluationMs(), null)
    },
  },
  {
    name: 'claims go by priority, then by how long it is due, then by age',
    run: async ({ store, clock }) => {
      const nowMs = clock.read()
      const requests: readonly Partial<NewEvaluation>[] = [
        { id: 'late', dueAtMs: nowMs - 1 },
        { id: 'early', dueAtMs: nowMs - 5 },
        { id: 'urgent', priority: 9, dueAtMs: nowMs },
        { id: 'humble', priority: -1, dueAtMs: nowMs - 100 },
        { id: 'late-too', dueAtMs: nowMs - 1 },
        { id: 'urgent-earlier', priority: 9, dueAtMs: nowMs - 1 },
      ]
      for (const request of requests) await alone(store, request)
      assert.deepEqual(await drain(store), [
        'urgent-earlier',
        'urgent',
        'early',
        'late',
        'late-too',
        'humble',
      ])
    },
  },
  {
    name: 'what is not due is not claimed, and the store says when it will be',
    run: async ({ store, clock }) => {
      assert.equal(await store.nextEvaluationMs(), null)
      const nowMs = clock.read()
      const id = await alone(store, { dueAtMs: nowMs + 50 })
      assert.equal(await store.nextEvaluationMs(), nowMs + 50)
      assert.equal(await claim(store), null)
      clock.step(49)
      assert.equal(await claim(store), null)
      clock.step(1)
      assert.equal((await claimed(store)).evaluation.id, id)
    },
  },
  {
    name: 'a claim can ask for types of job',
    run: async ({ store }) => {
      const ids: string[] = []
      for (const type of ['batch', 'service', 'ops'] as const) {
        const { id: jobId } = await newJob(store, { type })
        ids.push((await store.createEvaluation({ jobId, trigger: 'job-queue' })).id)
      }
      const taken = async (jobTypes: readonly ('batch' | 'ops' | 'service')[]) =>
        (await store.claimEvaluation({ holder: 'w', leaseMs: 1_000, jobTypes }))?.evaluation.id
      assert.equal(await taken(['ops']), ids[2])
      assert.equal(await taken(['ops']), undefined)
      assert.equal(await taken(['ops', 'service']), ids[1])
      assert.equal(await taken([]), undefined)
      assert.equal((await claimed(store)).evaluation.id, ids[0])
    },
  },
  {
    name: 'a claim for a type finds its first, however many of other types stand before it',
    large: true,
    run: async ({ store }) => {
      const { id: batch } = await newJob(store)
      const { id: ops } = await newJob(store, { type: 'ops' })
      await Promise.all(Array.from({ length: 600 }, () => alone(store, { priority: 9 })))
      const wanted = await store.createEvaluation({ jobId: ops, trigger: 'job-queue' })
      const other = await store.createEvaluation({ jobId: batch, trigger: 'job-queue', priority: 10 })
      const request = { holder: 'w', leaseMs: 1_000 }
      const found = await store.claimEvaluation({ ...request, jobTypes: ['ops', 'service', 'ops'] })
      assert.equal(found?.evaluation.id, wanted.id)
      assert.equal((await claimed(store)).evaluation.id, other.id)
    },
  },
  {
    name: 'one of a higher priority that comes due overtakes what its job has to do, and other jobs',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const add = (id: string, request: Partial<NewEvaluation>) =>
        store.createEvaluation({ id, jobId, trigger: 'exec-update', ...request })
      await add('now', {})
      await add('later', { dueAtMs: clock.read() + 100, priority: 9 })
      await alone(store, { id: 'other', priority: 5 })
      assert.equal(await store.nextEvaluationMs(), clock.read())
      clock.step(100)
      assert.deepEqual(await drain(store), ['later', 'other', 'now'])
    },
  },
  {
    name: 'what comes due while its job is being worked on waits for the end of that',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      await store.createEvaluation({ jobId, trigger: 'exec-update' })
      const later = await store.createEvaluation({
        jobId,
        trigger: 'exec-update',
        priority: 9,
        dueAtMs: clock.read() + 10,
      })
      const { lease } = await claimed(store)
      assert.equal(await store.nextEvaluationMs(), later.dueAtMs)
      clock.step(10)
      assert.equal(await claim(store), null)
      assert.equal(await store.nextEvaluationMs(), lease.expiresAtMs)
      await store.completeEvaluation({ lease })
      assert.deepEqual(await drain(store), [later.id])
    },
  },
  {
    name: 'what waits for a deleted job is not due, before its rows are gone and after',
    run: async ({ store, clock }) => {
      const { id: jobId } = await endedJob(store)
      const dueAtMs = clock.read() + 10
      await store.createEvaluation({ jobId, trigger: 'job-queue', dueAtMs })
      await store.createEvaluation({ jobId, trigger: 'job-queue', dueAtMs: dueAtMs + 10 })
      await store.deleteJob({ jobId })
      assert.equal(await store.nextEvaluationMs(), null)
      clock.step(10)
      assert.equal(await claim(store), null)
      while ((await store.reclaim()).more);
      clock.step(10)
      assert.equal(await claim(store), null)
      assert.equal(await store.nextEvaluationMs(), null)
    },
  },
  {
    name: 'a job is worked on by one at a time, in the order of its evaluations',
    needs: 'single opening',
    run: async ({ store }) => {
      const { id: jobId } = await newJob(store)
      const ids = ['v1', 'v2', 'v3']
      for (const id of ids) await store.createEvaluation({ id, jobId, trigger: 'exec-update' })
      const first = await claimed(store)
      assert.equal(first.evaluation.id, 'v1')
      assert.equal(await claim(store), null)
      const other = await alone(store)
      assert.equal((await claimed(store)).evaluation.id, other)
      await store.completeEvaluation({ lease: first.lease })
      assert.deepEqual(await drain(store), ['v2', 'v3'])
    },
  },
  {
    name: 'within a job a higher priority goes first, and what is due before what is not',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const add = (id: string, request: Partial<NewEvaluation>) =>
        store.createEvaluation({ id, jobId, trigger: 'exec-update', ...request })
      await add('later', { dueAtMs: clock.read() + 100, priority: 9 })
      await add('now', {})
      await add('urgent', { priority: 5 })
      assert.deepEqual(await drain(store), ['urgent', 'now'])
      clock.step(100)
      assert.deepEqual(await drain(store), ['later'])
    },
  },
  {
    name: 'concurrent claims never give the same evaluation or job twice',
    needs: 'single opening',
    run: async ({ store }) => {
      for (let n = 0; n < 10; n++) {
        const { id: jobId } = await newJob(store)
        await store.createEvaluation({ jobId, trigger: 'job-queue' })
        await store.createEvaluation({ jobId, trigger: 'job-queue' })
      }
      const claims = await Promise.all(Array.from({ length: 15 }, (_, n) => claim(store, `w${n}`)))
      const jobs = claims.flatMap((each) => (each === null ? [] : [each.evaluation.jobId]))
      assert.equal(jobs.length, 10)
      assert.equal(new Set(jobs).size, 10)
    },
  },
  {
    name: 'coalescing adds none where a due one behind the next will see the change',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const add = (request: Partial<NewEvaluation> = {}) =>
        store.createEvaluation({ jobId, trigger: 'exec-update', coalesce: true, ...request })
      const next = await add({ priority: 2 })
      const first = await add()
      assert.notEqual(first.id, next.id, 'the next one may be in hand, and has seen the job')
      assert.equal((await add()).id, first.id)
      assert.equal((await add({ priority: -1 })).id, first.id)
      const urgent = await add({ priority: 1 })
      assert.notEqual(urgent.id, first.id)
      assert.equal((await add({ dueAtMs: clock.read() + 10 })).id, urgent.id)
      assert.equal((await store.listEvaluations({ jobId })).items.length, 3)
      assert.notEqual((await store.createEvaluation({ jobId, trigger: 'exec-update' })).id, urgent.id)
    },
  },
  {
    name: 'coalescing looks past one that is held, and past one that is due later',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      const { id: jobId } = await newJob(store)
      const add = (request: Partial<NewEvaluation> = {}) =>
        store.createEvaluation({ jobId, trigger: 'exec-update', coalesce: true, ...request })
      const held = await add()
      await claimed(store)
      const second = await add()
      assert.notEqual(second.id, held.id)
      assert.equal((await add()).id, second.id)
      const { id: other } = await newJob(store)
      await store.createEvaluation({ jobId: other, trigger: 'exec-update', dueAtMs: clock.read() + 50 })
      const now = await store.createEvaluation({ jobId: other, trigger: 'exec-update', coalesce: true })
      assert.equal(now.dueAtMs, clock.read())
      assert.equal((await store.listEvaluations({ jobId: other })).items.length, 2)
    },
  },
  {
    name: 'trimming removes what ended long enough ago, and nothing that is pending',
    run: async ({ store, clock }) => {
      const pending = await alone(store, { dueAtMs: clock.read() + 1_000_000 })
      const old = await alone(store)
      await drain(store)
      clock.step(1_000)
      const young = await alone(store)
      await drain(store)
      clock.step(100)
      assert.equal(await store.trimEvaluations({ olderThanMs: 500 }), 1)
      assert.equal(await store.trimEvaluations({ olderThanMs: 500 }), 0)
      assert.equal(await store.getEvaluation(old), null)
      const left = idsOf((await store.listEvaluations({})).items)
      assert.deepEqual(left.sort(), [pending, young].sort())
    },
  },
  {
    name: 'evaluations of an ended job are work for a scheduler, and canceled where a worker would get them',
    run: async ({ store }) => {
      const job = await endedJob(store)
      const first = await store.createEvaluation({ jobId: job.id, trigger: 'job-cancel' })
      const claim = await store.claimEvaluation({ holder: 'scheduler', leaseMs: 1_000, scheduler: true })
      assert.equal(claim?.evaluation.id, first.id)
      await store.completeEvaluation({ lease: claim.lease })
      const { id } = await store.createEvaluation({ jobId: job.id, trigger: 'job-cancel' })
      assert.deepEqual(await drain(store), [])
      const canceled = await store.getEvaluation(id)
      assert.deepEqual([canceled?.status, canceled?.comment], ['canceled', `the job is ${job.state}`])
    },
  },
]
