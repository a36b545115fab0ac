import assert from 'node:assert/strict'
import type { KnownNode } from '@saltcod/store-core'
import { test } from 'vitest'
import { Nodes } from '../../src/requester/nodes.ts'
import { closingOf } from '../../src/requester/placement/node-closing.ts'
import { makeNode } from './scheduler/world.ts'

function recordOf(id: string): KnownNode {
  return {
    id,
    membership: 'approved',
    membershipMessage: '',
    scheduling: 'on',
    schedulingMessage: '',
    drainDeadlineAtMs: null,
    labels: {},
    ownLabels: {},
    givenLabels: {},
    engines: [],
    details: null,
    version: '',
    credentialHash: null,
    store: null,
    firstSeenAtMs: 1,
    lastSeenAtMs: 1,
    revision: 1,
  }
}

function start() {
  let nowMs = 1_000_000
  let passedMs = 50
  const nodes = new Nodes(
    { silentAfterMs: 60_000, lostAfterMs: 180_000 },
    () => nowMs,
    () => passedMs,
  )
  const { description, load } = makeNode('n-1')
  nodes.remember(recordOf('n-1'))
  nodes.register(description, load)
  /** Lets time pass while the requester looks around as it always does. */
  const pass = (ms: number): void => {
    for (const endMs = passedMs + ms; passedMs < endMs; nodes.list()) {
      const stepMs = Math.min(1000, endMs - passedMs)
      passedMs += stepMs
      nowMs += stepMs
    }
  }
  const sleep = (ms: number): void => {
    passedMs += ms
    nowMs += ms
  }
  const setClock = (byMs: number): void => {
    nowMs += byMs
  }
  return { nodes, pass, sleep, setClock, now: () => nowMs }
}

test('what a node has to say is waited for while it is silent, and for a while when it is back', () => {
  const { nodes, pass } = start()
  assert.equal(nodes.isAwaited('n-1'), false)
  pass(60_001)
  assert.equal(nodes.isAwaited('n-1'), true)
  nodes.touch('n-1')
  pass(29_000)
  nodes.touch('n-1')
  assert.equal(nodes.isAwaited('n-1'), true)
  pass(1_000)
  assert.equal(nodes.isAwaited('n-1'), false)
  // One that has not come yet since the start, and what it tells when it does.
  nodes.remember(recordOf('n-2'))
  const { description, load } = makeNode('n-2')
  assert.equal(nodes.isAwaited('n-2'), true)
  nodes.register(description, load, true)
  assert.equal(nodes.isAwaited('n-2'), true)
  pass(30_000)
  assert.equal(nodes.isAwaited('n-2'), false)
  pass(180_000)
  assert.equal(nodes.isAwaited('n-2'), false)
})

test('a node is connected while it is heard of, then silent, then lost', () => {
  const { nodes, pass } = start()
  pass(60_000)
  assert.equal(nodes.get('n-1')?.connected, true)
  pass(1000)
  assert.equal(nodes.get('n-1')?.connected, false)
  assert.deepEqual([nodes.isLost('n-1'), nodes.get('n-1')?.state], [false, 'silent'])
  pass(119_001)
  assert.deepEqual([nodes.isLost('n-1'), nodes.get('n-1')?.state], [true, 'lost'])
  nodes.touch('n-1')
  assert.deepEqual([nodes.isLost('n-1'), nodes.get('n-1')?.connected], [false, true])
})

test('a node that never came has as long from our start', () => {
  const { nodes, pass } = start()
  pass(180_000)
  assert.equal(nodes.isLost('n-2'), false)
  pass(1)
  assert.equal(nodes.isLost('n-2'), true)
})

test('a process that slept does not hold its own silence against its nodes', () => {
  const { nodes, pass, sleep } = start()
  pass(30_000)
  sleep(3_600_000)
  assert.equal(nodes.get('n-1')?.connected, true)
  assert.equal(nodes.isLost('n-1') || nodes.isLost('n-2'), false)
  pass(31_000)
  assert.equal(nodes.get('n-1')?.connected, false)
})

test('a clock that is set changes nothing about who is silent, and is what is shown', () => {
  const { nodes, pass, setClock, now } = start()
  for (const byMs of [86_400_000, -172_800_000]) {
    nodes.touch('n-1')
    pass(59_000)
    setClock(byMs)
    assert.equal(nodes.get('n-1')?.connected, true)
    pass(2000)
    assert.equal(nodes.get('n-1')?.connected, false)
    assert.equal(nodes.isLost('n-1'), false)
    nodes.touch('n-1')
    assert.equal(nodes.get('n-1')?.lastContactMs, now())
  }
})

test('only a node that is connected, approved and not drained gets work', () => {
  const { nodes, pass } = start()
  const closing = () => {
    const [node] = nodes.list()
    return node === undefined ? 'gone' : closingOf(node)
  }
  assert.equal(closing(), null)
  nodes.remember({ ...recordOf('n-1'), scheduling: 'drained' })
  assert.deepEqual([closing(), nodes.lossOf('n-1')], ['drained', null])
  nodes.remember({ ...recordOf('n-1'), membership: 'pending' })
  assert.deepEqual([closing(), nodes.lossOf('n-1')], ['pending', null])
  nodes.remember({ ...recordOf('n-1'), membership: 'rejected' })
  assert.deepEqual([closing(), nodes.lossOf('n-1')], ['rejected', 'node n-1 was rejected'])
  nodes.remember(recordOf('n-1'))
  pass(61_000)
  assert.equal(closing(), 'silent')
  nodes.remember({ ...recordOf('n-1'), scheduling: 'drained' })
  assert.equal(closing(), 'drained')
  pass(180_000)
  assert.equal(closing(), 'lost')
  nodes.forget('n-1')
  assert.deepEqual([closing(), nodes.lossOf('n-1')], ['gone', 'node n-1 was deleted'])
})

test('what a node is stays the same object until it is something else, and each change is counted', () => {
  const { nodes, pass } = start()
  const look = () => [nodes.get('n-1')?.description, nodes.changes.count] as const
  const [description, count] = look()
  nodes.touch('n-1')
  assert.deepEqual([look()[0] === description, look()[1]], [true, count])
  nodes.remember({ ...recordOf('n-1'), labels: { disk: 'fast' } })
  const [labelled, after] = look()
  assert.deepEqual([labelled?.labels, after], [{ disk: 'fast' }, count + 1])
  pass(61_000)
  nodes.touch('n-1')
  assert.deepEqual([look()[0] === labelled, look()[1]], [true, count + 2])
  pass(181_000)
  assert.ok(nodes.isLost('n-1') && nodes.isLost('n-1'))
  assert.equal(look()[1], count + 3)
})

test('which nodes were heard of is told once', () => {
  const { nodes, now } = start()
  assert.deepEqual(nodes.takeSightings(), [])
  nodes.touch('n-1', { sequence: 7 })
  nodes.touch('n-2')
  assert.deepEqual(nodes.takeSightings(), [{ id: 'n-1', atMs: now(), sequence: 7 }])
  assert.deepEqual(nodes.takeSightings(), [])
})
