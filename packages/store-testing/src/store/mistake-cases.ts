import { type DurableStore, isStoreError } from '@saltcod/store-core'
import { DURABLE_STORE_FIELDS } from '@saltcod/store-core/backend'
import type { StoreCase } from './fixture.ts'
import {
  assertRefused,
  type Mistake,
  NO_AMOUNTS,
  NO_NUMBERS,
  NO_OBJECTS,
  NO_TEXTS,
  noRequests,
} from './mistake.ts'
import type { StoreActor } from './store-actor.ts'

const PEER = { name: 'n', storeId: 's', incarnation: 'i', firstSequence: 1, sequence: 1 }

/** Cases about calls that no caller should make, and that would remove what is still needed. */
export function mistakeCases<Store extends DurableStore>({
  create,
}: StoreActor<Store>): readonly StoreCase<Store>[] {
  return [
    {
      name: 'arguments of a wrong type and numbers that are none are refused, and nothing is removed',
      run: async ({ store }) => {
        await create(store, { requestId: 'once', outbox: [{ destination: 'n', body: 1 }] })
        await assertRefused(store, sharedMistakes(store))
        await assertRefused(store, noRequests(store, Object.keys(DURABLE_STORE_FIELDS)))
      },
    },
    {
      name: 'a message needs a body, and has at most the largest specification and 64 KiB',
      run: async ({ store }) => {
        const send = (body: never) => create(store, { outbox: [{ destination: 'n', body }] })
        await assertRefused(store, [
          { what: 'body', types: [undefined], values: ['x'.repeat(1_070_000)], call: send },
          { what: 'outbox', types: [null, 5, 'x', {}], call: (outbox) => create(store, { outbox }) },
          { what: 'message', types: NO_OBJECTS, call: (one) => create(store, { outbox: [one] }) },
        ])
        await send('x'.repeat(1_060_000) as never)
      },
    },
    {
      name: 'a value that is nested too deep is refused as one that is out of its limits',
      run: async ({ store }) => {
        let deep: unknown = {}
        for (let level = 0; level < 20_000; level++) deep = { deep }
        const outcome = create(store, { outbox: [{ destination: 'n', body: deep as never }] })
        await outcome.then(
          () => {
            throw new Error('should have been refused')
          },
          (error: unknown) => {
            if (!isStoreError(error, 'INVALID_ARGUMENT')) throw error
          },
        )
      },
    },
  ]
}

function sharedMistakes(store: DurableStore): Mistake[] {
  const amounts = { types: NO_NUMBERS, values: NO_AMOUNTS }
  return [
    { what: 'trimFeed', types: NO_OBJECTS, call: (rule) => store.trimFeed(rule) },
    { what: 'olderThanMs', ...amounts, call: (olderThanMs) => store.trimFeed({ olderThanMs }) },
    { what: 'maxBytes', ...amounts, call: (maxBytes) => store.trimFeed({ maxBytes }) },
    {
      what: 'requestIdsOlderThanMs',
      ...amounts,
      call: (requestIdsOlderThanMs) => store.trimFeed({ requestIdsOlderThanMs }),
    },
    { what: 'limit of trimFeed', ...amounts, call: (limit) => store.trimFeed({ maxBytes: 0, limit }) },
    {
      what: 'upToSequence',
      types: [...NO_NUMBERS, undefined],
      values: [...NO_AMOUNTS, 1.5],
      call: (upToSequence) => store.acknowledgeOutbox({ destination: 'n', upToSequence }),
    },
    {
      what: 'destination',
      types: [...NO_TEXTS, undefined],
      call: (destination) => store.acknowledgeOutbox({ destination, upToSequence: 1_000 }),
    },
    { what: 'readOutbox', types: NO_TEXTS, call: (destination) => store.readOutbox({ destination }) },
    {
      what: 'afterSequence',
      ...amounts,
      call: (afterSequence) => store.readOutbox({ destination: 'n', afterSequence }),
    },
    {
      what: 'limit of readOutbox',
      ...amounts,
      call: (limit) => store.readOutbox({ destination: 'n', limit }),
    },
    { what: 'limit of changes', ...amounts, call: (limit) => store.changes({ limit }) },
    { what: 'limit of dueDeadlines', ...amounts, call: (limit) => store.dueDeadlines({ limit }) },
    { what: 'pollMs', ...amounts, call: (pollMs) => store.watch({ pollMs }).next() },
    { what: 'kind', types: NO_TEXTS, values: ['', 'jobs'], call: (kind) => store.counts({ kind }) },
    { what: 'namespace', types: NO_TEXTS, call: (namespace) => store.counts({ namespace }) },
    { what: 'fold', types: NO_OBJECTS, call: (rule) => store.fold(rule) },
    { what: 'olderThanMs of fold', ...amounts, call: (olderThanMs) => store.fold({ olderThanMs }) },
    { what: 'limit of fold', ...amounts, call: (limit) => store.fold({ limit }) },
    { what: 'anew', types: [null, 1, 'yes'], call: (anew) => store.fold({ anew }) },
    { what: 'check', types: NO_OBJECTS, call: (options) => store.check(options) },
    {
      what: 'batchRows',
      types: NO_NUMBERS,
      values: [0, 1e9],
      call: (batchRows) => store.check({ batchRows }),
    },
    { what: 'maxFindings', ...amounts, call: (maxFindings) => store.check({ maxFindings }) },
    { what: 'cursor name', types: NO_TEXTS, call: (name) => store.getNamedCursor(name) },
    { what: 'name', types: NO_TEXTS, values: [''], call: (name) => store.getPeer(name) },
    ...(['name', 'storeId', 'incarnation'] as const).map((what) => ({
      what: `${what} of setPeer`,
      types: NO_TEXTS,
      values: ['', ' '],
      call: (text: never) => store.setPeer({ ...PEER, [what]: text }),
    })),
    ...(['firstSequence', 'sequence'] as const).map((what) => ({
      what: `${what} of setPeer`,
      types: NO_NUMBERS,
      values: [...NO_AMOUNTS, 1.5],
      call: (amount: never) => store.setPeer({ ...PEER, [what]: amount }),
    })),
  ]
}
