import { checkInteger, checkText } from '../arguments/limits.ts'
import type { SetPeer } from '../contract/peers.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { tuple } from '../kv/tuple.ts'
import type { Peer } from '../model/peer.ts'
import { peerTable } from './meta-table.ts'
import type { Mutation } from './mutation.ts'

const WHAT = 'name of a peer'

/** Returns what is known of the store of another side; `null` where nothing is. Throws `INVALID_ARGUMENT`. */
export function readPeer(snapshot: KvSnapshot, name: string): Peer | null {
  checkText(WHAT, name)
  return peerTable.get(snapshot, tuple('peer', name)) ?? null
}

/** Stores which store another side has. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function writePeer({ rows, nowMs }: Mutation, request: SetPeer): void {
  const { name, storeId, incarnation, firstSequence, sequence } = request
  checkText(WHAT, name)
  checkText('storeId', storeId)
  checkText('incarnation', incarnation)
  checkInteger('firstSequence', firstSequence, 0)
  checkInteger('sequence', sequence, 0)
  peerTable.put(rows, tuple('peer', name), { storeId, incarnation, firstSequence, sequence, seenAtMs: nowMs })
}
