import assert from 'node:assert/strict'
import type { JobSpec } from '@saltcod/bacalhau-records'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import {
  greet,
  nextCommands,
  onlyExecution,
  report,
  type Store,
  start,
  stateOf,
  submit,
} from './played-node.ts'

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

test('what a node offered to an earlier release is approved', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store)
  await greet(requester, 'n-1')
  const { id: executionId } = await onlyExecution(store, await submit(store))
  await store.updateExecution({ executionId, patch: { desiredState: 'Pending' } })
  const [asked] = await nextCommands(requester, 'n-1')
  await report(requester, 'n-1', { executionId, revision: 1, state: 'Created' })
  const [approval] = await nextCommands(requester, 'n-1', asked?.sequence)
  assert.deepEqual(approval?.command, { kind: 'bid-accepted', executionId })
})

test('a node that tells of the beginning and of what came before it at once is recorded once', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store)
  await greet(requester, 'n-1')
  const jobId = await submit(store)
  const { id: executionId } = await onlyExecution(store, jobId)
  const resources = { tasks: { main: { cpu: 1 } } }
  const [takenOn, begun] = [
    { executionId, revision: 1, state: 'BidAccepted', patch: { resources } },
    { executionId, revision: 2, state: 'Running' },
  ] as const
  const ended = { executionId, revision: 3, state: 'Completed' } as const
  assert.deepEqual(await report(requester, 'n-1', takenOn, begun, ended), ['applied', 'applied', 'applied'])
  assert.deepEqual((await store.getExecution(executionId))?.resources, resources)
  const states = (await store.listHistory({ jobId, level: 'execution' })).items.map(
    ({ newState }) => newState,
  )
  assert.deepEqual(states, ['New', 'Running', 'Completed'])
  assert.deepEqual(await report(requester, 'n-1', takenOn, begun, ended), ['stale', 'stale', 'stale'])
})

test('a node that comes while a job is decided about without it gets the job', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const applyPlan = store.applyPlan.bind(store)
  const [hasCome, isDecided] = [gate(), gate()]
  Object.assign(store, {
    async applyPlan(plan: Parameters<Store['applyPlan']>[0]) {
      isDecided.open()
      await hasCome.opened
      return applyPlan(plan)
    },
  })
  const requester = start(store)
  const jobId = await submit(store)
  await isDecided.opened
  await greet(requester, 'n-1')
  hasCome.open()
  // Sooner than the job is looked at again by itself.
  const found = await eventually(
    'it is asked',
    async () => (await store.listExecutions({ jobId })).items[0],
    10_000,
  )
  assert.equal(found.nodeId, 'n-1')
})

test('what is reported while a job is decided about is looked at too', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const applyPlan = store.applyPlan.bind(store)
  const isReported = gate()
  let plans = 0
  Object.assign(store, {
    async applyPlan(plan: Parameters<Store['applyPlan']>[0]) {
      plans += 1
      if (plans === 2) await isReported.opened
      return applyPlan(plan)
    },
  })
  const requester = start(store)
  await greet(requester, 'n-1')
  const jobId = await submit(store)
  const { id: executionId } = await onlyExecution(store, jobId)
  await store.createEvaluation({ jobId, trigger: 'job-queue', coalesce: true })
  await eventually('it is decided about', async () => plans === 2)
  await report(requester, 'n-1', { executionId, revision: 2, state: 'Completed' })
  isReported.open()
  await eventually('it has completed', async () => (await stateOf(store, jobId)) === 'Completed')
})
