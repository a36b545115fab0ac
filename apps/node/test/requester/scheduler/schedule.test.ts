import assert from 'node:assert/strict'
import { END_REASONS } from '@saltcod/store-core'
import { test } from 'vitest'
import { makeJob, makeNode, makeSpec, only, START_MS, World } from './world.ts'

/** Lets every live execution of a world take the next step of a good life. */
function advance(world: World): void {
  for (const { id, state } of world.live()) {
    if (state === 'New') world.report(id, 'BidAccepted')
    else if (state === 'BidAccepted') world.report(id, 'Running')
    else if (state === 'Running') world.report(id, 'Completed')
  }
  world.settle()
}

test('a batch job is asked for, taken on, run and completed', () => {
  const world = new World(makeJob('batch', 1), ['n-1'])
  assert.equal(world.decide('job-register').comment, 'executions asked for: 1')
  world.settle()
  assert.deepEqual([only(world).state, only(world).desiredState], ['New', 'Running'])
  assert.equal(world.job.state, 'Pending')
  advance(world)
  assert.deepEqual([only(world).state, only(world).desiredState], ['BidAccepted', 'Running'])
  assert.equal(world.job.state, 'Running')
  advance(world)
  advance(world)
  assert.equal(world.job.state, 'Completed')
  assert.deepEqual(world.pending, [])
})

test('an ops job runs at once on every matching node, and fails if one of them fails', () => {
  const world = new World(makeJob('ops', 0), ['n-1', 'n-2', 'n-3'])
  world.settle()
  assert.deepEqual(
    world.live().map(({ nodeId, desiredState }) => [nodeId, desiredState]),
    [
      ['n-1', 'Running'],
      ['n-2', 'Running'],
      ['n-3', 'Running'],
    ],
  )
  assert.equal(world.job.state, 'Pending')
  for (const { id } of world.live()) world.report(id, 'Running')
  assert.equal(world.job.state, 'Running')
  world.nodes.set('n-4', makeNode('n-4'))
  for (const { id, nodeId } of world.live())
    world.report(id, nodeId === 'n-2' ? 'Failed' : 'Completed', 'broke')
  world.settle()
  assert.equal(world.executions.size, 4, 'a node that came meanwhile is taken in')
  world.report(only(world).id, 'Completed')
  world.settle()
  assert.equal(world.job.state, 'Failed')
  assert.match(world.job.stateMessage, /1 of 4 nodes: broke/)
})

test('a daemon job takes in every node that comes', () => {
  const world = new World(makeJob('daemon', 0), ['n-1'])
  world.settle()
  world.nodes.set('n-2', makeNode('n-2'))
  world.decide('node-join')
  assert.deepEqual(
    world.live().map(({ nodeId }) => nodeId),
    ['n-1', 'n-2'],
  )
})

test('a job without any node waits, and goes on when one comes', () => {
  const world = new World(makeJob('batch', 1), [])
  world.settle()
  assert.equal(world.job.state, 'Queued')
  assert.equal(world.pending.length, 1)
  world.decide('exec-update')
  assert.equal(world.pending.length, 1, 'another look leaves no second chain of follow-ups')
  world.nodes.set('n-1', makeNode('n-1'))
  world.decide('node-join')
  assert.equal(only(world).nodeId, 'n-1')
})

test('a job that no connected node can do fails and says why', () => {
  const world = new World(makeJob('batch', 1, makeSpec('wasm')), ['n-1'])
  world.settle()
  assert.equal(world.job.state, 'Failed')
  assert.match(
    world.job.stateMessage,
    /requested: 1, available: 1, suitable: 0.*\n.*n-1: it has no engine wasm/,
  )
})

test('a job that needs an engine that a node lacks says why it lacks it', () => {
  const world = new World(makeJob('batch', 1, makeSpec('exec')), ['n-1'])
  const node = makeNode('n-1')
  world.nodes.set('n-1', {
    ...node,
    description: { ...node.description, missingEngines: { exec: 'it is off' } },
  })
  world.settle()
  assert.match(world.job.stateMessage, /it has no engine exec \(it has noop\): it is off/)
})

test('a job with a queue timeout waits for it before it fails', () => {
  const world = new World(makeJob('batch', 1, makeSpec('wasm', 60)), ['n-1'])
  world.settle()
  assert.equal(world.job.state, 'Queued')
  world.settle(START_MS + 59_000)
  assert.equal(world.job.state, 'Queued')
  world.settle(START_MS + 61_000)
  assert.equal(world.job.state, 'Failed')
})

