/** The store that the other side of a link worked on when it was last heard of. */
export interface Peer {
  readonly storeId: string
  /** The id of the opening for writing that it was in. */
  readonly incarnation: string
  /** The first sequence number that this opening may have given out. */
  readonly firstSequence: number
  /** A sequence number that it had reached. */
  readonly sequence: number
  readonly seenAtMs: number
}
