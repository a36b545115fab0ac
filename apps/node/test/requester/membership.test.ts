import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { JobSpec } from '@saltcod/bacalhau-records'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { reconsiderWork } from '../../src/requester/node-work.ts'
import { greet, onlyExecution, report, start, stateOf, submit } from './played-node.ts'

/** Openings by their names, the oldest first, each of which gave out ten numbers. */
const openings = (names: string) =>
  [...names].map((id, at) => ({ id, firstSequence: at * 10 + 1 })).toReversed()

async function world(settings: Parameters<typeof start>[1] = {}) {
  const store = await openLmdbJobStore<JobSpec>({ path: join(temporaryDirectory(), 'jobs.db') })
  const requester = start(store, settings)
  onTestFinished(async () => {
    await requester.stop()
    await store.close()
  })
  return { store, requester }
}

test('a node is remembered with its store, and what an operator decides of it is kept over a restart', async () => {
  const { store, requester } = await world({ approvesNodes: false })
  await greet(requester, 'n-1', [], { openings: openings('a'), sequence: 5 })
  const jobId = await submit(store)
  await eventually('it waits', async () => (await stateOf(store, jobId)) === 'Queued')
  const { membership } = requester.context
  await membership.decide('n-1', { membership: 'approved', message: 'ours' })
  await requester.stop()
  const second = start(store, { approvesNodes: false })
  await second.context.membership.ready()
  const [known] = second.context.nodes.list()
  assert.deepEqual(
    [known?.connected, known?.state, known?.record.membershipMessage, known?.record.store?.sequence],
    [false, 'silent', 'ours', 5],
  )
  await greet(second, 'n-1', [], { openings: openings('ab'), sequence: 15 })
  assert.equal((await onlyExecution(store, jobId)).nodeId, 'n-1')
})

test('a wiped store is recognised, and what was on the node is done again at once', async () => {
  const { store, requester } = await world({ missingAfterMs: 3_600_000, livesForMs: 0 })
  await greet(requester, 'n-1', [], { openings: openings('a'), sequence: 5 })
  const jobId = await submit(store)
  const first = await onlyExecution(store, jobId)
  await requester.link.acknowledge({ nodeId: 'n-1', upToSequence: Number.MAX_SAFE_INTEGER })
  await report(requester, 'n-1', { executionId: first.id, revision: 2, state: 'Running' })
  await greet(requester, 'n-1', [], { storeId: 'another', openings: openings('x'), sequence: 1 })
  const lost = await store.getExecution(first.id)
  assert.deepEqual([lost?.state, lost?.endReason], ['Failed', 'record-lost'])
  assert.match(lost?.stateMessage ?? '', /came back with another store, without this execution/)
  const next = await eventually('it is done again', async () =>
    (await store.listExecutions({ jobId })).items.find(
      ({ previousExecutionId }) => previousExecutionId === first.id,
    ),
  )
  assert.equal(next.nodeId, 'n-1')
  assert.equal((await store.getNode('n-1'))?.store?.storeId, 'another')
})

test('an older copy of a store is recognised by what its executions lack', async () => {
  const { store, requester } = await world({ missingAfterMs: 3_600_000, livesForMs: 0 })
  await greet(requester, 'n-1', [], { openings: openings('a'), sequence: 9 })
  const jobId = await submit(store)
  const { id: executionId } = await onlyExecution(store, jobId)
  await requester.link.acknowledge({ nodeId: 'n-1', upToSequence: Number.MAX_SAFE_INTEGER })
  await report(requester, 'n-1', { executionId, revision: 3, state: 'Running' })
  const copy = { openings: [{ id: 'c', firstSequence: 6 }, ...openings('a')], sequence: 9 }
  const reply = await greet(requester, 'n-1', [{ executionId, state: 'BidAccepted', revision: 2 }], copy)
  assert.ok('answers' in reply)
  assert.deepEqual(reply.answers, { [executionId]: 'stop' })
  assert.match((await store.getExecution(executionId))?.stateMessage ?? '', /older copy of its store/)
})

test('a later opening takes the place of one that looks alive; of two that live, the second is refused', async () => {
  const { requester } = await world({ livesForMs: 3_600_000 })
  const beat = { nodeId: 'n-1', load: requester.context.nodes.get('n-1')?.load ?? NO_LOAD, sequence: 12 }
  await greet(requester, 'n-1', [], { openings: openings('a'), sequence: 9 })
  assert.ok('answers' in (await greet(requester, 'n-1', [], { openings: openings('ab'), sequence: 12 })))
  const fork = { openings: [{ id: 'c', firstSequence: 10 }, ...openings('a')], sequence: 13 }
  await assert.rejects(greet(requester, 'n-1', [], fork), { code: 'LINK_TAKEN' })
  await assert.rejects(greet(requester, 'n-1', [], fork), { code: 'LINK_TAKEN' })
  await requester.link.heartbeat(beat)
  const refused = await greet(requester, 'n-1', [], fork)
  assert.match('refusal' in refused ? refused.refusal : '', /two nodes have the id n-1, and both live/)
  assert.match(requester.context.nodes.get('n-1')?.rival ?? '', /the one that came later is refused/)
})