test('a job that waits says what each node lacks, once, and again when that changes', () => {
  const spec = {
    ...makeSpec('wasm', 600),
    Constraints: [{ Key: 'zone', Operator: 'in' as const, Values: ['a', 'b'] }],
  }
  const [task] = spec.Tasks
  const Resources = { CPU: '10', Memory: '64GB', Disk: '', GPU: '1' }
  const world = new World(makeJob('batch', 1, { ...spec, Tasks: [{ ...task, Resources }] as never }), ['n-1'])
  world.nodes.set('n-2', makeNode('n-2', { zone: 'c' }))
  world.nodes.set('n-3', makeNode('n-3', { zone: 'c' }))
  world.settle()
  const lacking =
    'the job wants 10 CPU, it has 8, which is 2 too little; the job wants 64.0 GB of memory, it has 10.0 GB, which is 54.0 GB too little; the job wants 1 GPU, it has 0, which is 1 too little'
  const first = `no connected node can do it
• Node n-1: it has no engine wasm (it has noop); it has no label zone, and the job wants zone in (a, b); ${lacking}
• Each of 2 nodes (n-2, n-3): it has no engine wasm (it has noop); its label zone is c, and the job wants zone in (a, b); ${lacking}`
  assert.deepEqual([world.job.state, world.job.stateMessage], ['Queued', first])
  const { revision } = world.job
  world.settle(START_MS + 120_000)
  for (const trigger of ['node-restart', 'node-join'] as const) world.decide(trigger)
  assert.equal(world.job.revision, revision, 'nothing is written where nothing is new')
  world.nodes.delete('n-3')
  world.settle(START_MS + 180_000)
  assert.match(world.job.stateMessage, /• Node n-2: /)
  assert.deepEqual([world.job.stateSinceMs, world.job.revision], [START_MS, revision + 1])
  world.nodes.clear()
  world.decide('node-restart')
  assert.equal(world.job.revision, revision + 1, 'nodes that have not come back yet are no news')
  world.settle(START_MS + 240_000)
  assert.equal(world.job.stateMessage, 'no node is connected')
})

test('a failed execution is tried once more, then the job fails with its reason', () => {
  const world = new World(makeJob('batch', 1), ['n-1'])
  for (let attempt = 0; attempt < 2; attempt++) {
    world.settle()
    world.report(only(world).id, 'Failed', 'exit by bug')
  }
  world.settle()
  assert.equal(world.job.state, 'Failed')
  assert.match(world.job.stateMessage, /retried too many times: exit by bug/)
})

