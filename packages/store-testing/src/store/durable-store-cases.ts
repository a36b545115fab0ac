import type { DurableStore } from '@saltcod/store-core'
import { careCases } from './care-cases.ts'
import { deadlineCases } from './deadline-cases.ts'
import { feedCases } from './feed-cases.ts'
import type { StoreCases } from './fixture.ts'
import { mistakeCases } from './mistake-cases.ts'
import { outboxCases } from './outbox-cases.ts'
import { peerCases } from './peer-cases.ts'
import type { StoreActor } from './store-actor.ts'
import { watchCases } from './watch-cases.ts'

/** Returns the cases about what both stores share. */
export function durableStoreCases<Store extends DurableStore>(actor: StoreActor<Store>): StoreCases<Store> {
  return {
    feed: feedCases(actor),
    watch: watchCases(actor),
    outbox: outboxCases(actor),
    peers: peerCases(actor),
    deadlines: deadlineCases(actor),
    care: careCases(actor),
    mistakes: mistakeCases(actor),
  }
}
