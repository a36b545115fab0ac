import assert from 'node:assert/strict'

import type { NewExecution, Plan } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { idsOf } from '../store/pages.ts'
import { claim, claimed } from './evaluation.ts'
import { type JobCase, newJob, submit } from './job-case.ts'

/** Cases about plans: everything that they say happens, or nothing. */
export const planCases: readonly JobCase[] = [
  {
    name: 'a plan writes executions, updates, the job, events and follow-ups, and completes its evaluation',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      const { job, evaluationId } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const old = await store.createExecution({ jobId: job.id, nodeId: 'gone' })
      const { lease } = await claimed(store)
      clock.step(5)
      const plan: Plan = {
        lease,
        comment: 'placed',
        newExecutions: [
          { jobId: job.id, nodeId: 'a', state: 'AskForBid', desiredState: 'Running' },
          { jobId: job.id, nodeId: 'b', id: 'run-b' },
        ],
        updates: [{ executionId: old.id, to: 'Failed', patch: { desiredState: 'Stopped' } }],
        job: { to: 'Running', expectedStates: ['Pending'], message: 'on its way' },
        events: [{ topic: 'Scheduling', message: 'two nodes' }],
        followUps: [{ id: 'next', trigger: 'job-timeout', dueAtMs: clock.read() + 100 }],
        outbox: [{ destination: 'a', body: 'bid' }],
      }
      const applied = await store.applyPlan(plan)
      assert.deepEqual(applied, { executionIds: [applied.executionIds[0], 'run-b'], evaluationIds: ['next'] })
      const { items } = await store.listExecutions({ jobId: job.id })
      assert.deepEqual(items.map(({ nodeId, state, evaluationId: cause }) => [nodeId, state, cause]).sort(), [
        ['a', 'AskForBid', evaluationId],
        ['b', 'New', evaluationId],
        ['gone', 'Failed', null],
      ])
      const after = await store.getJob(job.id)
      assert.deepEqual([after?.state, after?.stateMessage, after?.revision], ['Running', 'on its way', 2])
      const done = await store.getEvaluation(evaluationId ?? '')
      assert.deepEqual([done?.status, done?.comment, done?.lease], ['complete', 'placed', null])
      assert.equal((await store.getEvaluation('next'))?.dueAtMs, clock.read() + 100)
      assert.deepEqual(
        (await store.readOutbox({ destination: 'a' })).map(({ body }) => body),
        ['bid'],
      )
      assert.equal((await store.changes({ limit: 1_000 })).changeSets.at(-1)?.changes.length, 6)
      const messages = (await store.listHistory({ jobId: job.id })).items.map(({ event }) => event.message)
      assert.ok(messages.includes('two nodes'))
    },
  },
  {
    name: 'a plan in which any part is refused writes nothing at all, and its lease still holds',
    needs: 'single opening',
    run: async ({ store }) => {
      const { job } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const { job: other } = await submit(store)
      const [mine, foreign] = await Promise.all([
        store.createExecution({ jobId: job.id, nodeId: 'n', id: 'mine' }),
        store.createExecution({ jobId: other.id, nodeId: 'n', id: 'foreign' }),
      ])
      const { lease } = await claimed(store)
      const before = {
        changes: await store.changes(),
        job: await store.getJob(job.id),
        info: await store.info(),
      }
      const good: Omit<Plan, 'lease'> = {
        newExecutions: [{ jobId: job.id, nodeId: 'a' }],
        updates: [{ executionId: mine.id, to: 'AskForBid' }],
        job: { to: 'Running' },
        followUps: [{ trigger: 'job-queue' }],
        outbox: [{ destination: 'a', body: 1 }],
      }
      const newOf = (request: Partial<NewExecution>) => ({
        ...good,
        newExecutions: [
          { jobId: job.id, nodeId: 'a' },
          { jobId: job.id, nodeId: 'a', ...request },
        ],
      })
      await assertRejects(store.applyPlan({ ...newOf({ id: 'mine' }), lease }), 'EXECUTION_ALREADY_EXISTS')
      await assertRejects(store.applyPlan({ ...newOf({ jobId: other.id }), lease }), 'INVALID_ARGUMENT')
      await assertRejects(store.applyPlan({ ...newOf({ nodeId: '' }), lease }), 'INVALID_ARGUMENT')
      await assertRejects(store.applyPlan({ ...newOf({ jobVersion: 7 }), lease }), 'JOB_VERSION_NOT_FOUND')
      await assertRejects(
        store.applyPlan({ ...good, lease, updates: [{ executionId: 'none' }] }),
        'EXECUTION_NOT_FOUND',
      )
      await assertRejects(
        store.applyPlan({ ...good, lease, updates: [{ executionId: foreign.id, to: 'AskForBid' }] }),
        'INVALID_ARGUMENT',
      )
      await assertRejects(
        store.applyPlan({ ...good, lease, updates: [{ executionId: mine.id, to: 'New' }] }),
        'ILLEGAL_TRANSITION',
      )
      await assertRejects(
        store.applyPlan({ ...good, lease, job: { to: 'Running', expectedRevision: 9 } }),
        'REVISION_CONFLICT',
      )
      await assertRejects(
        store.applyPlan({ ...good, lease, followUps: [{ id: lease.evaluationId, trigger: 'job-queue' }] }),
        'EVALUATION_ALREADY_EXISTS',
      )
      await assertRejects(
        store.applyPlan({ ...good, lease, outbox: [{ destination: '', body: 1 }] }),
        'INVALID_ARGUMENT',
      )
      assert.deepEqual(await store.changes(), before.changes)
      assert.deepEqual(await store.getJob(job.id), before.job)
      assert.deepEqual(await store.info(), before.info)
      assert.deepEqual(idsOf((await store.listExecutions({ jobId: job.id })).items), ['mine'])
      assert.deepEqual(await store.outboxDestinations(), [])
      assert.equal((await store.applyPlan({ ...good, lease })).executionIds.length, 1)
    },
  },
  {
    name: 'a lost lease writes nothing, whatever the plan says',
    needs: 'single opening',
    run: async ({ store, clock }) => {
      const { job } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const { lease } = await claimed(store)
      const plan: Plan = {
        lease,
        newExecutions: [{ jobId: job.id, nodeId: 'a' }],
        job: { to: 'Running' },
        followUps: [{ trigger: 'job-queue' }],
        outbox: [{ destination: 'a', body: 1 }],
      }
      const before = (await store.changes()).changeSets
      for (const forged of [
        { ...lease, attempt: 2 },
        { ...lease, attempt: 0 },
        { ...lease, incarnation: 'another' },
        { ...lease, evaluationId: 'none' },
      ]) {
        await assertRejects(store.applyPlan({ ...plan, lease: forged }), 'LEASE_LOST')
      }
      clock.step(1_000)
      await assertRejects(store.applyPlan(plan), 'LEASE_LOST')
      assert.deepEqual((await store.changes()).changeSets, before)
      assert.deepEqual((await store.listExecutions({ jobId: job.id })).items, [])
      assert.deepEqual(await store.outboxDestinations(), [])
    },
  },
  {
    name: 'a plan with a request id is applied once, also when its answer was lost',
    needs: 'single opening',
    run: async ({ store }) => {
      const { job } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const { lease } = await claimed(store)
      const plan: Plan = { lease, newExecutions: [{ jobId: job.id, nodeId: 'a' }], requestId: 'plan 1' }
      const first = await store.applyPlan(plan)
      assert.deepEqual(await store.applyPlan(plan), first)
      await assertRejects(
        store.applyPlan({ lease, newExecutions: [{ jobId: job.id, nodeId: 'a' }] }),
        'LEASE_LOST',
      )
      assert.equal((await store.listExecutions({ jobId: job.id })).items.length, 1)
    },
  },
  {
    name: 'an empty plan only completes; a follow-up that is due is claimed next',
    needs: 'single opening',
    run: async ({ store }) => {
      const { job } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const first = await claimed(store)
      const { evaluationIds } = await store.applyPlan({
        lease: first.lease,
        followUps: [{ trigger: 'job-queue' }],
      })
      const second = await claimed(store)
      assert.deepEqual([second.evaluation.id], evaluationIds)
      assert.deepEqual(await store.applyPlan({ lease: second.lease }), {
        executionIds: [],
        evaluationIds: [],
      })
      assert.equal(await claim(store), null)
      assert.equal((await store.getJob(job.id))?.revision, 1)
    },
  },
  {
    name: 'a plan creates a hundred executions, and not one more',
    needs: 'single opening',
    run: async ({ store }) => {
      const { job } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const { lease } = await claimed(store)
      const executions = (number: number) =>
        Array.from({ length: number }, (_, partition) => ({
          jobId: job.id,
          nodeId: `n${partition % 7}`,
          partition,
        }))
      await assertRejects(store.applyPlan({ lease, newExecutions: executions(101) }), 'INVALID_ARGUMENT')
      assert.deepEqual((await store.listExecutions({ jobId: job.id })).items, [])
      const { executionIds } = await store.applyPlan({ lease, newExecutions: executions(100) })
      assert.equal(new Set(executionIds).size, 100)
    },
  },
  {
    name: 'a plan puts nothing in the place of an execution that was taken back since it was made',
    needs: 'single opening',
    run: async ({ store }) => {
      const { job } = await submit(store, { evaluation: { trigger: 'job-register' } })
      const nodeId = 'node-1'
      const { id } = await store.createExecution({ jobId: job.id, nodeId, partition: 0 })
      const running = { executionId: id, nodeId, to: 'Running', computeRevision: 1 } as const
      await store.recordExecution(running)
      await store.updateExecution({ executionId: id, to: 'Failed', endReason: 'node-lost' })
      const { lease } = await claimed(store)
      const next = { jobId: job.id, nodeId: 'node-2', partition: 0, previousExecutionId: id }
      const back = { ...running, doneOnce: true, goesOn: true, patch: { desiredState: 'Running' } } as const
      assert.equal(await store.recordExecution(back), 'applied')
      await assertRejects(store.applyPlan({ lease, newExecutions: [next] }), 'STATE_CONFLICT')
      assert.equal((await store.listExecutions({ jobId: job.id })).items.length, 1)
      const stop = { executionId: id, patch: { desiredState: 'Stopped' } } as const
      await store.applyPlan({ lease, updates: [stop], newExecutions: [next] })
      assert.equal((await store.listExecutions({ jobId: job.id })).items.length, 2)
    },
  },
  {
    name: 'a plan for a job that was deleted is lost',
    needs: 'single opening',
    run: async ({ store }) => {
      const job = await newJob(store)
      await store.createEvaluation({ jobId: job.id, trigger: 'job-queue' })
      const { lease } = await claimed(store)
      await store.transitionJob({ jobId: job.id, to: 'Stopped' })
      await store.deleteJob({ jobId: job.id })
      await assertRejects(
        store.applyPlan({ lease, newExecutions: [{ jobId: job.id, nodeId: 'n' }] }),
        'LEASE_LOST',
      )
      await assertRejects(store.completeEvaluation({ lease }), 'LEASE_LOST')
      await assertRejects(store.extendLease({ lease, leaseMs: 10 }), 'LEASE_LOST')
      await assertRejects(
        store.retryEvaluation({ lease, delayMs: 0, maxAttempts: 3, comment: '' }),
        'LEASE_LOST',
      )
      assert.equal(await claim(store), null)
      assert.deepEqual(await store.counts(), [])
    },
  },
]
