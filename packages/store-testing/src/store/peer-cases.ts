import assert from 'node:assert/strict'

import type { DurableStore } from '@saltcod/store-core'
import type { StoreCase } from './fixture.ts'
import type { StoreActor } from './store-actor.ts'

/** Returns cases about what is known of the stores of other sides. */
export function peerCases<Store extends DurableStore>({
  create,
}: StoreActor<Store>): readonly StoreCase<Store>[] {
  const peer = { storeId: 'store-1', incarnation: 'opening-1', firstSequence: 3, sequence: 9 }
  return [
    {
      name: 'the stores of other sides are known by name, each as it was told last',
      run: async ({ store, clock }) => {
        assert.equal(await store.getPeer('n-1'), null)
        await store.setPeer({ name: 'n-1', ...peer })
        await store.setPeer({ name: 'n-2 ü', ...peer, storeId: 'store-2' })
        clock.step(1_000)
        await store.setPeer({ name: 'n-1', ...peer, incarnation: 'opening-2' })
        const seenAtMs = clock.read()
        assert.deepEqual(await store.getPeer('n-1'), { ...peer, incarnation: 'opening-2', seenAtMs })
        assert.equal((await store.getPeer('n-2 ü'))?.storeId, 'store-2')
      },
    },
    {
      name: 'to note the store of another side is no change that others hear of',
      run: async ({ store }) => {
        await create(store)
        const before = await store.info()
        const { cursor } = await store.changes()
        await store.setPeer({ name: 'n-1', ...peer })
        assert.equal((await store.info()).sequence, before.sequence)
        assert.deepEqual((await store.changes({ after: cursor })).changeSets, [])
      },
    },
    {
      name: 'what is known of other sides outlives an opening',
      needs: 'reopen',
      run: async ({ store, clock, reopen }) => {
        await store.setPeer({ name: 'n-1', ...peer })
        const seenAtMs = clock.read()
        const again = await reopen()
        assert.deepEqual(await again.getPeer('n-1'), { ...peer, seenAtMs })
        assert.deepEqual((await again.check()).findings, [])
      },
    },
  ]
}
