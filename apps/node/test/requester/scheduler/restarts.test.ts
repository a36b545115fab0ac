import assert from 'node:assert/strict'
import { test } from 'vitest'
import { outlivedExecutions } from '../../../src/requester/scheduler/outlived.ts'
import { DEFAULT_RETRY_RULES } from '../../../src/requester/scheduler/view.ts'
import { makeJob, only, World } from './world.ts'

test('a daemon job fails once it has failed too often on every node, where that is bounded', () => {
  const world = new World(makeJob('daemon', 0), ['n-1', 'n-2'])
  const restarts = { ...DEFAULT_RETRY_RULES.restarts, attempts: 4, intervalMs: 86_400_000 }
  world.rules = { ...DEFAULT_RETRY_RULES, restarts }
  world.settle()
  const failOn = (nodeId: string): void => {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const id = world.live().find((execution) => execution.nodeId === nodeId)?.id
      assert.ok(id, `it is tried on ${nodeId} again`)
      world.report(id, 'Failed', 'broke')
      world.settle(world.nowMs + 3_600_000)
    }
  }
  for (const { id } of world.live()) world.report(id, 'Running')
  failOn('n-1')
  assert.equal(world.job.state, 'Running', 'the other node does it')
  failOn('n-2')
  assert.equal(world.job.state, 'Failed')
  assert.match(world.job.stateMessage, /2 of 2 nodes: .*too many times: broke/)
})

/** Lets the live execution of a service begin, run for some time, and end. */
function live(world: World, forMs: number, end: 'Completed' | 'Failed' = 'Completed'): void {
  const { id } = only(world)
  world.report(id, 'BidAccepted')
  world.report(id, 'Running')
  world.settle(world.nowMs + forMs)
  world.nowMs = Math.max(world.nowMs, (world.executions.get(id)?.stateSinceMs ?? 0) + forMs)
  world.report(id, end, 'it could not listen')
  world.settle()
}

/** Lets the clock go on until another execution is asked for, and returns how long that took. */
function waitMs(world: World): number {
  const beganMs = world.nowMs
  while (world.live().length === 0) {
    const next = Math.min(...world.pending.map(({ dueAtMs = 0 }) => dueAtMs))
    world.settle(next)
  }
  return world.nowMs - beganMs
}

test('a service is started again however often it ends, with waits that grow and are forgotten once it was healthy', () => {
  const world = new World(makeJob('service', 1), ['n-1'])
  world.settle()
  const waits: number[] = []
  for (let ends = 0; ends < 8; ends++) {
    live(world, 200, ends % 2 === 0 ? 'Failed' : 'Completed')
    assert.match(
      world.job.stateMessage,
      new RegExp(`${ends === 0 ? 'has ended' : `${ends + 1} times`} .*it could not listen`),
    )
    waits.push(waitMs(world))
  }
  assert.deepEqual(
    waits,
    [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000),
  )
  const { revision } = world.job
  world.decide('node-restart')
  assert.equal(world.job.revision, revision, 'nothing is written where nothing is new')
  const { id } = only(world)
  world.report(id, 'BidAccepted')
  world.report(id, 'Running')
  world.settle(world.nowMs + 10_000)
  assert.match(world.job.stateMessage, /^healthy: it runs for 10s/)
  world.report(id, 'Completed', 'it could not listen')
  world.settle()
  assert.equal(waitMs(world), 1000, 'what was before it was healthy is forgotten')
  assert.equal(world.job.state, 'Running')
})

test('the wait before a service is started again goes on over a restart of its node', () => {
  const world = new World(makeJob('service', 1), ['n-1'])
  world.settle()
  for (let ends = 0; ends < 4; ends++) {
    live(world, 200)
    if (ends < 3) waitMs(world)
  }
  // A node that was killed looks at every job when it starts.
  world.pending = []
  world.nowMs += 3000
  world.decide('node-restart')
  assert.equal(world.live().length, 0)
  assert.equal(waitMs(world), 5000)
})

test('interruptions of a service are forgotten after a day, those of a batch job never', () => {
  for (const [type, state] of [
    ['service', 'Running'],
    ['batch', 'Failed'],
  ] as const) {
    const world = new World(makeJob(type, 1), ['n-1'])
    world.rules = { ...DEFAULT_RETRY_RULES, maxInterruptions: 3 }
    world.settle()
    const { id: first } = only(world)
    world.report(first, 'Running')
    for (let ends = 0; ends < 4; ends++) {
      const { id } = only(world)
      world.report(id, 'Failed', 'the node was restarted', 'interrupted')
      world.nowMs += 40_000_000
      world.settle()
    }
    assert.equal(world.job.state, state)
  }
})

test('of what should run for ever the oldest ends are given up, and its count of ends goes on', () => {
  const world = new World(makeJob('service', 1), ['n-1'])
  const restarts = { ...DEFAULT_RETRY_RULES.restarts, keep: 5 }
  world.rules = { ...DEFAULT_RETRY_RULES, maxInterruptions: 4, restarts }
  world.settle()
  let most = 0
  for (let ends = 1; ends <= 100; ends++) {
    live(world, 200)
    assert.equal(/ended (\d+) times/.exec(world.job.stateMessage)?.[1] ?? '1', String(ends))
    waitMs(world)
    const executions = [...world.executions.values()]
    most = Math.max(most, executions.length)
    for (const { id } of outlivedExecutions(world.job, executions, world.rules)) world.executions.delete(id)
  }
  assert.equal(most, 31, 'five, 25 that go together, and the living one')
  assert.deepEqual(
    outlivedExecutions({ ...world.job, type: 'batch' }, [...world.executions.values()], world.rules),
    [],
  )
})
