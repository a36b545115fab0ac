import assert from 'node:assert/strict'

import type { JobStore, KnownNode } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { jump } from '../store/clock-jump.ts'
import {
  assertRefused,
  JSON_OF_NO_OBJECT,
  type Mistake,
  NO_AMOUNTS,
  NO_LISTS,
  NO_NUMBERS,
  NO_TEXTS,
} from '../store/mistake.ts'
import { readAll } from '../store/pages.ts'
import type { JobCase } from './job-case.ts'

const STORE = { storeId: 'store-1', incarnation: 'opening-1', firstSequence: 3, sequence: 9 }
const SAID = {
  labels: { zone: 'a', disk: '' },
  engines: ['wasm', 'exec'],
  details: { capacity: { cpu: 2, nothing: null } },
  version: '0.1.0',
  credentialHash: 'sha256:00',
  store: STORE,
} as const

async function newestChange(store: JobStore): Promise<unknown> {
  return (await store.changes({ reverse: true, limit: 1 })).changeSets[0]?.changes
}

/** Cases about the nodes that run jobs. */
export const nodeCases: readonly JobCase[] = [
  {
    name: 'a node that comes is pending unless it is said to be approved, and is kept with all that it says',
    run: async ({ store, clock }) => {
      const nowMs = clock.read()
      const bare = await store.recordNode({ id: 'n-bare' })
      const nothing: KnownNode = {
        id: 'n-bare',
        membership: 'pending',
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
        firstSeenAtMs: nowMs,
        lastSeenAtMs: nowMs,
        revision: 1,
      }
      assert.deepEqual(bare, nothing)
      const full = await store.recordNode({ id: 'n-full', membership: 'approved', ...SAID })
      const { labels, ...others } = SAID
      const said = {
        ...nothing,
        id: 'n-full',
        membership: 'approved' as const,
        labels,
        ownLabels: labels,
        ...others,
      }
      assert.deepEqual(full, said)
      assert.deepEqual(await store.getNode('n-full'), said)
      assert.deepEqual(await newestChange(store), [
        {
          kind: 'node',
          id: 'n-full',
          jobId: 'n-full',
          namespace: '',
          operation: 'put',
          previousState: null,
          state: 'approved',
          revision: 1,
        },
      ])
      assert.equal(await store.getNode('n-none'), null)
    },
  },
  {
    name: 'a node that comes again keeps what was decided of it, and only what is new of it is a change',
    run: async ({ store, clock }) => {
      await store.recordNode({ id: 'n-1', ...SAID })
      await store.changeNode({ nodeId: 'n-1', membership: 'approved', message: 'ours' })
      await store.changeNode({ nodeId: 'n-1', labels: { zone: 'b', rack: '7' } })
      const { cursor } = await store.changes()
      clock.step(60_000)
      const again = await store.recordNode({
        id: 'n-1',
        ...SAID,
        store: { ...STORE, sequence: 12 },
        membership: 'pending',
      })
      assert.equal(again.revision, 3)
      assert.equal(again.membership, 'approved')
      assert.equal(again.membershipMessage, 'ours')
      assert.deepEqual(again.labels, { zone: 'b', disk: '', rack: '7' })
      assert.deepEqual(again.ownLabels, SAID.labels)
      assert.equal(again.store?.sequence, 12)
      assert.equal(again.lastSeenAtMs, clock.read())
      assert.equal(again.firstSeenAtMs, clock.read() - 60_000)
      assert.deepEqual((await store.changes({ after: cursor })).changeSets, [])
      const other = await store.recordNode({ id: 'n-1', labels: {}, store: null, credentialHash: null })
      assert.equal(other.revision, 4)
      assert.deepEqual([other.store, other.credentialHash, other.engines], [null, null, SAID.engines])
      assert.deepEqual(other.labels, { zone: 'b', rack: '7' })
    },
  },
  {
    name: 'that nodes were seen is noted without being a change, and never goes back',
    run: async ({ store, clock }) => {
      const { lastSeenAtMs: atMs } = await store.recordNode({ id: 'n-1', store: STORE })
      await store.recordNode({ id: 'n-2' })
      const { cursor } = await store.changes()
      clock.step(60_000)
      await store.seeNodes({
        seen: [
          { id: 'n-1', atMs: atMs + 9, sequence: 20 },
          { id: 'n-2', atMs: atMs + 5, sequence: 3 },
          { id: 'n-none', atMs },
        ],
      })
      await store.seeNodes({ seen: [{ id: 'n-1', atMs, sequence: 10 }] })
      const seen = await store.getNode('n-1')
      assert.deepEqual([seen?.lastSeenAtMs, seen?.store?.sequence, seen?.revision], [atMs + 9, 20, 1])
      const without = await store.getNode('n-2')
      assert.deepEqual([without?.lastSeenAtMs, without?.store], [atMs + 5, null])
      assert.deepEqual((await store.changes({ after: cursor })).changeSets, [])
    },
  },
  {
    name: 'a node is approved, rejected, drained until a time and given work again, each with its reason',
    run: async ({ store, clock }) => {
      await store.recordNode({ id: 'n-1' })
      const decide = async (change: Omit<Parameters<JobStore['changeNode']>[0], 'nodeId'>) =>
        await store.changeNode({ nodeId: 'n-1', ...change })
      await decide({ membership: 'rejected', message: 'not ours' })
      await assertRejects(decide({ membership: 'rejected' }), 'STATE_CONFLICT')
      const approved = await decide({ membership: 'approved', expectedRevision: 2 })
      assert.deepEqual(
        [approved.membership, approved.membershipMessage, approved.revision],
        ['approved', '', 3],
      )
      await assertRejects(decide({ scheduling: 'drained', expectedRevision: 2 }), 'REVISION_CONFLICT')
      const untilMs = clock.read() + 60_000
      const drained = await decide({ scheduling: 'drained', drainDeadlineAtMs: untilMs, message: 'new disk' })
      assert.deepEqual(
        [drained.scheduling, drained.schedulingMessage, drained.drainDeadlineAtMs],
        ['drained', 'new disk', untilMs],
      )
      await jump(store, clock, 3_600_000)
      assert.equal((await store.getNode('n-1'))?.drainDeadlineAtMs, untilMs + 3_600_000)
      const later = await decide({ drainDeadlineAtMs: null })
      assert.deepEqual([later.scheduling, later.drainDeadlineAtMs], ['drained', null])
      const resumed = await decide({ scheduling: 'on' })
      assert.deepEqual(
        [resumed.scheduling, resumed.schedulingMessage, resumed.membership],
        ['on', '', 'approved'],
      )
      await assertRejects(decide({ drainDeadlineAtMs: untilMs }), 'INVALID_ARGUMENT')
      await assertRejects(store.changeNode({ nodeId: 'n-none' }), 'NODE_NOT_FOUND')
    },
  },
  {
    name: 'labels are given and taken back, and those of the node itself stay',
    run: async ({ store }) => {
      await store.recordNode({ id: 'n-1', labels: { zone: 'a' } })
      await store.changeNode({ nodeId: 'n-1', labels: { zone: 'b', rack: '7' } })
      const { labels } = await store.changeNode({
        nodeId: 'n-1',
        labels: { zone: null, other: null, floor: '' },
      })
      assert.deepEqual(labels, { zone: 'a', rack: '7', floor: '' })
      const { givenLabels } = await store.changeNode({ nodeId: 'n-1', labels: { rack: null, floor: null } })
      assert.deepEqual(givenLabels, {})
      const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`l${n}`, '']))
      await assertRejects(store.changeNode({ nodeId: 'n-1', labels: many }), 'INVALID_ARGUMENT')
    },
  },
  {
    name: 'a node is found by the beginning of its id, and a whole id means its node',
    run: async ({ store }) => {
      const uuid = 'n-0a1b2c3d-0000-4000-8000-000000000000'
      for (const id of ['lisbon', 'lisbon-2', 'porto', uuid]) await store.recordNode({ id })
      assert.equal((await store.findNode('lisbon')).id, 'lisbon')
      assert.equal((await store.findNode('lisbon-')).id, 'lisbon-2')
      assert.equal((await store.findNode('n-0a1b')).id, uuid)
      await assertRejects(store.findNode('lis'), 'AMBIGUOUS_ID')
      for (const text of ['', 'madrid', 'x'.repeat(3_000)])
        await assertRejects(store.findNode(text), 'NODE_NOT_FOUND')
    },
  },
  {
    name: 'nodes are listed by their ids, all or those of one membership, page by page',
    run: async ({ store }) => {
      const ids = Array.from({ length: 7 }, (_, n) => `node-${n}`)
      for (const [n, id] of ids.entries())
        await store.recordNode({ id, membership: n % 2 === 0 ? 'approved' : 'pending' })
      const list = async (query: Parameters<JobStore['listNodes']>[0]) =>
        (await readAll((request) => store.listNodes({ ...query, ...request }), { limit: 2 })).map(
          ({ id }) => id,
        )
      assert.deepEqual(await list({}), ids)
      assert.deepEqual(await list({ reverse: true }), ids.toReversed())
      assert.deepEqual(await list({ membership: 'pending' }), ['node-1', 'node-3', 'node-5'])
      assert.deepEqual(await list({ membership: 'rejected' }), [])
    },
  },
  {
    name: 'a deleted node is gone for every reader, its executions and messages stay, and it may come again',
    run: async ({ store }) => {
      await store.recordNode({ id: 'n-1', membership: 'approved' })
      await store.changeNode({ nodeId: 'n-1', labels: { a: 'b' }, outbox: [{ destination: 'n-1', body: 1 }] })
      await assertRejects(store.deleteNode({ nodeId: 'n-1', expectedRevision: 1 }), 'REVISION_CONFLICT')
      await store.deleteNode({ nodeId: 'n-1', expectedRevision: 2 })
      assert.deepEqual(await newestChange(store), [
        {
          kind: 'node',
          id: 'n-1',
          jobId: 'n-1',
          namespace: '',
          operation: 'remove',
          previousState: 'approved',
          state: null,
          revision: 2,
        },
      ])
      assert.equal(await store.getNode('n-1'), null)
      assert.deepEqual((await store.listNodes()).items, [])
      assert.deepEqual(await store.outboxDestinations(), ['n-1'])
      await assertRejects(store.deleteNode({ nodeId: 'n-1' }), 'NODE_NOT_FOUND')
      const again = await store.recordNode({ id: 'n-1' })
      assert.deepEqual([again.membership, again.revision, again.labels], ['pending', 1, {}])
    },
  },
  {
    name: 'nodes outlive an opening',
    needs: 'reopen',
    run: async ({ store, reopen }) => {
      await store.recordNode({ id: 'n-1', ...SAID })
      const node = await store.changeNode({ nodeId: 'n-1', membership: 'approved' })
      const again = await reopen()
      assert.deepEqual(await again.getNode('n-1'), node)
    },
  },
  {
    name: 'a node, or a change of one, of wrong types or out of its limits is not taken',
    run: async ({ store }) => {
      await store.recordNode({ id: 'n-1' })
      await assertRefused(store, [...recordMistakes(store), ...changeMistakes(store)])
    },
  },
]

