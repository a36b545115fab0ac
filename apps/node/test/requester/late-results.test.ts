import assert from 'node:assert/strict'
import type { JobSpec } from '@saltcod/bacalhau-records'
import type { Execution } from '@saltcod/store-core'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { DEFAULT_REQUESTER_SETTINGS } from '../../src/requester/settings.ts'
import {
  greet,
  nextCommands,
  onlyExecution,
  passTime,
  report,
  start,
  stateOf,
  submit,
} from './played-node.ts'

/** A job that ran on n-1 until that fell silent for too long, and is asked of n-2 since. */
async function world() {
  let nowMs = Date.now()
  const clock = (): number => nowMs
  const store = await openMemoryJobStore<JobSpec>({ clock })
  const requester = start(store, {}, clock)
  await greet(requester, 'n-1')
  const jobId = await submit(store)
  const first = await onlyExecution(store, jobId)
  await report(requester, 'n-1', { executionId: first.id, revision: 2, state: 'Running' })
  passTime(requester, DEFAULT_REQUESTER_SETTINGS.lostAfterMs, (ms) => {
    nowMs += ms
  })
  await greet(requester, 'n-2')
  const second = await eventually('it is asked of another node', async () => {
    const { items } = await store.listExecutions({ jobId })
    return items.find(({ nodeId }) => nodeId === 'n-2')
  })
  await report(requester, 'n-2', { executionId: second.id, revision: 2, state: 'Running' })
  await greet(requester, 'n-1', [{ executionId: first.id, state: 'Completed', revision: 3 }])
  const completes = ({ id, nodeId }: Execution) =>
    report(requester, nodeId, {
      executionId: id,
      revision: 3,
      state: 'Completed',
      patch: { runOutput: { exitCode: 0 } },
    })
  const ends = async (): Promise<unknown[]> => {
    const found = await Promise.all([first, second].map(({ id }) => store.getExecution(id)))
    return found.map((execution) => [execution?.state, execution?.endReason])
  }
  return { store, requester, jobId, first, second, completes, ends }
}

test('the late result of a silent node is taken where the work was not done again', async () => {
  const { store, jobId, first, completes, ends } = await world()
  assert.equal((await store.getExecution(first.id))?.endReason, 'node-lost')
  assert.deepEqual(await completes(first), ['applied'])
  await eventually('the job ends', async () => (await stateOf(store, jobId)) === 'Completed')
  await eventually('the other one is stopped', async () => {
    const [, other] = await ends()
    return JSON.stringify(other) === JSON.stringify(['Cancelled', 'surplus'])
  })
  assert.deepEqual((await ends())[0], ['Completed', null])
  assert.deepEqual((await store.getExecution(first.id))?.runOutput, { exitCode: 0 })
  const { items } = await store.listHistory({ jobId })
  assert.ok(items.some(({ event }) => /came back with the result, which is taken/.test(event.message)))
  assert.deepEqual(await completes(first), ['stale'])
  assert.deepEqual((await store.check()).findings, [])
})

test('it is dropped where the work was done again', async () => {
  const { store, jobId, first, second, completes, ends } = await world()
  assert.deepEqual(await completes(second), ['applied'])
  assert.deepEqual(await completes(first), ['stale'])
  await eventually('the job ends', async () => (await stateOf(store, jobId)) === 'Completed')
  assert.deepEqual(await ends(), [
    ['Failed', 'node-lost'],
    ['Completed', null],
  ])
  const dropped = async (): Promise<string[]> => {
    const { items } = await store.listHistory({ jobId, limit: 1000 })
    return items.map(({ event }) => event.message).filter((message) => /which is dropped: /.test(message))
  }
  assert.equal((await dropped()).length, 1)
  assert.deepEqual(await completes(first), ['stale'])
  assert.equal((await dropped()).length, 1)
  assert.deepEqual((await store.check()).findings, [])
})

test('a result that comes when its job has ended is told of in the history of that', async () => {
  const { store, jobId, first, second, completes, ends } = await world()
  await completes(second)
  await eventually('the job ends', async () => (await stateOf(store, jobId)) === 'Completed')
  assert.deepEqual(await completes(first), ['stale'])
  assert.deepEqual((await ends())[0], ['Failed', 'node-lost'])
  const { items } = await store.listHistory({ jobId, limit: 1000 })
  assert.match(items.at(-1)?.event.message ?? '', /which is dropped: its job is Completed/)
  assert.deepEqual((await store.check()).findings, [])
})

