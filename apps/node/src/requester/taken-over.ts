import { type DurableStore, isStoreError } from '@saltcod/store-core'

/** No node has such an id. */
const OWN = '@taken-over'

/** Notes that the own store was put in its place on purpose before this opening. */
export async function markTakenOver(store: DurableStore): Promise<void> {
  const { storeId, sequence, incarnations } = await store.info()
  const [opening] = incarnations
  if (opening === undefined) return
  const { id: incarnation, firstSequence } = opening
  await store.setPeer({ name: OWN, storeId, incarnation, firstSequence, sequence })
}

/** Returns the opening before which the own store was put in its place on purpose; `undefined` where none was. */
export async function takenOver(store: DurableStore): Promise<string | undefined> {
  try {
    return (await store.getPeer(OWN))?.incarnation
  } catch (error) {
    if (!isStoreError(error, 'RECORD_CORRUPT')) throw error
    return undefined
  }
}
