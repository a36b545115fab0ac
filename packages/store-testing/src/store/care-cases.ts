import assert from 'node:assert/strict'

import type { DurableStore } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import type { StoreCase } from './fixture.ts'
import { START_MS } from './settable-clock.ts'
import type { StoreActor } from './store-actor.ts'

const DAY_MS = 86_400_000

/** Returns cases about counts, request ids, what a store says of itself, closing, readers. */
export function careCases<Store extends DurableStore>(actor: StoreActor<Store>): readonly StoreCase<Store>[] {
  const { create, advance, end, remove, states, kind } = actor
  const counted = async (store: Store, namespace?: string): Promise<unknown[]> =>
    (await store.counts({ kind, ...(namespace === undefined ? {} : { namespace }) })).map((count) => [
      count.namespace,
      count.state,
      count.records,
    ])
  return [
    {
      name: 'counters follow every change, by namespace and state, and vanish at zero',
      run: async ({ store }) => {
        const [first, second, last] = states
        const id = await create(store, { namespace: 'one' })
        await create(store, { namespace: 'one' })
        await create(store, { namespace: 'two' })
        assert.deepEqual(await counted(store), [
          ['one', first, 2],
          ['two', first, 1],
        ])
        await advance(store, id)
        assert.deepEqual(
          await counted(store, 'one'),
          [
            ['one', first, 1],
            ['one', second, 1],
          ].sort(),
        )
        await end(store, id)
        await remove(store, id)
        assert.deepEqual(await counted(store, 'one'), [['one', first, 1]])
        assert.deepEqual(await counted(store, 'on'), [])
        assert.equal((await counted(store)).flat().includes(last), false)
        for (const { bytes } of await store.counts()) assert.ok(bytes > 0)
      },
    },
    {
      name: 'a change with a request id is made once, and answered alike each time',
      run: async ({ store }) => {
        const before = await create(store, {
          requestId: 'request 1',
          outbox: [{ destination: 'node', body: 1 }],
        })
        const { sequence } = await store.info()
        const again = await create(store, {
          requestId: 'request 1',
          outbox: [{ destination: 'node', body: 1 }],
        })
        assert.equal(again, before)
        assert.equal((await store.info()).sequence, sequence)
        assert.equal((await store.readOutbox({ destination: 'node' })).length, 1)
        assert.notEqual(await create(store, { requestId: 'request 2' }), before)
      },
    },
    {
      name: 'concurrent calls with one request id make one change',
      run: async ({ store }) => {
        const ids = await Promise.all([1, 2, 3, 4, 5].map(() => create(store, { requestId: 'same' })))
        assert.equal(new Set(ids).size, 1)
        assert.equal((await store.changes()).changeSets.length, 1)
      },
    },
    {
      name: 'a request id without text, too long or with control characters is refused',
      run: async ({ store }) => {
        for (const requestId of ['', ' ', 'a\0', '\udc00', 'x'.repeat(300)]) {
          await assertRejects(create(store, { requestId }), 'INVALID_ARGUMENT')
        }
        assert.deepEqual(await store.counts(), [])
      },
    },
    {
      name: 'a request id is forgotten with the feed of its age',
      run: async ({ store, clock }) => {
        const before = await create(store, { requestId: 'once' })
        clock.step(1_000)
        await store.trimFeed({ olderThanMs: 2_000 })
        assert.equal(await create(store, { requestId: 'once' }), before)
        await store.trimFeed({ olderThanMs: 500 })
        assert.notEqual(await create(store, { requestId: 'once' }), before)
      },
    },
    {
      name: 'a request id is forgotten where the feed is trimmed by bytes alone, after a day or what is asked for',
      run: async ({ store, clock }) => {
        const before = await create(store, { requestId: 'once' })
        clock.step(DAY_MS)
        assert.equal(await store.trimFeed({ maxBytes: 1_000_000 }), 0)
        assert.equal(await create(store, { requestId: 'once' }), before)
        clock.step(1)
        assert.equal(await store.trimFeed({ maxBytes: 1_000_000 }), 1)
        const again = await create(store, { requestId: 'once' })
        assert.notEqual(again, before)
        clock.step(10)
        assert.equal(await store.trimFeed({ maxBytes: 1_000_000, requestIdsOlderThanMs: 10 }), 0)
        assert.equal(await store.trimFeed({ maxBytes: 1_000_000, requestIdsOlderThanMs: 9 }), 1)
        assert.notEqual(await create(store, { requestId: 'once' }), again)
      },
    },
    {
      name: 'a clock that tells fractions of milliseconds is read in whole ones',
      run: async ({ store, clock }) => {
        clock.step(0.75)
        const id = await create(store, { deadlineAtMs: Math.floor(clock.read()) + 1 })
        clock.step(0.5)
        await end(store, id)
        const { changeSets } = await store.changes()
        assert.deepEqual(
          changeSets.map(({ atMs }) => atMs),
          [START_MS, START_MS + 1],
        )
        clock.step(0.25)
        assert.equal(await store.trimFeed({ olderThanMs: 0.5 }), 1)
      },
    },
    {
      name: 'a clock that tells no time makes no change',
      run: async ({ store, clock }) => {
        clock.step(Number.NaN)
        await assert.rejects(create(store), TypeError)
        clock.set(START_MS)
        assert.deepEqual(await store.counts(), [])
      },
    },
    {
      name: 'request ids outlive an opening',
      needs: 'reopen',
      run: async ({ store, reopen }) => {
        const before = await create(store, { requestId: 'once' })
        assert.equal(await create(await reopen(), { requestId: 'once' }), before)
      },
    },
    {
      name: 'a store says what it is',
      run: async ({ store, clock, openAnother }) => {
        const empty = await store.info()
        assert.deepEqual([empty.readOnly, empty.sequence, empty.lastChangeAtMs], [false, 0, 0])
        assert.equal(empty.createdAtMs, clock.read())
        assert.equal(empty.incarnations[0]?.firstSequence, 1)
        assert.equal(empty.quarantined, 0)
        assert.deepEqual(await store.listQuarantine(), [])
        clock.step(3)
        await create(store)
        const changed = await store.info()
        assert.ok(changed.sequence > 0)
        assert.equal(changed.lastChangeAtMs, clock.read())
        assert.equal(changed.storeId, empty.storeId)
        assert.notEqual((await (await openAnother()).info()).storeId, empty.storeId)
      },
    },
    {
      name: 'opening again notes a further incarnation of the same store',
      needs: 'reopen',
      run: async ({ store, clock, reopen }) => {
        await create(store)
        const before = await store.info()
        clock.step(10)
        const after = await (await reopen()).info()
        assert.deepEqual([after.storeId, after.sequence], [before.storeId, before.sequence])
        assert.deepEqual(after.incarnations.slice(1), before.incarnations)
        assert.equal(after.incarnations[0]?.firstSequence, before.sequence + 1)
        assert.equal(after.incarnations[0]?.openedAtMs, clock.read())
      },
    },
    {
      name: 'a closed store refuses every call, and closing twice is fine',
      run: async ({ openAnother }) => {
        const store = await openAnother()
        const id = await create(store)
        await store.close()
        await store.close()
        for (const call of [store.info(), store.counts(), store.changes(), store.check(), store.reclaim()]) {
          await assertRejects(call, 'STORE_CLOSED')
        }
        await assertRejects(advance(store, id) as Promise<unknown>, 'STORE_CLOSED')
      },
    },
    {
      name: 'a reader sees what was acknowledged and writes nothing',
      needs: 'reader',
      run: async ({ store, openReader }) => {
        const id = await create(store)
        const reader = await openReader()
        assert.equal((await reader.info()).readOnly, true)
        assert.deepEqual(await reader.counts(), await store.counts())
        await advance(store, id)
        assert.deepEqual(await reader.counts(), await store.counts())
        assert.deepEqual((await reader.check()).findings, [])
        await assertRejects(advance(reader, id) as Promise<unknown>, 'STORE_READ_ONLY')
        await assertRejects(create(reader), 'STORE_READ_ONLY')
        assert.equal((await reader.info()).incarnations.length, (await store.info()).incarnations.length)
      },
    },
    {
      name: 'many concurrent changes all succeed, and every one is there',
      run: async ({ store }) => {
        const ids = await Promise.all(Array.from({ length: 200 }, () => create(store)))
        assert.equal(new Set(ids).size, 200)
        assert.deepEqual(await counted(store), [['default', states[0], 200]])
        await Promise.all(ids.map((id) => advance(store, id)))
        assert.deepEqual(await counted(store), [['default', states[1], 200]])
      },
    },
  ]
}
