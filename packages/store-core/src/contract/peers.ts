import type { Peer } from '../model/peer.ts'

/** Which store the other side of a link works on. */
export interface SetPeer extends Omit<Peer, 'seenAtMs'> {
  /** The other side, for instance a node id. */
  readonly name: string
}

/** Which stores the other sides of links had, so that another one in their place is noticed. */
export interface Peers {
  /** Returns what is known of the store of another side; `null` where nothing is. */
  getPeer(name: string): Promise<Peer | null>
  /** Stores which store another side has. Throws `INVALID_ARGUMENT` for a blank text or a number that is none. */
  setPeer(request: SetPeer): Promise<void>
}
