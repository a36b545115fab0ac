import assert from 'node:assert/strict'

import type { DurableStore, FeedPage } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import type { StoreCase } from './fixture.ts'
import type { StoreActor } from './store-actor.ts'

/** Returns cases about following the feed as it grows. */
export function watchCases<Store extends DurableStore>(
  actor: StoreActor<Store>,
): readonly StoreCase<Store>[] {
  const { create } = actor
  return [
    {
      name: 'a watch first replays, then follows, and ends with its signal',
      needs: 'single opening',
      run: async ({ store }) => {
        const known = await create(store)
        const aborting = new AbortController()
        const watch = store.watch({ signal: aborting.signal })
        assert.deepEqual(await idsOfNext(watch), [known])
        const waiting = idsOfNext(watch)
        const made = await create(store)
        assert.deepEqual(await waiting, [made])
        const ended = watch.next()
        aborting.abort()
        assert.equal((await ended).done, true)
      },
    },
    {
      name: 'a watch behind a cursor begins there, and misses nothing that comes while it is not looked at',
      needs: 'single opening',
      run: async ({ store }) => {
        await create(store)
        const aborting = new AbortController()
        const watch = store.watch({ after: await store.latestCursor(), signal: aborting.signal })
        const expected: string[] = []
        const found: string[] = []
        for (let round = 0; round < 5; round++) {
          for (let n = 0; n <= round; n++) expected.push(await create(store))
          found.push(...(await idsOfNext(watch)))
        }
        while (found.length < expected.length) found.push(...(await idsOfNext(watch)))
        assert.deepEqual(found, expected)
        aborting.abort()
        assert.equal((await watch.next()).done, true)
      },
    },
    {
      name: 'a watch of cursors alone says how far the feed goes, once for all that came meanwhile',
      needs: 'single opening',
      run: async ({ store }) => {
        await create(store)
        const aborting = new AbortController()
        const after = await store.latestCursor()
        const watch = store.watch({ after, cursorsOnly: true, signal: aborting.signal })
        const first = watch.next()
        await create(store)
        const seen: unknown[] = [(await first).value?.cursor]
        await create(store)
        const made = await create(store)
        for (const end = await store.latestCursor(); seen.at(-1) !== end; ) {
          const { value } = await watch.next()
          assert.deepEqual([value?.changeSets, value?.gap], [[], null])
          seen.push(value?.cursor)
        }
        assert.ok(seen.length <= 3)
        const behind = store.watch({ after: seen[0] as string, signal: aborting.signal })
        assert.ok((await idsOfNext(behind)).includes(made))
        const ended = watch.next()
        aborting.abort()
        assert.equal((await ended).done, true)
        await assertRejects(store.watch({ after: 'none', cursorsOnly: true }).next(), 'INVALID_CURSOR')
      },
    },
    {
      name: 'a signal that was aborted before ends a watch at once',
      run: async ({ store }) => {
        await create(store)
        assert.equal((await store.watch({ signal: AbortSignal.abort() }).next()).done, true)
      },
    },
    {
      name: 'several watches see the same',
      needs: 'single opening',
      run: async ({ store }) => {
        const aborting = new AbortController()
        const watches = [1, 2, 3].map(() => store.watch({ signal: aborting.signal }))
        const waiting = watches.map((watch) => idsOfNext(watch))
        const id = await create(store)
        for (const ids of waiting) assert.deepEqual(await ids, [id])
        const ends = watches.map((watch) => watch.next())
        aborting.abort()
        for (const end of ends) assert.equal((await end).done, true)
      },
    },
    {
      name: 'a watch tells of a gap with an otherwise empty page',
      run: async ({ store, clock }) => {
        const after = await store.latestCursor()
        await create(store)
        clock.step(10)
        await store.trimFeed({ olderThanMs: 1 })
        const watch = store.watch({ after })
        const { value } = await watch.next()
        assert.notEqual(value?.gap, null)
        assert.deepEqual(value?.changeSets, [])
        await watch.return?.()
      },
    },
    {
      name: 'closing the store ends a watch with STORE_CLOSED',
      run: async ({ openAnother }) => {
        const store = await openAnother()
        const waiting = store.watch().next()
        const refused = assertRejects(waiting, 'STORE_CLOSED')
        await store.close()
        await refused
      },
    },
    {
      name: 'a watch of a reader follows what the owner writes',
      needs: 'reader',
      run: async ({ store, openReader }) => {
        const id = await create(store)
        const reader = await openReader()
        const aborting = new AbortController()
        const watch = reader.watch({ signal: aborting.signal, pollMs: 5 })
        assert.deepEqual(await idsOfNext(watch), [id])
        const waiting = idsOfNext(watch)
        const made = await create(store)
        assert.deepEqual(await waiting, [made])
        const ended = watch.next()
        aborting.abort()
        assert.equal((await ended).done, true)
      },
    },
  ]
}

/** Returns the ids of the records on the next page, in order, each once. */
async function idsOfNext(watch: AsyncIterableIterator<FeedPage>): Promise<string[]> {
  const next = await watch.next()
  if (next.done === true) assert.fail('the watch has ended')
  const { changeSets } = next.value
  assert.ok(changeSets.length > 0, 'the page is empty')
  const changes = changeSets.flatMap((changeSet) => changeSet.changes)
  return [...new Set(changes.filter(({ kind }) => kind !== 'evaluation').map(({ id }) => id))]
}
