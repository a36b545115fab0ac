import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { JobSpec } from '@saltcod/bacalhau-records'
import { type Json, StoreError } from '@saltcod/store-core'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import type { Command } from '../../src/link/link.ts'
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
import { makeSpec } from './scheduler/world.ts'

test('a job travels over the link: asked for, taken on, run, ended', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store)
  await greet(requester, 'n-1')
  const jobId = await submit(store)
  const [asked] = await nextCommands(requester, 'n-1')
  assert.ok(asked !== undefined && asked.command.kind === 'ask-for-bid')
  assert.deepEqual([asked.command.approved, asked.command.job.id, asked.command.partition], [true, jobId, 0])
  const { executionId } = asked.command
  await requester.link.acknowledge({ nodeId: 'n-1', upToSequence: asked.sequence })
  assert.equal(await stateOf(store, jobId), 'Pending')
  assert.deepEqual(await report(requester, 'n-1', { executionId, revision: 1, state: 'BidAccepted' }), [
    'applied',
  ])
  assert.equal(await stateOf(store, jobId), 'Running')
  const runOutput: Json = { stdout: 'hi\n', exitCode: 0 }
  assert.deepEqual(
    await report(
      requester,
      'n-1',
      { executionId, revision: 2, state: 'Running' },
      { executionId, revision: 3, state: 'Completed', patch: { runOutput } },
      { executionId, revision: 2, state: 'Running' },
    ),
    ['applied', 'applied', 'stale'],
  )
  await eventually('it happens in time', async () => (await stateOf(store, jobId)) === 'Completed')
  assert.deepEqual((await store.getExecution(executionId))?.runOutput, runOutput)
  assert.deepEqual(
    await report(requester, 'n-1', { executionId: 'e-unknown', revision: 1, state: 'Running' }),
    ['unknown'],
  )
})

test('a handshake is answered with continue, stop or forget', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store)
  await greet(requester, 'n-1')
  const [wanted, unwanted] = [await submit(store), await submit(store)]
  const [goesOn, stops] = [await onlyExecution(store, wanted), await onlyExecution(store, unwanted)]
  await store.transitionJob({ jobId: unwanted, to: 'Stopped', evaluation: { trigger: 'job-cancel' } })
  await eventually(
    'it happens in time',
    async () => (await store.getExecution(stops.id))?.state === 'Cancelled',
  )
  const reply = await greet(requester, 'n-1', [
    { executionId: goesOn.id, state: 'Running', revision: 3 },
    { executionId: stops.id, state: 'Running', revision: 3 },
    { executionId: 'e-never-heard-of', state: 'Running', revision: 3 },
  ])
  assert.ok('answers' in reply)
  assert.deepEqual(reply.answers, {
    [goesOn.id]: 'continue',
    [stops.id]: 'stop',
    'e-never-heard-of': 'forget',
  })
  const elsewhere = await greet(requester, 'n-2', [{ executionId: goesOn.id, state: 'Running', revision: 3 }])
  assert.ok('answers' in elsewhere)
  assert.deepEqual(elsewhere.answers, { [goesOn.id]: 'forget' })
})

test('a damaged record of one execution holds up nothing of the others of its node', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store)
  await greet(requester, 'n-1')
  const damaged = await onlyExecution(store, await submit(store))
  const { getExecution, recordExecution } = store
  const found = (id: string): string => {
    if (id === damaged.id) throw new StoreError('RECORD_CORRUPT', 'it is damaged')
    return id
  }
  Object.assign(store, {
    getExecution: async (id: string) => getExecution.call(store, found(id)),
    recordExecution: async (request: Parameters<typeof recordExecution>[0]) => {
      found(request.executionId)
      return recordExecution.call(store, request)
    },
  })
  const sound = await onlyExecution(store, await submit(store))
  const named = [damaged, sound].map(
    ({ id }) => ({ executionId: id, state: 'Running', revision: 3 }) as const,
  )
  const reply = await greet(requester, 'n-1', named)
  assert.deepEqual('answers' in reply && reply.answers, { [sound.id]: 'continue' })
  const answers = await report(
    requester,
    'n-1',
    { executionId: damaged.id, revision: 4, state: 'Completed' },
    { executionId: sound.id, revision: 4, state: 'Completed' },
  )
  assert.deepEqual(answers, ['stale', 'applied'])
})

