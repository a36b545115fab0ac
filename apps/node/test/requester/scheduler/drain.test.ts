import assert from 'node:assert/strict'
import { test } from 'vitest'
import { makeJob, makeNode, START_MS, World } from './world.ts'

/** A job of which one execution runs on n-1, which is drained then, beside n-2. */
function drained(
  type: 'batch' | 'ops' | 'service' | 'daemon',
  deadlineAtMs: number | null = null,
  begun = true,
) {
  const world = new World(makeJob(type, 1), ['n-1'])
  world.settle()
  const [first] = world.live()
  assert.ok(first)
  if (begun) world.report(first.id, 'Running')
  world.settle()
  world.nodes.delete('n-1')
  world.nodes.set('n-2', makeNode('n-2'))
  world.drained.set('n-1', { reason: 'new disk', deadlineAtMs })
  world.decide('node-leave')
  return { world, id: first.id }
}

test('what runs to its end comes to it on a drained node', () => {
  for (const [type, nodeIds] of [
    ['batch', ['n-1']],
    ['ops', ['n-1', 'n-2']],
  ] as const) {
    const { world } = drained(type)
    const live = world.live()
    assert.deepEqual(
      live.map(({ nodeId }) => nodeId),
      nodeIds,
    )
    for (const { id } of live) {
      world.report(id, 'Running')
      world.report(id, 'Completed')
    }
    world.settle()
    assert.equal(world.job.state, 'Completed')
  }
})

test('a job for every node has failed on one that is gone, and is not sought there by a daemon', () => {
  for (const [type, state] of [
    ['ops', 'Failed'],
    ['daemon', 'Running'],
  ] as const) {
    const { world } = drained(type, START_MS + 60_000)
    world.nodes.set('n-1', { ...makeNode('n-1'), closing: 'drained' })
    const there = world.live().find(({ nodeId }) => nodeId === 'n-2')
    assert.ok(there)
    world.report(there.id, 'Running')
    if (type === 'ops') world.report(there.id, 'Completed')
    world.settle(START_MS + 90_000)
    assert.ok(world.live().every(({ nodeId }) => nodeId === 'n-2'))
    if (type === 'ops') assert.match(world.job.stateMessage, /n-1.*it is drained/)
    world.drained.clear()
    world.nodes.set('n-1', { ...makeNode('n-1'), closing: 'lost' })
    world.lost.add('n-1')
    world.decide('node-leave')
    assert.equal(world.job.state, state)
    if (type === 'ops')
      assert.match(world.job.stateMessage, /failed on 1 of 2 nodes: node n-1 has not been heard/)
    else assert.doesNotMatch(world.job.stateMessage, /n-1/)
  }
})

test('what has not begun on a drained node is done elsewhere', () => {
  const { world, id } = drained('batch', null, false)
  assert.deepEqual(
    [world.executions.get(id)?.state, world.executions.get(id)?.endReason],
    ['Cancelled', 'drained'],
  )
  assert.equal(world.executions.get(id)?.stateMessage, 'node n-1 is drained: new disk')
  assert.deepEqual(
    world.live().map(({ nodeId }) => nodeId),
    ['n-2'],
  )
})

test('a service moves at once, and its move counts as no end of it', () => {
  const { world } = drained('service')
  const [next, ...more] = world.live()
  assert.deepEqual([next?.nodeId, next?.endsBefore, more], ['n-2', 0, []])
})

test('a daemon leaves a drained node, and comes back with it', () => {
  const { world } = drained('daemon')
  assert.deepEqual(
    world.live().map(({ nodeId }) => nodeId),
    ['n-2'],
  )
  world.drained.clear()
  world.nodes.set('n-1', makeNode('n-1'))
  world.decide('node-join')
  assert.deepEqual(
    world
      .live()
      .map(({ nodeId }) => nodeId)
      .sort(),
    ['n-1', 'n-2'],
  )
})

test('at its deadline a drained node is given up, and what ran there is done elsewhere', () => {
  const { world, id } = drained('batch', START_MS + 60_000)
  assert.deepEqual(
    world.live().map((execution) => execution.id),
    [id],
  )
  world.settle(START_MS + 60_000)
  assert.equal(world.executions.get(id)?.endReason, 'drained')
  assert.deepEqual(
    world.live().map(({ nodeId }) => nodeId),
    ['n-2'],
  )
})

test('a daemon goes on elsewhere where its node is lost, which is still listed for a moment', () => {
  const world = new World(makeJob('daemon', 1), ['n-1'])
  world.settle()
  world.lost.add('n-1')
  world.decide('node-leave')
  assert.deepEqual([world.live(), world.job.state], [[], 'Queued'])
  world.nodes.set('n-2', makeNode('n-2'))
  world.decide('node-join')
  assert.deepEqual(
    world.live().map(({ nodeId }) => nodeId),
    ['n-2'],
  )
})
