import assert from 'node:assert/strict'

import type { ChangeSet, DurableStore, FeedCursor } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import type { StoreCase } from './fixture.ts'
import type { StoreActor } from './store-actor.ts'

/** Returns cases about the change feed: order, gaps, cursors. */
export function feedCases<Store extends DurableStore>(actor: StoreActor<Store>): readonly StoreCase<Store>[] {
  const { create, advance, end, remove, states, kind } = actor
  return [
    {
      name: 'an empty store has an empty feed and a cursor to follow from',
      run: async ({ store }) => {
        const page = await store.changes()
        assert.deepEqual([page.changeSets, page.gap], [[], null])
        assert.deepEqual((await store.changes({ after: page.cursor })).changeSets, [])
        assert.deepEqual((await store.changes({ after: await store.latestCursor() })).changeSets, [])
      },
    },
    {
      name: 'every change of a record stands in the feed, with the state before and after',
      run: async ({ store, clock }) => {
        const id = await create(store)
        clock.step(5)
        await advance(store, id)
        await end(store, id)
        await remove(store, id)
        const steps = changesOf((await store.changes()).changeSets, id).map((change) => [
          change.kind,
          change.operation,
          change.previousState,
          change.state,
        ])
        const [first, second, last] = states
        assert.deepEqual(steps, [
          [kind, 'put', null, first],
          [kind, 'put', first, second],
          [kind, 'put', second, last],
          [kind, 'remove', last, null],
        ])
      },
    },
    {
      name: 'sequence numbers rise, times are those of the changes, revisions count up',
      run: async ({ store, clock }) => {
        const startMs = clock.read()
        const id = await create(store)
        clock.step(1_000)
        await advance(store, id)
        const { changeSets } = await store.changes()
        assertRising(changeSets)
        assert.deepEqual(
          changeSets.map(({ atMs }) => atMs - startMs),
          [0, 1_000],
        )
        assert.deepEqual(
          changesOf(changeSets, id).map(({ revision }) => revision),
          [1, 2],
        )
      },
    },
    {
      name: 'pages of one follow each other without loss or repetition',
      run: async ({ store }) => {
        for (let n = 0; n < 7; n++) await create(store)
        const whole = (await store.changes()).changeSets
        const found = await follow(store, null, 1)
        assert.deepEqual(found, whole)
        assertRising(found)
      },
    },
    {
      name: 'pages back from the end, or from a cursor, are the same the other way round',
      run: async ({ store }) => {
        for (let n = 0; n < 7; n++) await create(store)
        const whole = (await store.changes()).changeSets
        for (const limit of [1, 3, 1_000]) {
          const found = []
          let page = await store.changes({ reverse: true, limit })
          for (
            ;
            page.changeSets.length > 0;
            page = await store.changes({ after: page.cursor, reverse: true, limit })
          ) {
            assert.equal(page.gap, null)
            const forwards = await store.changes({ after: page.cursor, limit: page.changeSets.length })
            assert.deepEqual(forwards.changeSets, page.changeSets.toReversed())
            found.push(...page.changeSets)
          }
          assert.deepEqual(found, whole.toReversed())
        }
        const { cursor } = await store.changes({ limit: 2 })
        const back = await store.changes({ after: cursor, reverse: true })
        assert.deepEqual(back.changeSets, whole.slice(0, 2).toReversed())
        assert.deepEqual((await store.changes({ after: back.cursor, reverse: true })).changeSets, [])
      },
    },
    {
      name: 'what is written between two pages comes on the second',
      run: async ({ store }) => {
        await create(store)
        const { cursor } = await store.changes()
        const id = await create(store)
        const { changeSets, gap } = await store.changes({ after: cursor })
        assert.deepEqual([changeSets.length, gap], [1, null])
        assert.equal(changesOf(changeSets, id).length, 1)
      },
    },
    {
      name: 'a change that is refused leaves nothing in the feed',
      run: async ({ store }) => {
        const id = await create(store)
        const before = (await store.changes()).changeSets
        await assert.rejects(actor.fail(store, id, []))
        assert.deepEqual((await store.changes()).changeSets, before)
      },
    },
    {
      name: 'trimming leaves an explicit gap for those who are behind it, and none for those who are not',
      run: async ({ store, clock }) => {
        await create(store)
        const behind = await store.latestCursor()
        await create(store)
        await create(store)
        const upToDate = await store.latestCursor()
        const { changeSets } = await store.changes({ after: behind })
        clock.step(10_000)
        await create(store)
        assert.equal(await store.trimFeed({ olderThanMs: 5_000 }), 3)
        const page = await store.changes({ after: behind })
        assert.equal(page.changeSets.length, 1)
        assert.equal(page.gap?.resumesAtSequence, page.changeSets[0]?.sequence)
        assert.ok((page.gap?.afterSequence ?? 0) < (changeSets[0]?.sequence ?? 0))
        const current = await store.changes({ after: upToDate })
        assert.deepEqual([current.changeSets.length, current.gap], [1, null])
        assert.equal((await store.changes({ after: page.cursor })).gap, null)
        assert.equal((await store.changes()).gap, null)
      },
    },
    {
      name: 'a feed that was trimmed to its end tells of the gap once, and then goes on',
      run: async ({ store, clock }) => {
        const start = await store.latestCursor()
        await create(store)
        clock.step(10)
        assert.equal(await store.trimFeed({ olderThanMs: 1 }), 1)
        const page = await store.changes({ after: start })
        assert.equal(page.changeSets.length, 0)
        assert.notEqual(page.gap, null)
        assert.deepEqual((await store.changes({ after: page.cursor })).gap, null)
        await create(store)
        assert.equal((await store.changes({ after: page.cursor })).changeSets.length, 1)
      },
    },
    {
      name: 'trimming by bytes and by steps removes the oldest first',
      run: async ({ store }) => {
        for (let n = 0; n < 6; n++) await create(store)
        const whole = (await store.changes()).changeSets
        assert.equal(await store.trimFeed({ maxBytes: 0, limit: 2 }), 2)
        assert.deepEqual((await store.changes()).changeSets, whole.slice(2))
        assert.equal(await store.trimFeed({ maxBytes: 1_000_000 }), 0)
        assert.equal(await store.trimFeed({ maxBytes: 0 }), 4)
        assert.deepEqual((await store.changes()).changeSets, [])
        assert.equal(await store.trimFeed({ maxBytes: 0 }), 0)
        await assertRejects(store.trimFeed({ maxBytes: 0, limit: 0 }), 'INVALID_ARGUMENT')
      },
    },
    {
      name: 'a cursor of another store is FEED_DIVERGED, one that is none INVALID_CURSOR',
      run: async ({ store, openAnother }) => {
        const another = await openAnother()
        await create(another)
        await create(store)
        const foreign = await another.latestCursor()
        await assertRejects(store.changes({ after: foreign }), 'FEED_DIVERGED')
        await assertRejects(store.setNamedCursor('mine', foreign), 'FEED_DIVERGED')
        for (const bad of ['', 'no cursor', '[]', Buffer.from('[1,2]').toString('base64url')]) {
          await assertRejects(store.changes({ after: bad }), 'INVALID_CURSOR')
        }
      },
    },
    {
      name: 'the limit of a page is 1 to 1,000',
      run: async ({ store }) => {
        for (const limit of [0, -1, 1.5, 1_001, Number.NaN]) {
          await assertRejects(store.changes({ limit }), 'INVALID_ARGUMENT')
        }
        assert.deepEqual((await store.changes({ limit: 1_000 })).changeSets, [])
      },
    },
    {
      name: 'named cursors are kept, each for itself',
      run: async ({ store }) => {
        assert.equal(await store.getNamedCursor('watcher'), null)
        await create(store)
        const first = await store.latestCursor()
        await store.setNamedCursor('watcher', first)
        await create(store)
        await store.setNamedCursor('other ü', await store.latestCursor())
        assert.equal(await store.getNamedCursor('watcher'), first)
        const after = (await store.getNamedCursor('watcher')) ?? ''
        assert.equal((await store.changes({ after })).changeSets.length, 1)
        assert.equal(
          (await store.changes({ after: await store.getNamedCursor('other ü') })).changeSets.length,
          0,
        )
        for (const name of ['', ' ', 'a\0b', 'x'.repeat(300)]) {
          await assertRejects(store.setNamedCursor(name, first), 'INVALID_ARGUMENT')
        }
      },
    },
    {
      name: 'cursors and names of cursors outlive an opening',
      needs: 'reopen',
      run: async ({ store, reopen }) => {
        await create(store)
        const cursor = await store.latestCursor()
        await store.setNamedCursor('watcher', cursor)
        await create(store)
        const again = await reopen()
        assert.equal(await again.getNamedCursor('watcher'), cursor)
        await create(again)
        const { changeSets, gap } = await again.changes({ after: cursor })
        assert.deepEqual([changeSets.length, gap], [2, null])
        assertRising(changeSets)
      },
    },
  ]
}

/** Reads the feed to its end in pages of a size. */
async function follow(store: DurableStore, after: FeedCursor | null, limit: number): Promise<ChangeSet[]> {
  const found: ChangeSet[] = []
  let cursor = after
  for (;;) {
    const page = await store.changes({ after: cursor, limit })
    assert.ok(page.changeSets.length <= limit)
    if (page.changeSets.length === 0) return found
    found.push(...page.changeSets)
    cursor = page.cursor
  }
}

function assertRising(changeSets: readonly ChangeSet[]): void {
  const sequences = changeSets.map(({ sequence }) => sequence)
  assert.deepEqual(
    sequences,
    [...new Set(sequences)].sort((a, b) => a - b),
  )
}

function changesOf(changeSets: readonly ChangeSet[], id: string) {
  return changeSets.flatMap(({ changes }) => changes).filter((change) => change.id === id)
}