test('what a node does not name is given up after its reports are quiet, and done again', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store, { missingAfterMs: 50 })
  await greet(requester, 'n-1')
  const [lostJob, endedJob] = [await submit(store, 'ops'), await submit(store, 'ops')]
  const [lost, ended] = [await onlyExecution(store, lostJob), await onlyExecution(store, endedJob)]
  const deliveries = await nextCommands(requester, 'n-1')
  await requester.link.acknowledge({ nodeId: 'n-1', upToSequence: deliveries.at(-1)?.sequence ?? 0 })
  await greet(requester, 'n-1')
  // It ended before the restart and is only told of now.
  await report(requester, 'n-1', { executionId: ended.id, revision: 5, state: 'Completed' })
  const failed = await eventually('it happens in time', async () => {
    const execution = await store.getExecution(lost.id)
    return execution?.state === 'Failed' ? execution : null
  })
  assert.equal(failed.endReason, 'record-lost')
  await eventually(
    'it happens in time',
    async () => (await store.listExecutions({ jobId: lostJob })).items.length === 2,
  )
  assert.equal((await store.getExecution(ended.id))?.state, 'Completed')
})

test('an order that a node had begun on is not given again to one that has lost what it did', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store, { missingAfterMs: 1 })
  await greet(requester, 'n-1')
  const jobId = await submit(store)
  const { id: executionId } = await onlyExecution(store, jobId)
  await nextCommands(requester, 'n-1')
  await report(requester, 'n-1', { executionId, revision: 2, state: 'Running' })
  // It never came to acknowledge the order, and names nothing any more.
  await greet(requester, 'n-1')
  const next = await eventually('it is done again', async () =>
    (await store.listExecutions({ jobId })).items.find(({ id }) => id !== executionId),
  )
  assert.equal((await store.getExecution(executionId))?.endReason, 'record-lost')
  await greet(requester, 'n-1')
  const orders = await nextCommands(requester, 'n-1')
  assert.deepEqual(
    orders.map(({ command }) => [command.kind, 'executionId' in command && command.executionId]),
    [
      ['cancel', executionId],
      // Should the node have it all the same, it must not run beside the next one.
      ['cancel', executionId],
      ['ask-for-bid', next.id],
    ],
  )
})

test('what a node was never told of is not missing', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store, { missingAfterMs: 1 })
  await greet(requester, 'n-1')
  const execution = await onlyExecution(store, await submit(store, 'ops'))
  await greet(requester, 'n-1')
  await delay(50)
  assert.equal((await store.getExecution(execution.id))?.state, 'New')
  const [command] = await nextCommands(requester, 'n-1')
  assert.ok(command !== undefined && 'executionId' in command.command)
  assert.equal(command.command.executionId, execution.id)
})

test('a requester that starts again takes up every job that nobody is about to look at', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const first = start(store)
  await greet(first, 'n-1')
  const jobId = await submit(store)
  const asleep = await store.submitJob({ type: 'batch', count: 1, spec: makeSpec(), evaluation: null })
  const execution = await onlyExecution(store, jobId)
  await eventually(
    'it happens in time',
    async () => (await store.listEvaluations({ jobId, status: 'pending' })).items.length === 0,
  )
  await first.stop()
  assert.equal((await store.listExecutions({ jobId: asleep.job.id })).items.length, 0)

  const second = start(store)
  await greet(second, 'n-1', [{ executionId: execution.id, state: 'Created', revision: 1 }])
  await onlyExecution(store, asleep.job.id)
  const triggers = (await store.listEvaluations({ jobId: asleep.job.id })).items.map(({ trigger }) => trigger)
  assert.ok(triggers.includes('node-restart'), triggers.join(', '))
})

test('a job that waits for a node goes on when one comes', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store)
  const jobId = await submit(store)
  await eventually('it happens in time', async () => (await stateOf(store, jobId)) === 'Queued')
  await greet(requester, 'n-1')
  assert.equal((await onlyExecution(store, jobId)).nodeId, 'n-1')
})

test('what ran on a node that is silent for too long is done elsewhere', async () => {
  let nowMs = Date.now()
  const clock = (): number => nowMs
  const store = await openMemoryJobStore<JobSpec>({ clock })
  const requester = start(store, {}, clock)
  await greet(requester, 'n-1')
  const jobId = await submit(store)
  const first = await onlyExecution(store, jobId)
  passTime(requester, DEFAULT_REQUESTER_SETTINGS.lostAfterMs, (ms) => {
    nowMs += ms
  })
  await greet(requester, 'n-2')
  const second = await eventually('it happens in time', async () => {
    const { items } = await store.listExecutions({ jobId })
    return items.find(({ nodeId }) => nodeId === 'n-2')
  })
  assert.equal(second.previousExecutionId, first.id)
  assert.equal((await store.getExecution(first.id))?.state, 'Failed')
})