function recordMistakes(store: JobStore): Mistake[] {
  const one = (field: string) => (value: never) => store.recordNode({ id: 'n-2', [field]: value })
  const storeOf = (field: string) => (value: never) =>
    store.recordNode({ id: 'n-2', store: { ...STORE, [field]: value } })
  return [
    { what: 'id', types: NO_TEXTS, values: ['', ' ', 'a b', 'x'.repeat(200)], call: one('id') },
    { what: 'labels', types: JSON_OF_NO_OBJECT, call: one('labels') },
    { what: 'engines', types: [...NO_LISTS, [5]], values: [['']], call: one('engines') },
    { what: 'details', values: [10n, () => 1, 'x'.repeat(70_000)], call: one('details') },
    { what: 'version', types: NO_TEXTS, call: one('version') },
    { what: 'credentialHash', types: NO_TEXTS.slice(1), values: [''], call: one('credentialHash') },
    { what: 'store', types: [5, 'x'], call: one('store') },
    { what: 'storeId', types: NO_TEXTS, values: [''], call: storeOf('storeId') },
    { what: 'sequence', types: NO_NUMBERS, values: [...NO_AMOUNTS, 1.5], call: storeOf('sequence') },
    { what: 'membership', types: NO_TEXTS, values: ['rejected', 'other'], call: one('membership') },
    {
      what: 'seen',
      types: [...NO_LISTS, [5], [{ id: 5, atMs: 1 }]],
      call: (seen) => store.seeNodes({ seen }),
    },
    {
      what: 'time',
      types: NO_NUMBERS,
      values: NO_AMOUNTS,
      call: (atMs) => store.seeNodes({ seen: [{ id: 'n-1', atMs }] }),
    },
  ]
}

