import assert from 'node:assert/strict'
import type { JobType } from '@saltcod/store-core'
import { JOB_MACHINE } from '@saltcod/store-core'
import fc from 'fast-check'
import { test } from 'vitest'
import { IS_LONG, testSeed } from '../../../../../test/seed.ts'
import type { NodeClosing } from '../../../src/requester/scheduler/view.ts'
import type { AskedJob } from './network.ts'
import { Network, networkOf } from './network.ts'

const seed = testSeed()
const numRuns = IS_LONG ? 3000 : 60

type Step =
  | { readonly kind: 'join'; readonly which: number; readonly cpu: number; readonly zone: string }
  | { readonly kind: 'close'; readonly which: number; readonly closing: NodeClosing | null }
  | { readonly kind: 'delete'; readonly which: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'submit'; readonly job: AskedJob }
  | { readonly kind: 'end'; readonly which: number; readonly to: 'Completed' | 'Failed' }
  | { readonly kind: 'wait'; readonly ms: number }

const zone = fc.constantFrom('north', 'south')

const job: fc.Arbitrary<AskedJob> = fc.record({
  type: fc.constantFrom<JobType>('batch', 'batch', 'batch', 'service', 'ops', 'daemon'),
  count: fc.integer({ min: 1, max: 5 }),
  cpu: fc.constantFrom(1, 3, 5, 10, 20),
  priority: fc.integer({ min: 0, max: 2 }),
  zone: fc.option(zone, { nil: null, freq: 3 }),
  patient: fc.boolean(),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('join' as const),
      which: fc.nat(5),
      cpu: fc.constantFrom(10, 20, 40),
      zone,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('close' as const),
      which: fc.nat(5),
      closing: fc.constantFrom<NodeClosing | null>(
        'silent',
        'lost',
        'drained',
        'pending',
        'rejected',
        null,
        null,
        null,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ kind: fc.constant('delete' as const), which: fc.nat(5) }),
      fc.constant({ kind: 'restart' as const }),
    ),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('submit' as const), job }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(500),
      to: fc.constantFrom('Completed' as const, 'Completed' as const, 'Failed' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1000, max: 90_000 }) }),
  },
)

function take(network: Network, action: Step): void {
  switch (action.kind) {
    case 'join':
      if (!network.nodes.has(`n-${action.which}`)) network.join(`n-${action.which}`, action.cpu, action.zone)
      break
    case 'close':
      network.close(`n-${action.which}`, action.closing)
      break
    case 'delete':
      network.delete(`n-${action.which}`)
      break
    case 'restart':
      network.restart()
      break
    case 'submit':
      network.submit(action.job)
      break
    case 'end': {
      const live = network.live('batch', 'ops')
      const execution = live[action.which % Math.max(live.length, 1)]
      if (execution !== undefined) network.end(execution, action.to)
      break
    }
    case 'wait':
      network.pass(action.ms)
      break
  }
  network.settle()
  // So slowly that no node is given work ahead of its room.
  network.pass(1000)
}

/** What runs for ever may not have all there is. */
function modest(asked: AskedJob): AskedJob {
  if (asked.type === 'service') return { ...asked, type: 'batch' }
  return asked.type === 'daemon' ? { ...asked, cpu: 1 } : asked
}

/** From now on every node is there, and all that comes to an end does. */
function behaveWell(network: Network): void {
  for (const where of ['north', 'south']) {
    if (!network.nodes.has(where)) network.join(where, 80, where)
  }
  for (const nodeId of network.nodes.keys()) network.close(nodeId, null)
  network.settle()
  for (let round = 0; round < 300; round += 1) {
    const [execution] = network.live('batch', 'ops')
    if (execution !== undefined) network.end(execution, 'Completed')
    network.settle()
    network.pass(2000)
  }
}

test(`in any network nothing is promised twice, and what can run does, in its turn (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const network = new Network()
      const same = new Network()
      for (const action of steps) {
        take(network, action)
        take(same, action)
      }
      assert.deepEqual(network.picture(), same.picture(), 'the same gives the same')
      // A decision about what has not changed is none.
      network.begin()
      for (const world of network.worlds.values()) {
        const { newExecutions, updates } = world.decide('exec-update')
        assert.deepEqual([newExecutions, updates], [[], []], `nothing is to be done about ${world.job.id}`)
        const { revision } = world.job
        world.decide('exec-update')
        assert.equal(world.job.revision, revision, 'nor is anything said that was said already')
      }
    }),
    { numRuns, seed },
  )
})

test(`in any network what comes to an end does so once its nodes behave (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const network = new Network()
      for (const action of steps) {
        take(network, action.kind === 'submit' ? { ...action, job: modest(action.job) } : action)
      }
      behaveWell(network)
      for (const { job } of network.worlds.values()) {
        if (job.type === 'batch' || job.type === 'ops')
          assert.ok(JOB_MACHINE.terminal.has(job.state), `${job.id} is ${job.state}: ${job.stateMessage}`)
      }
    }),
    { numRuns: Math.ceil(numRuns / 6), seed },
  )
})

const batch = (cpu: number, more: Partial<AskedJob> = {}): AskedJob => ({
  type: 'batch',
  count: 1,
  cpu,
  priority: 0,
  zone: null,
  patient: false,
  ...more,
})