test('interruptions are counted apart: two are answered at once, then the waits grow up to a minute', () => {
  const world = new World(makeJob('batch', 1), ['n-1'])
  const waits: number[] = []
  world.settle()
  for (let round = 0; round < 12; round++) {
    world.report(only(world).id, 'Failed', 'the node restarted', 'interrupted')
    const fromMs = world.nowMs
    world.settle(world.nowMs + 100_000)
    waits.push(world.nowMs - fromMs)
  }
  assert.deepEqual(
    waits,
    [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map((seconds) => seconds * 1000),
  )
  assert.equal(world.job.state, 'Pending')
  assert.equal(only(world).nodeId, 'n-1', 'the same node is allowed')
})

test('interruptions of before the clock was set back by a day delay the next attempt by no more than their wait', () => {
  const dayMs = 86_400_000
  const world = new World(makeJob('batch', 1), ['n-1'])
  world.nowMs = START_MS + dayMs
  world.settle()
  for (let round = 0; round < 8; round++) {
    world.report(only(world).id, 'Failed', 'the node restarted', 'interrupted')
    if (round < 7) world.settle(world.nowMs + 100_000)
  }
  world.settle()
  world.nowMs = START_MS
  for (const waitMs of [0, 60_000, 60_000]) {
    world.pending.push({ trigger: 'node-restart' })
    const fromMs = world.nowMs
    world.settle(fromMs + 100_000)
    assert.ok(world.nowMs - fromMs <= waitMs, `waited ${world.nowMs - fromMs} ms`)
    world.report(only(world).id, 'Failed', 'the node restarted', 'interrupted')
  }
})

test('a job that is interrupted more often than allowed fails', () => {
  const world = new World(makeJob('ops', 0), ['n-1'])
  world.rules = { ...world.rules, maxInterruptions: 3 }
  world.settle()
  for (let round = 0; round < 4; round++) {
    world.report(only(world).id, 'Failed', 'the node restarted', 'interrupted')
    world.settle(world.nowMs + 100_000)
  }
  assert.equal(world.job.state, 'Failed')
  assert.match(world.job.stateMessage, /interrupted 4 times/)
})

test('what runs on a lost node is given up and done elsewhere', () => {
  const world = new World(makeJob('batch', 1), ['n-1'])
  world.settle()
  const { id } = only(world)
  world.nodes.delete('n-1')
  world.nodes.set('n-2', makeNode('n-2'))
  world.lost.add('n-1')
  world.decide('node-leave')
  assert.equal(world.executions.get(id)?.state, 'Failed')
  assert.equal(world.executions.get(id)?.endReason, 'node-lost')
  assert.equal(only(world).nodeId, 'n-2')
})

test('a node that refuses is not asked again', () => {
  const world = new World(makeJob('batch', 1), ['n-1', 'n-2'])
  world.settle()
  const first = only(world)
  world.report(first.id, 'AskForBidRejected', 'no room')
  world.settle()
  assert.notEqual(only(world).nodeId, first.nodeId)
})

test('an execution whose time is up is waited for while its node may know how it ended, and is lost with it', () => {
  const world = new World(makeJob('batch', 1), ['n-1'])
  world.settle()
  const { id } = only(world)
  world.report(id, 'Running')
  world.put({ ...only(world), deadlineAtMs: world.nowMs })
  world.awaited.add('n-1')
  const { updates, commands } = world.decide('exec-timeout')
  assert.deepEqual(
    [updates.map(({ to, patch }) => [to, patch?.deadlineAtMs]), commands],
    [[[undefined, world.nowMs + 60_000]], []],
  )
  assert.match(updates[0]?.event?.message ?? '', /it is waited for what that has to say/)
  world.awaited.clear()
  assert.deepEqual(
    world.decide('exec-timeout').updates.map(({ endReason }) => endReason),
    ['timed-out'],
  )
  const other = new World(makeJob('batch', 1), ['n-1'])
  other.settle()
  other.put({ ...only(other), state: 'Running', deadlineAtMs: other.nowMs })
  other.lost.add('n-1')
  assert.deepEqual(
    other.decide('exec-timeout').updates.map(({ endReason }) => endReason),
    ['node-lost'],
  )
})

test('a job whose time is over fails and its executions are stopped', () => {
  const world = new World({ ...makeJob('batch', 2), deadlineAtMs: START_MS + 1000 }, ['n-1'])
  world.settle()
  world.nowMs = START_MS + 1000
  const { commands } = world.decide('job-timeout')
  assert.equal(world.job.state, 'Failed')
  assert.match(world.job.stateMessage, /timed out/)
  assert.deepEqual(world.live(), [])
  assert.deepEqual(
    commands.map(({ command }) => command.kind),
    ['cancel', 'cancel'],
  )
})

test('an execution whose time is over fails and is replaced', () => {
  const world = new World(makeJob('batch', 1), ['n-1'])
  world.settle()
  const { id } = only(world)
  const execution = world.executions.get(id)
  assert.ok(execution)
  world.executions.set(id, { ...execution, deadlineAtMs: START_MS + 1 })
  world.nowMs = START_MS + 1
  world.decide('exec-timeout')
  assert.equal(world.executions.get(id)?.state, 'Failed')
  assert.equal(only(world).previousExecutionId, id)
})

test('a stopped job has its executions stopped, in several plans where there are many', () => {
  const world = new World(makeJob('service', 250), ['n-1'])
  world.settle()
  assert.equal(world.live().length, 250)
  world.job = { ...world.job, state: 'Stopped', stateMessage: 'enough' }
  world.pending.push({ trigger: 'job-cancel' })
  world.settle()
  assert.deepEqual(world.live(), [])
  assert.equal(world.executions.get('j-1/e-1')?.stateMessage, 'enough')
})

test('a new version replaces the executions of the old one', () => {
  const world = new World(makeJob('service', 2), ['n-1'])
  world.settle()
  world.job = { ...world.job, version: 2, count: 1 }
  world.decide('job-update')
  assert.deepEqual(
    world.live().map(({ jobVersion }) => jobVersion),
    [2],
  )
})

test('work is spread over nodes, the least busy first', () => {
  const world = new World(makeJob('batch', 6), ['n-1', 'n-2', 'n-3'])
  world.settle()
  const counts = ['n-1', 'n-2', 'n-3'].map((id) => world.live().filter(({ nodeId }) => nodeId === id).length)
  assert.deepEqual(counts, [2, 2, 2])
})

test('constraints choose nodes by their labels', () => {
  const spec = { ...makeSpec(), Constraints: [{ Key: 'zone', Operator: 'in' as const, Values: ['a', 'b'] }] }
  const world = new World(makeJob('ops', 0, spec), [])
  for (const zone of ['a', 'b', 'c']) world.nodes.set(zone, makeNode(zone, { zone }))
  world.settle()
  assert.deepEqual(
    world.live().map(({ nodeId }) => nodeId),
    ['a', 'b'],
  )
})

test('a record of an earlier release that says it was interrupted is read as it was then', () => {
  const world = new World(makeJob('batch', 1), ['n-1'])
  for (let round = 0; round < 6; round++) {
    world.settle(world.nowMs + 100_000)
    world.report(only(world).id, 'Failed', 'interrupted: Failed after a restart of the node')
  }
  world.settle(world.nowMs + 100_000)
  assert.equal(world.job.state, 'Pending')
})

test.each(['interrupted', 'record-lost', 'node-lost'] as const)(
  'what ended for %s is no failure of the job',
  (endReason) => {
    const world = new World(makeJob('batch', 1), ['n-1'])
    for (let round = 0; round < 6; round++) {
      world.settle(world.nowMs + 100_000)
      world.report(only(world).id, 'Failed', 'broke', endReason)
    }
    world.settle(world.nowMs + 100_000)
    assert.equal(world.job.state, 'Pending')
  },
)

test('a share whose input is not there is not tried again, and says what is missing', () => {
  for (const type of ['batch', 'service'] as const) {
    const world = new World(makeJob(type, 1), ['n-1', 'n-2'])
    world.settle()
    world.report(only(world).id, 'Failed', 'input 1 is not there', 'unusable-input')
    world.settle(world.nowMs + 100_000)
    assert.deepEqual([world.job.state, world.job.stateMessage], ['Failed', 'input 1 is not there'])
  }
})

test('a node that does not allow a job is not asked again, and another one is', () => {
  const world = new World(makeJob('batch', 1), ['n-1', 'n-2'])
  world.settle()
  const first = only(world)
  world.report(first.id, 'Failed', 'not allowed here', 'denied')
  world.settle(world.nowMs + 100_000)
  const second = only(world)
  assert.notEqual(second.nodeId, first.nodeId)
  world.report(second.id, 'Failed', 'nor here', 'denied')
  world.settle(world.nowMs + 100_000)
  assert.equal(world.job.state, 'Failed')
  assert.match(world.job.stateMessage, /not allowed here/)
})

test('no other reason is taken for an interruption, whatever the message says', () => {
  for (const endReason of END_REASONS) {
    if (['interrupted', 'record-lost', 'node-lost', 'denied', 'unusable-input'].includes(endReason)) continue
    const world = new World(makeJob('batch', 1), ['n-1'])
    for (let round = 0; round < 2; round++) {
      world.settle(world.nowMs + 100_000)
      world.report(only(world).id, 'Failed', 'interrupted: node restarted', endReason)
    }
    world.settle(world.nowMs + 100_000)
    assert.equal(world.job.state, 'Failed', endReason)
  }
})

test('a node that is lost for good is a failure of a job that runs everywhere', () => {
  const world = new World(makeJob('ops', 0), ['n-1', 'n-2'])
  world.settle()
  world.lost.add('n-1')
  world.nodes.delete('n-1')
  world.decide('node-leave')
  for (const { id } of world.live()) world.report(id, 'Completed')
  world.settle(world.nowMs + 100_000)
  assert.equal(world.job.state, 'Failed')
})

test('every end that the scheduler writes has a reason', () => {
  const world = new World(makeJob('batch', 3), ['n-1'])
  world.settle()
  world.job = { ...world.job, version: 2 }
  world.decide('job-update')
  world.job = { ...world.job, state: 'Stopped' }
  world.decide('job-cancel')
  const reasons = [...world.executions.values()].map((execution) => execution.endReason)
  assert.deepEqual(new Set(reasons), new Set(['replaced', 'stopped']))
})
