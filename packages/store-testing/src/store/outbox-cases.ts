import assert from 'node:assert/strict'

import type { DurableStore } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import type { StoreCase } from './fixture.ts'
import type { StoreActor } from './store-actor.ts'

/** Returns cases about the messages that are written with a change and leave by acknowledgement alone. */
export function outboxCases<Store extends DurableStore>(
  actor: StoreActor<Store>,
): readonly StoreCase<Store>[] {
  const { create, fail } = actor
  const bodies = async (store: Store, destination: string): Promise<unknown[]> =>
    (await store.readOutbox({ destination })).map(({ body }) => body)
  return [
    {
      name: 'messages come in the order of writing, each destination for itself',
      run: async ({ store, clock }) => {
        const body = (n: number) => ({ n, text: 'ü\0"\u2028' })
        await create(store, {
          outbox: [
            { destination: 'node-a', body: body(1) },
            { destination: 'node-b', body: body(2) },
          ],
        })
        clock.step(7)
        await create(store, { outbox: [{ destination: 'node-a', body: body(3) }] })
        assert.deepEqual(await store.outboxDestinations(), ['node-a', 'node-b'])
        const rows = await store.readOutbox({ destination: 'node-a' })
        assert.deepEqual(
          rows.map((row) => [row.destination, row.body, row.atMs]),
          [
            ['node-a', body(1), clock.read() - 7],
            ['node-a', body(3), clock.read()],
          ],
        )
        assert.ok((rows[0]?.sequence ?? 0) < (rows[1]?.sequence ?? 0))
        assert.deepEqual(await bodies(store, 'node-b'), [body(2)])
        assert.deepEqual(await bodies(store, 'node'), [])
      },
    },
    {
      name: 'reading goes on behind a sequence number and takes no more than asked for',
      run: async ({ store }) => {
        const outbox = [1, 2, 3, 4].map((n) => ({ destination: 'node', body: n }))
        await create(store, { outbox })
        const [first, second] = await store.readOutbox({ destination: 'node', limit: 2 })
        assert.deepEqual([first?.body, second?.body], [1, 2])
        const rest = await store.readOutbox({ destination: 'node', afterSequence: second?.sequence ?? 0 })
        assert.deepEqual(
          rest.map(({ body }) => body),
          [3, 4],
        )
        await assertRejects(store.readOutbox({ destination: 'node', limit: 0 }), 'INVALID_ARGUMENT')
      },
    },
    {
      name: 'acknowledging removes up to and with a number, and nothing of others',
      run: async ({ store }) => {
        await create(store, { outbox: [1, 2, 3].map((body) => ({ destination: 'node', body })) })
        await create(store, { outbox: [{ destination: 'nodes', body: 9 }] })
        const [, second] = await store.readOutbox({ destination: 'node' })
        const upToSequence = second?.sequence ?? 0
        assert.equal(await store.acknowledgeOutbox({ destination: 'node', upToSequence }), 2)
        assert.equal(await store.acknowledgeOutbox({ destination: 'node', upToSequence }), 0)
        assert.deepEqual(await bodies(store, 'node'), [3])
        const last = Number.MAX_SAFE_INTEGER
        assert.equal(await store.acknowledgeOutbox({ destination: 'node', upToSequence: last }), 1)
        assert.deepEqual(await store.outboxDestinations(), ['nodes'])
      },
    },
    {
      name: 'messages are replaced by others, which come last, unless none of them is there any more',
      run: async ({ store }) => {
        await create(store, { outbox: [1, 2, 3].map((body) => ({ destination: 'node', body })) })
        const [first, , third] = await store.readOutbox({ destination: 'node' })
        const sequences = [first?.sequence ?? 0, third?.sequence ?? 0]
        const replacing = { destination: 'node', sequences }
        const outbox = [
          { destination: 'node', body: 13 },
          { destination: 'aside', body: 1 },
        ]
        assert.equal(await store.replaceOutbox({ ...replacing, outbox }), 2)
        assert.deepEqual(await bodies(store, 'node'), [2, 13])
        assert.deepEqual(await bodies(store, 'aside'), [1])
        assert.equal(await store.replaceOutbox({ ...replacing, outbox }), 0)
        assert.deepEqual(await bodies(store, 'node'), [2, 13])
        for (const wrong of [[], [-1], [0.5], Array.from({ length: 501 }, (_, at) => at)])
          await assertRejects(
            store.replaceOutbox({ destination: 'node', sequences: wrong }),
            'INVALID_ARGUMENT',
          )
      },
    },
    {
      name: 'a message of a change that is refused is not sent',
      run: async ({ store }) => {
        const id = await create(store)
        await assert.rejects(fail(store, id, [{ destination: 'node', body: 1 }]))
        assert.deepEqual(await store.outboxDestinations(), [])
      },
    },
    {
      name: 'a destination without a text, too long or with control characters is refused, with its change',
      run: async ({ store }) => {
        for (const destination of ['', '  ', 'a\nb', '\0', '\ud800', 'x'.repeat(257)]) {
          await assertRejects(create(store, { outbox: [{ destination, body: 1 }] }), 'INVALID_ARGUMENT')
        }
        assert.deepEqual(await store.counts(), [])
        assert.deepEqual(await store.outboxDestinations(), [])
      },
    },
    {
      name: 'trimming the feed touches no message',
      run: async ({ store, clock }) => {
        await create(store, { outbox: [{ destination: 'node', body: 1 }] })
        clock.step(1_000)
        assert.equal(await store.trimFeed({ olderThanMs: 0, maxBytes: 0 }), 1)
        assert.deepEqual(await bodies(store, 'node'), [1])
      },
    },
    {
      name: 'more messages than one page has are acknowledged in one call',
      run: async ({ store }) => {
        const outbox = Array.from({ length: 600 }, (_, body) => ({ destination: 'node', body }))
        await create(store, { outbox })
        await create(store, { outbox })
        const upToSequence = Number.MAX_SAFE_INTEGER
        assert.equal(await store.acknowledgeOutbox({ destination: 'node', upToSequence }), 1_200)
        assert.deepEqual(await bodies(store, 'node'), [])
      },
    },
  ]
}