test('a node that becomes free wakes as many as it has room for, the most urgent and then the oldest first', () => {
  const network = networkOf(['n-1', 40, 'north'])
  const large = network.submit(batch(40))
  network.settle()
  const ids = Array.from({ length: 100 }, (_, at) => {
    network.nowMs += 1
    return network.submit(batch(10, { priority: at === 70 ? 1 : 0 }))
  })
  network.settle()
  assert.equal(network.placement.waiting.size, 100)
  const [running] = network.live()
  assert.equal(running?.jobId ?? large, large)
  network.wakes = 0
  assert.ok(running)
  network.end(running, 'Completed')
  assert.equal(network.wakes, 4)
  network.settle()
  assert.equal(network.placement.waiting.size, 96)
  const begun = ids.filter((id) => (network.worlds.get(id)?.executions.size ?? 0) > 0)
  assert.deepEqual(begun, [ids[0], ids[1], ids[2], ids[70]])
})

test('a node is given none ahead because a job was stopped that had much there', () => {
  const network = networkOf(['n-1', 20, 'north'])
  const large = network.submit(batch(20, { count: 2 }))
  const small = network.submit(batch(1, { count: 8, priority: 1 }))
  network.settle()
  for (let failures = 0; failures < 2; failures += 1) {
    const execution = network.worlds
      .get(small)
      ?.live()
      .find(({ partition }) => partition === 0)
    assert.ok(execution)
    network.end(execution, 'Failed')
    network.settle()
  }
  assert.equal(network.worlds.get(small)?.job.state, 'Failed')
  assert.equal(network.worlds.get(large)?.live().length, 1)
})

test('what is large is not overtaken for ever by what is small', () => {
  const network = networkOf(['n-1', 20, 'north'], ['n-2', 20, 'south'])
  network.submit(batch(15, { count: 2 }))
  network.settle()
  const large = network.submit(batch(20))
  network.settle()
  for (let round = 0; round < 200; round += 1) {
    network.submit(batch(5))
    network.submit(batch(5))
    network.settle()
    // The oldest of those that run ends, so that a node is never empty by itself.
    const running = network.live()
    const [oldest] = running
    if (oldest !== undefined) network.end(oldest, 'Completed')
    network.settle()
    network.pass(2000)
    if ((network.worlds.get(large)?.executions.size ?? 0) > 0) return
  }
  assert.fail('it never got a node')
})

test('executions of a job are spread, others fill what is begun', () => {
  const network = networkOf(['n-1', 20, 'north'], ['n-2', 20, 'north'], ['n-3', 20, 'north'])
  const spread = network.submit(batch(5, { count: 3 }))
  network.settle()
  const nodesOf = (id: string): string[] =>
    [...(network.worlds.get(id)?.executions.values() ?? [])].map(({ nodeId }) => nodeId)
  assert.deepEqual(nodesOf(spread).toSorted(), ['n-1', 'n-2', 'n-3'])
  const singles = [batch(5), batch(5), batch(5)].map((asked) => network.submit(asked))
  network.settle()
  assert.equal(new Set(singles.flatMap(nodesOf)).size, 1, 'until it is full')
  const whole = network.submit(batch(15))
  network.settle()
  assert.equal(nodesOf(whole).length, 1, 'so that something large finds room')
})

test('a failed share is tried on another node, and on the same one where there is no other', () => {
  const network = networkOf(['n-1', 20, 'north'], ['n-2', 20, 'north'])
  const id = network.submit(batch(5))
  const alone = network.submit(batch(5, { zone: 'south' }))
  network.join('n-3', 20, 'south')
  network.settle()
  for (const jobId of [id, alone]) {
    const world = network.worlds.get(jobId)
    const [first] = world?.live() ?? []
    assert.ok(first)
    network.end(first, 'Failed')
    network.settle()
    const [second] = world?.live() ?? []
    assert.equal(second?.nodeId === first.nodeId, jobId === alone)
  }
})

test('services leave a drained node, batch work ends there, and daemons are there again afterwards', () => {
  const network = networkOf(['n-1', 20, 'north'], ['n-2', 20, 'north'])
  const service = network.submit({ ...batch(5, { count: 2 }), type: 'service' })
  const daemon = network.submit({ ...batch(1), type: 'daemon' })
  const work = network.submit(batch(5, { count: 2 }))
  network.settle()
  network.begin()
  network.close('n-1', 'drained')
  network.settle()
  const nodesOf = (id: string): string[] =>
    (network.worlds.get(id)?.live() ?? []).map(({ nodeId }) => nodeId).toSorted()
  assert.deepEqual(nodesOf(service), ['n-2', 'n-2'])
  assert.deepEqual(nodesOf(daemon), ['n-2'])
  assert.deepEqual(nodesOf(work), ['n-1', 'n-2'])
  network.close('n-1', null)
  network.settle()
  assert.deepEqual(nodesOf(daemon), ['n-1', 'n-2'])
})

test('an ops job waits for a node that is silent, but not for one that is lost', () => {
  const network = networkOf(['n-1', 20, 'north'], ['n-2', 20, 'north'], ['n-3', 20, 'north'])
  network.close('n-2', 'silent')
  network.close('n-3', 'silent')
  const id = network.submit({ ...batch(1), type: 'ops' })
  network.settle()
  const world = network.worlds.get(id)
  assert.ok(world)
  const endAll = (): void => {
    for (const execution of world.live()) network.end(execution, 'Completed')
    network.settle()
  }
  endAll()
  assert.ok(!JOB_MACHINE.terminal.has(world.job.state))
  assert.match(world.job.stateMessage, /n-2, n-3.*not connected/)
  network.close('n-2', null)
  network.settle()
  endAll()
  assert.ok(!JOB_MACHINE.terminal.has(world.job.state))
  network.close('n-3', 'lost')
  network.settle()
  assert.equal(world.job.state, 'Completed')
  assert.deepEqual([...world.executions.values()].map(({ nodeId }) => nodeId).toSorted(), ['n-1', 'n-2'])
})
