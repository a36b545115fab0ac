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
  for (const type of ['batch', 'ops'] as const) {
    const { world, id } = drained(type)
    assert.deepEqual(
      world.live().map((execution) => execution.id),
      [id],
    )
    world.report(id, 'Completed')
    world.settle()
    assert.equal(world.job.state, 'Completed')
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
