/** The kinds of record that the change feed speaks of. */
export const RECORD_KINDS = ['job', 'execution', 'evaluation', 'node'] as const

/** One of {@link RECORD_KINDS}. */
export type RecordKind = (typeof RECORD_KINDS)[number]

/** One record that a transaction changed. */
export interface Change {
  readonly kind: RecordKind
  readonly id: string
  /** The job that it belongs to; of a node its own id. */
  readonly jobId: string
  /** Empty for a node. */
  readonly namespace: string
  /** `remove` is the tombstone of a record that has left the store. */
  readonly operation: 'put' | 'remove'
  /** The state before; `null` at creation. */
  readonly previousState: string | null
  /** The state after; `null` at removal. */
  readonly state: string | null
  /** The record's revision after the change; 0 where the kind has none. */
  readonly revision: number
}

/** All that one transaction changed. */
export interface ChangeSet {
  readonly sequence: number
  readonly atMs: number
  readonly changes: readonly Change[]
}

/**
 * A place in the change feed, as opaque text. It names the store and the incarnation that it was read
 * from, so that it is never applied to another one.
 */
export type FeedCursor = string

/** A stretch of the feed. */
export interface FeedPage {
  readonly changeSets: readonly ChangeSet[]
  /** Where to go on. */
  readonly cursor: FeedCursor
  /**
   * Set when entries behind the cursor were removed by retention or are damaged: what they said is unknown, so read
   * the state anew and go on from `cursor`. `null` where nothing is missing.
   */
  readonly gap: { readonly afterSequence: number; readonly resumesAtSequence: number } | null
}
