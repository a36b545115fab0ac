import assert from 'node:assert/strict'

import type { DurableStore } from '@saltcod/store-core'
import { assertRejects } from '../kv/expectation.ts'
import { jump } from './clock-jump.ts'
import type { StoreCase } from './fixture.ts'
import type { StoreActor } from './store-actor.ts'

const DAY_MS = 86_400_000

/** Returns cases about deadlines. */
export function deadlineCases<Store extends DurableStore>(
  actor: StoreActor<Store>,
): readonly StoreCase<Store>[] {
  const { create, end, remove, setDeadline, kind } = actor
  const due = async (store: Store): Promise<string[]> => (await store.dueDeadlines()).map(({ id }) => id)
  return [
    {
      name: 'a deadline is due at its time, the oldest first, and stays until its record changes',
      run: async ({ store, clock }) => {
        const nowMs = clock.read()
        const late = await create(store, { deadlineAtMs: nowMs + 200 })
        const early = await create(store, { deadlineAtMs: nowMs + 100 })
        await create(store)
        assert.equal(await store.nextDeadlineMs(), nowMs + 100)
        clock.step(99)
        assert.deepEqual(await due(store), [])
        clock.step(1)
        assert.deepEqual(await store.dueDeadlines(), [{ kind, id: early, dueAtMs: nowMs + 100 }])
        clock.step(100)
        assert.deepEqual(await due(store), [early, late])
        assert.deepEqual(await due(store), [early, late])
        assert.equal((await store.dueDeadlines({ limit: 1 }))[0]?.id, early)
        await assertRejects(store.dueDeadlines({ limit: 0 }), 'INVALID_ARGUMENT')
      },
    },
    {
      name: 'a deadline can be moved and cleared',
      run: async ({ store, clock }) => {
        const nowMs = clock.read()
        const id = await create(store, { deadlineAtMs: nowMs + 100 })
        await setDeadline(store, id, nowMs + 300)
        assert.equal(await store.nextDeadlineMs(), nowMs + 300)
        clock.step(200)
        assert.deepEqual(await due(store), [])
        await setDeadline(store, id, null)
        assert.equal(await store.nextDeadlineMs(), null)
        await setDeadline(store, id, clock.read())
        assert.deepEqual(await due(store), [id])
      },
    },
    {
      name: 'what has ended has no deadline, nor has what was deleted',
      run: async ({ store, clock }) => {
        const id = await create(store, { deadlineAtMs: clock.read() + 10 })
        await end(store, id)
        assert.equal(await store.nextDeadlineMs(), null)
        clock.step(100)
        assert.deepEqual(await due(store), [])
        await remove(store, id)
        assert.deepEqual(await due(store), [])
      },
    },
    {
      name: 'a deadline that is no time is refused',
      run: async ({ store, clock }) => {
        for (const deadlineAtMs of [Number.NaN, 1.5, -1, Number.POSITIVE_INFINITY, 2 ** 53]) {
          await assertRejects(create(store, { deadlineAtMs }), 'INVALID_ARGUMENT')
        }
        assert.equal(await store.nextDeadlineMs(), null)
        const id = await create(store, { deadlineAtMs: clock.read() })
        await assertRejects(setDeadline(store, id, Number.NaN), 'INVALID_ARGUMENT')
        assert.deepEqual(await due(store), [id])
      },
    },
    {
      name: 'a deadline comes when it would have, however the clock is set',
      needs: 'single opening',
      run: async ({ store, clock }) => {
        for (const byMs of [DAY_MS, -2 * DAY_MS, 5_000]) {
          const before = await create(store, { deadlineAtMs: clock.read() + 2_000 })
          await jump(store, clock, byMs)
          assert.equal(await store.nextDeadlineMs(), clock.read() + 2_000)
          const after = await create(store, { deadlineAtMs: clock.read() + 1_000 })
          clock.step(999)
          assert.deepEqual(await due(store), [])
          clock.step(1)
          assert.deepEqual(await store.dueDeadlines(), [{ kind, id: after, dueAtMs: clock.read() }])
          clock.step(1_000)
          assert.deepEqual(await due(store), [after, before])
          for (const id of [before, after]) await end(store, id)
        }
      },
    },
    {
      name: 'that the clock was set is remembered by an opening that comes later, and seen by a reader',
      needs: 'reopen',
      run: async ({ store, clock, fixture, reopen, openReader }) => {
        const id = await create(store, { deadlineAtMs: clock.read() + 2_000 })
        await jump(store, clock, DAY_MS)
        assert.deepEqual(await due(store), [])
        if (fixture.openReader !== undefined) {
          assert.equal(await (await openReader()).nextDeadlineMs(), clock.read() + 2_000)
        }
        const again = await reopen()
        assert.equal(await again.nextDeadlineMs(), clock.read() + 2_000)
        clock.step(2_000)
        assert.deepEqual(await due(again), [id])
      },
    },
    {
      name: 'a clock that is set back between two openings makes no deadline late, and one that is right again none early',
      needs: 'reopen',
      run: async ({ store, clock, reopen }) => {
        const id = await create(store, { deadlineAtMs: clock.read() + 2_000 })
        clock.jump(-DAY_MS)
        const back = await reopen()
        assert.equal(await back.nextDeadlineMs(), clock.read() + 2_000)
        clock.jump(DAY_MS)
        const right = await reopen()
        assert.equal(await right.nextDeadlineMs(), clock.read() + 2_000)
        clock.step(2_000)
        assert.deepEqual(await due(right), [id])
      },
    },
    {
      name: 'deadlines outlive an opening',
      needs: 'reopen',
      run: async ({ store, clock, reopen }) => {
        const id = await create(store, { deadlineAtMs: clock.read() + 10 })
        const again = await reopen()
        assert.equal(await again.nextDeadlineMs(), clock.read() + 10)
        clock.step(10)
        assert.deepEqual(await due(again), [id])
      },
    },
  ]
}