test('what goes on with its node is taken back where nobody else was asked for it', async () => {
  let nowMs = Date.now()
  const clock = (): number => nowMs
  const store = await openMemoryJobStore<JobSpec>({ clock })
  const requester = start(store, {}, clock)
  await greet(requester, 'n-1')
  const jobId = await submit(store)
  const { id } = await onlyExecution(store, jobId)
  await report(requester, 'n-1', { executionId: id, revision: 2, state: 'Running' })
  passTime(requester, DEFAULT_REQUESTER_SETTINGS.lostAfterMs, (ms) => {
    nowMs += ms
  })
  await eventually('it is given up', async () => (await stateOf(store, jobId)) === 'Queued')
  // One that was silent for too long is no part of what it had agreed on.
  await assert.rejects(report(requester, 'n-1', { executionId: id, revision: 3 }), { code: 'LINK_UNKNOWN' })
  const reply = await greet(requester, 'n-1', [{ executionId: id, state: 'Running', revision: 2 }])
  assert.deepEqual('answers' in reply && reply.answers, { [id]: 'continue' })
  assert.deepEqual(
    (await nextCommands(requester, 'n-1')).map(({ command }) => command.kind),
    ['bid-accepted', 'bid-accepted'],
  )
  await eventually('the job runs', async () => (await stateOf(store, jobId)) === 'Running')
  const back = await store.getExecution(id)
  assert.deepEqual([back?.state, back?.endReason, back?.finishedAtMs], ['Running', null, null])
  assert.deepEqual((await store.check()).findings, [])
  const completes = { executionId: id, revision: 3, state: 'Completed' } as const
  assert.deepEqual(await report(requester, 'n-1', completes), ['applied'])
  await eventually('the job ends', async () => (await stateOf(store, jobId)) === 'Completed')
  assert.equal((await store.listExecutions({ jobId })).items.length, 1)
  assert.deepEqual((await store.check()).findings, [])
})

test('several that go on with their node are not given up while it is asked about the others', async () => {
  let nowMs = Date.now()
  const clock = (): number => nowMs
  const store = await openMemoryJobStore<JobSpec>({ clock })
  const requester = start(store, {}, clock)
  await greet(requester, 'n-1')
  const running: Execution[] = []
  for (const jobId of [await submit(store), await submit(store), await submit(store)]) {
    const execution = await onlyExecution(store, jobId)
    await report(requester, 'n-1', { executionId: execution.id, revision: 2, state: 'Running' })
    running.push(execution)
  }
  const statesOf = async (): Promise<readonly unknown[]> =>
    await Promise.all(running.map(({ jobId }) => stateOf(store, jobId)))
  passTime(requester, DEFAULT_REQUESTER_SETTINGS.lostAfterMs, (ms) => {
    nowMs += ms
  })
  await eventually('they are given up', async () => (await statesOf()).every((state) => state === 'Queued'))
  await greet(
    requester,
    'n-1',
    running.map(({ id }) => ({ executionId: id, state: 'Running' as const, revision: 2 })),
  )
  // Whatever was to be decided about them is decided when these are done.
  for (const { id } of running)
    assert.deepEqual(await report(requester, 'n-1', { executionId: id, revision: 3, state: 'Completed' }), [
      'applied',
    ])
  await eventually('the jobs end', async () => (await statesOf()).every((state) => state === 'Completed'))
  for (const { jobId } of running) assert.equal((await store.listExecutions({ jobId })).items.length, 1)
})

test('what goes on with its node is stopped where another one was asked for it', async () => {
  const { requester, first } = await world()
  const reply = await greet(requester, 'n-1', [{ executionId: first.id, state: 'Running', revision: 2 }])
  assert.deepEqual('answers' in reply && [reply.answers, reply.whyStopped?.[first.id]?.endReason], [
    { [first.id]: 'stop' },
    'node-lost',
  ])
})

test('what runs out of time while its node is silent is not held against the job', async () => {
  let nowMs = Date.now()
  const clock = (): number => nowMs
  const store = await openMemoryJobStore<JobSpec>({ clock })
  const requester = start(store, { lostAfterMs: 600_000 }, clock)
  await greet(requester, 'n-1')
  const jobId = await submit(store)
  const { id } = await onlyExecution(store, jobId)
  await report(requester, 'n-1', { executionId: id, revision: 2, state: 'Running' })
  await store.updateExecution({ executionId: id, patch: { deadlineAtMs: nowMs + 100_000 } })
  passTime(requester, 120_000, (ms) => {
    nowMs += ms
  })
  await eventually('it is given more time', async () => {
    const execution = await store.getExecution(id)
    return (execution?.deadlineAtMs ?? 0) > nowMs
  })
  assert.deepEqual(await report(requester, 'n-1', { executionId: id, revision: 3, state: 'Completed' }), [
    'applied',
  ])
  await eventually('the job ends', async () => (await stateOf(store, jobId)) === 'Completed')
})

test('what both nodes complete counts once', async () => {
  const { store, jobId, first, second, completes, ends } = await world()
  const answers = await Promise.all([completes(first), completes(second)])
  assert.deepEqual(answers.flat(), ['applied', 'applied'])
  await eventually('the job ends', async () => (await stateOf(store, jobId)) === 'Completed')
  assert.deepEqual(await ends(), [
    ['Completed', null],
    ['Cancelled', 'surplus'],
  ])
  assert.deepEqual((await store.check()).findings, [])
})