function changeMistakes(store: JobStore): Mistake[] {
  const one = (field: string) => (value: never) => store.changeNode({ nodeId: 'n-1', [field]: value })
  return [
    { what: 'membership', types: NO_TEXTS, values: ['other'], call: one('membership') },
    { what: 'scheduling', types: NO_TEXTS, values: ['off'], call: one('scheduling') },
    {
      what: 'drainDeadlineAtMs',
      types: NO_NUMBERS.slice(1),
      values: NO_AMOUNTS,
      call: one('drainDeadlineAtMs'),
    },
    { what: 'message', types: NO_TEXTS, call: one('message') },
    { what: 'labels', types: JSON_OF_NO_OBJECT, values: [{ '': 'x' }], call: one('labels') },
    {
      what: 'label',
      types: [5, {}],
      call: (value) => store.changeNode({ nodeId: 'n-1', labels: { a: value } }),
    },
    {
      what: 'expectedRevision',
      types: NO_NUMBERS,
      values: [...NO_AMOUNTS, 1.5],
      call: one('expectedRevision'),
    },
    { what: 'getNode', types: NO_TEXTS, call: (id) => store.getNode(id) },
    { what: 'findNode', types: NO_TEXTS, call: (id) => store.findNode(id) },
    {
      what: 'listNodes',
      types: NO_TEXTS,
      values: ['other'],
      call: (membership) => store.listNodes({ membership }),
    },
  ]
}
