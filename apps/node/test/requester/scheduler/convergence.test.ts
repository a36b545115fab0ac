import assert from 'node:assert/strict'
import type { EndReason, ExecutionState, JobType } from '@saltcod/store-core'
import { END_REASONS, JOB_MACHINE } from '@saltcod/store-core'
import fc from 'fast-check'
import { test } from 'vitest'
import { IS_LONG, testSeed } from '../../../../../test/seed.ts'
import { makeJob, makeNode, World } from './world.ts'

const HOUR_MS = 3_600_000

type Step =
  | {
      readonly kind: 'report'
      readonly which: number
      readonly to: ExecutionState
      readonly message: string
      readonly endReason: EndReason
    }
  | { readonly kind: 'join' | 'leave' | 'lose'; readonly which: number }
  | { readonly kind: 'look' }
  | { readonly kind: 'wait'; readonly ms: number }

const states: readonly ExecutionState[] = [
  'AskForBidAccepted',
  'AskForBidRejected',
  'Running',
  'Publishing',
  'Completed',
  'Failed',
]

/** What nodes do, when executions come to one of some states. */
const stepOf = (...states: readonly ExecutionState[]): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('report' as const),
        which: fc.nat(500),
        to: fc.constantFrom(...states),
        message: fc.constantFrom('broke', 'interrupted: node restarted'),
        endReason: fc.oneof(fc.constant('interrupted' as const), fc.constantFrom(...END_REASONS)),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('join' as const, 'leave' as const, 'lose' as const),
        which: fc.nat(5),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'look' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(100_000) }) },
  )

function take(world: World, action: Step): void {
  switch (action.kind) {
    case 'report': {
      const live = world.live()
      const execution = live[action.which % Math.max(live.length, 1)]
      if (execution !== undefined) world.report(execution.id, action.to, action.message, action.endReason)
      break
    }
    case 'join':
      world.nodes.set(`n-${action.which}`, makeNode(`n-${action.which}`))
      world.lost.delete(`n-${action.which}`)
      world.pending.push({ trigger: 'node-join' })
      break
    case 'leave':
    case 'lose':
      world.nodes.delete(`n-${action.which}`)
      if (action.kind === 'lose') world.lost.add(`n-${action.which}`)
      world.pending.push({ trigger: 'node-leave' })
      break
    case 'look':
      world.decide('exec-update')
      break
    case 'wait':
      world.settle(world.nowMs + action.ms)
      break
  }
}

/** From now on every node is there and does what it is asked. */
function behaveWell(world: World): void {
  for (let which = 0; which < 6; which++) world.nodes.set(`n-${which}`, makeNode(`n-${which}`))
  world.lost.clear()
  world.pending.push({ trigger: 'node-join' })
  const longRunning = world.job.type === 'service' || world.job.type === 'daemon'
  for (let round = 0; round < 40; round++) {
    world.settle(world.nowMs + HOUR_MS)
    for (const { id, state, desiredState } of world.live()) {
      if (state === 'New' || state === 'AskForBid') world.report(id, 'AskForBidAccepted')
      else if (desiredState !== 'Running') continue
      else if (state === 'AskForBidAccepted' || state === 'BidAccepted') world.report(id, 'Running')
      else if (!longRunning) world.report(id, 'Completed')
    }
  }
  world.settle(world.nowMs + HOUR_MS)
}

const jobOf = (maxCount: number, ...states: readonly ExecutionState[]) =>
  fc.record({
    type: fc.constantFrom<JobType>('batch', 'ops', 'service', 'daemon'),
    count: fc.integer({ min: 1, max: maxCount }),
    nodes: fc.uniqueArray(fc.nat(5), { maxLength: 5 }),
    steps: fc.array(stepOf(...states), { maxLength: 60 }),
  })

const seed = testSeed()

test(`whatever nodes do, plans are legal and bounded, and a job comes to rest once they behave (seed ${seed})`, () => {
  fc.assert(
    fc.property(jobOf(130, ...states), ({ type, count, nodes, steps }) => {
      const world = new World(
        makeJob(type, type === 'ops' || type === 'daemon' ? 0 : count),
        nodes.map((which) => `n-${which}`),
      )
      world.settle()
      for (const action of steps) take(world, action)
      behaveWell(world)
      const { state } = world.job
      if (JOB_MACHINE.terminal.has(state)) {
        assert.deepEqual(world.live(), [], `nothing is left of a job that is ${state}`)
        return
      }
      assert.ok(type === 'service' || type === 'daemon', `a ${type} job ends, it is ${state}`)
      assert.equal(state, 'Running')
      const live = world.live()
      if (type === 'service') assert.equal(live.length, count)
      assert.equal(new Set(live.map(({ nodeId, partition }) => partition ?? nodeId)).size, live.length)
      assert.ok(live.every(({ state: is }) => is === 'Running' || is === 'Publishing'))
    }),
    { numRuns: IS_LONG ? 2_000 : 60, seed },
  )
})

/** All that a world has come to, but for what is said to people. */
function factsOf(world: World): unknown {
  const executions = [...world.executions.values()].map((execution) => ({
    ...execution,
    stateMessage: '',
    desiredMessage: '',
  }))
  const pending = world.pending.map(({ trigger, dueAtMs }) => ({ trigger, dueAtMs }))
  // Each new reason that is told makes a revision.
  return { job: { ...world.job, stateMessage: '', revision: 0 }, executions, pending, nowMs: world.nowMs }
}

test(`messages are for people: whatever they say, the same is decided (seed ${seed})`, () => {
  const words = fc.constantFrom('', 'interrupted', 'interrupted: node restarted', 'rejected', 'timeout', 'x')
  fc.assert(
    fc.property(jobOf(3, 'Failed', 'AskForBidRejected'), words, ({ type, count, nodes, steps }, message) => {
      const worlds = [(text: string) => text, () => message].map((reword) => {
        const world = new World(
          makeJob(type, type === 'ops' || type === 'daemon' ? 0 : count),
          nodes.map((which) => `n-${which}`),
        )
        world.reword = reword
        world.settle()
        for (const action of steps) take(world, action)
        behaveWell(world)
        return factsOf(world)
      })
      assert.deepEqual(worlds[1], worlds[0])
    }),
    { numRuns: IS_LONG ? 1_500 : 50, seed },
  )
})