test('a clock that is set ends no job early and none late', async () => {
  let nowMs = Date.now()
  let passedMs = 0
  const pass = (ms: number): void => {
    nowMs += ms
    passedMs += ms
  }
  const clock = (): number => nowMs
  const steadyClock = (): number => passedMs
  const store = await openMemoryJobStore<JobSpec>({ clock, steadyClock })
  start(store, {}, clock, steadyClock)
  const spec = makeSpec('noop', 7_200)
  const { job: waiting } = await store.submitJob({ type: 'batch', count: 1, spec })
  const { job: limited } = await store.submitJob({
    type: 'batch',
    count: 1,
    spec,
    deadlineAtMs: nowMs + 3_600_000,
  })
  const ids = [waiting.id, limited.id]
  await eventually('it happens in time', async () =>
    (await Promise.all(ids.map((id) => stateOf(store, id)))).every((state) => state === 'Queued'),
  )
  /** Has every job looked at with the clock as it is; the worker sleeps by the time that really passes. */
  const look = async (): Promise<void> => {
    for (const jobId of ids) {
      const { id } = await store.createEvaluation({ jobId, trigger: 'node-join' })
      await eventually(
        'it happens in time',
        async () => (await store.getEvaluation(id))?.status === 'complete',
      )
    }
  }
  for (const byMs of [86_400_000, -2 * 86_400_000]) {
    nowMs += byMs
    pass(1_000)
    await look()
    for (const id of ids) assert.equal(await stateOf(store, id), 'Queued')
  }
  pass(3_599_000)
  await look()
  assert.equal(await stateOf(store, limited.id), 'Failed')
  assert.match((await store.getJob(limited.id))?.stateMessage ?? '', /total timeout/)
  assert.equal(await stateOf(store, waiting.id), 'Queued')
  pass(3_601_000)
  await look()
  assert.equal(await stateOf(store, waiting.id), 'Failed')
  assert.match((await store.getJob(waiting.id))?.stateMessage ?? '', /not enough nodes/)
})

test('what is on a node that does not come back after a restart of the requester is given up', async () => {
  let nowMs = Date.now()
  const clock = (): number => nowMs
  const store = await openMemoryJobStore<JobSpec>({ clock })
  const first = start(store, {}, clock)
  await greet(first, 'n-1')
  const jobId = await submit(store)
  const execution = await onlyExecution(store, jobId)
  await first.stop()
  const second = start(store, {}, clock)
  for (let passedMs = 0; passedMs <= DEFAULT_REQUESTER_SETTINGS.lostAfterMs; passedMs += 5000) {
    nowMs += 5000
    second.context.nodes.list()
  }
  await eventually(
    'it happens in time',
    async () => (await store.getExecution(execution.id))?.state === 'Failed',
  )
  await eventually('it happens in time', async () => (await stateOf(store, jobId)) === 'Queued')
})

test('a node that refuses ends its bid, wherever the bid stands', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store)
  await greet(requester, 'n-1')
  const refusal = { state: 'Failed', message: 'no room', event: { details: { rejected: 'true' } } } as const
  const jobId = await submit(store)
  const execution = await onlyExecution(store, jobId)
  await report(requester, 'n-1', { executionId: execution.id, revision: 1, ...refusal })
  assert.equal((await store.getExecution(execution.id))?.state, 'AskForBidRejected')
  await eventually('it happens in time', async () => (await stateOf(store, jobId)) === 'Failed')
  assert.match((await store.getJob(jobId))?.stateMessage ?? '', /n-1: no room/)
})

test('commands are rows that only an acknowledgement removes', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store)
  await greet(requester, 'n-1')
  await submit(store)
  const first = await nextCommands(requester, 'n-1')
  const again = await nextCommands(requester, 'n-1')
  assert.deepEqual(again, first)
  const last: Command | undefined = first.at(-1)?.command
  assert.equal(last?.kind, 'ask-for-bid')
  await requester.link.acknowledge({ nodeId: 'n-1', upToSequence: first.at(-1)?.sequence ?? 0 })
  assert.deepEqual(await store.readOutbox({ destination: 'n-1' }), [])
})

/** How many signals Node.js remembers as made of this one: the number only grows while it lives. */
function signalsMadeOf(signal: AbortSignal): number {
  const kept = Object.getOwnPropertySymbols(signal).find(
    ({ description }) => description === 'kDependantSignals',
  )
  const found = kept && (Reflect.get(signal, kept) as ReadonlySet<unknown> | undefined)
  return found?.size ?? 0
}

test('a node that asks for commands again and again leaves nothing behind in what lives as long as it', async () => {
  const requester = start(await openMemoryJobStore())
  await greet(requester, 'n-1')
  const { signal } = new AbortController()
  for (let count = 0; count < 20; count++) {
    await requester.link.poll({ nodeId: 'n-1', afterSequence: 0, limit: 1, waitMs: 1 }, signal)
  }
  assert.equal(signalsMadeOf(requester.context.stopping) + signalsMadeOf(signal), 0)
})