test('a copy that came as a later opening gives the place back when the one before is heard of', async () => {
  const { requester } = await world({ livesForMs: 3_600_000 })
  const { nodes } = requester.context
  const first = { openings: openings('a'), sequence: 9 }
  const copy = { openings: openings('ab'), sequence: 12 }
  await greet(requester, 'n-1', [], first)
  assert.ok('answers' in (await greet(requester, 'n-1', [], copy)))
  // The first one had only nothing to write, and has to shake hands again.
  assert.ok('answers' in (await greet(requester, 'n-1', [], first)))
  await assert.rejects(greet(requester, 'n-1', [], copy), { code: 'LINK_TAKEN' })
  const { load } = nodes.get('n-1') ?? { load: NO_LOAD }
  await requester.link.heartbeat({ nodeId: 'n-1', load, sequence: 9 })
  for (const names of ['ab', 'abc']) {
    const again = { openings: openings(names), sequence: 35 }
    if (names === 'abc') {
      await assert.rejects(greet(requester, 'n-1', [], again), { code: 'LINK_TAKEN' })
      await requester.link.heartbeat({ nodeId: 'n-1', load, sequence: 9 })
    }
    const refused = await greet(requester, 'n-1', [], again)
    assert.match('refusal' in refused ? refused.refusal : '', /both live/)
  }
  // An honest restart of the first one goes on as ever.
  const restarted = { openings: [{ id: 'z', firstSequence: 10 }, ...openings('a')], sequence: 12 }
  assert.ok('answers' in (await greet(requester, 'n-1', [], restarted)))
})

test('of two nodes with one id whose stores are in memory the later one gives the place back', async () => {
  const { requester } = await world({ livesForMs: 3_600_000 })
  const { nodes } = requester.context
  const first = { durable: false, openings: openings('a') }
  const second = { storeId: 'another', durable: false, openings: openings('b') }
  assert.ok('answers' in (await greet(requester, 'n-1', [], first)))
  // As after a restart, which nobody waits for.
  assert.ok('answers' in (await greet(requester, 'n-1', [], second)))
  assert.ok('answers' in (await greet(requester, 'n-1', [], first)))
  await assert.rejects(greet(requester, 'n-1', [], second), { code: 'LINK_TAKEN' })
  await requester.link.heartbeat({ nodeId: 'n-1', load: nodes.get('n-1')?.load ?? NO_LOAD, sequence: 9 })
  const refused = await greet(requester, 'n-1', [], second)
  assert.match('refusal' in refused ? refused.refusal : '', /two nodes have the id n-1, and both live/)
})

test('after a start of the requester a copy does not come before the node that was there', async () => {
  const { store, requester } = await world({ livesForMs: 3_600_000 })
  await greet(requester, 'n-1', [], { openings: openings('a'), sequence: 9 })
  await requester.stop()
  const second = start(store, { livesForMs: 3_600_000 })
  const copy = { openings: [{ id: 'c', firstSequence: 6 }, ...openings('a')], sequence: 20 }
  await assert.rejects(greet(second, 'n-1', [], copy), { code: 'LINK_TAKEN' })
  assert.ok('answers' in (await greet(second, 'n-1', [], { openings: openings('a'), sequence: 11 })))
  const refused = await greet(second, 'n-1', [], copy)
  assert.match('refusal' in refused ? refused.refusal : '', /both live/)
})

const NO_LOAD = {
  available: { cpu: 1, memoryBytes: 1, diskBytes: 1, gpu: 0 },
  runningExecutions: 0,
  enqueuedExecutions: 0,
  heldBack: 0,
}

test('the work of a node that is rejected or deleted is done elsewhere, and nothing waits for it', async () => {
  const { store, requester } = await world()
  const { membership } = requester.context
  for (const [id, leave] of [
    ['n-1', () => membership.decide('n-1', { membership: 'rejected' })],
    ['n-2', () => membership.delete('n-2').then(() => reconsiderWork(requester.context, { nodeId: 'n-2' }))],
  ] as const) {
    await greet(requester, id)
    const jobId = await submit(store)
    const { id: executionId } = await onlyExecution(store, jobId)
    await leave()
    await eventually(
      'it is given up',
      async () => (await store.getExecution(executionId))?.state === 'Failed',
    )
    assert.equal((await store.getExecution(executionId))?.endReason, 'node-lost')
    assert.match((await store.getExecution(executionId))?.stateMessage ?? '', /was (rejected|deleted)/)
    await eventually('it waits', async () => (await stateOf(store, jobId)) === 'Queued')
    await store.transitionJob({ jobId, to: 'Stopped' })
  }
  await membership.dropStrayMessages()
  assert.deepEqual(await store.outboxDestinations(), ['n-1'])
  assert.equal(await store.getNode('n-2'), null)
})

test('a handshake that was overtaken by reports gives nothing up, and one after a loss does', async () => {
  const { store, requester } = await world({ missingAfterMs: 3_600_000, livesForMs: 0 })
  const here = { openings: openings('a'), sequence: 5 }
  await greet(requester, 'n-1', [], here)
  const jobId = await submit(store)
  const { id: executionId } = await onlyExecution(store, jobId)
  await requester.link.acknowledge({ nodeId: 'n-1', upToSequence: Number.MAX_SAFE_INTEGER })
  await report(requester, 'n-1', { executionId, revision: 3, state: 'Running' })
  const early = [{ executionId, state: 'BidAccepted', revision: 2 }] as const
  await assert.rejects(greet(requester, 'n-1', early, here), { code: 'LINK_STALE' })
  assert.equal((await store.getExecution(executionId))?.state, 'Running')
  const lost = await greet(requester, 'n-1', early, { openings: openings('ab'), sequence: 15 })
  assert.ok('answers' in lost)
  assert.deepEqual(lost.answers, { [executionId]: 'stop' })
  assert.equal((await store.getExecution(executionId))?.endReason, 'record-lost')
})
