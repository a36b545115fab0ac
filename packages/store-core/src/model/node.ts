import type { Json, TextMap } from '../kv/json.ts'
import type { Peer } from './peer.ts'

/** Whether a node may be given work. */
export const NODE_MEMBERSHIPS = ['pending', 'approved', 'rejected'] as const

/** One of {@link NODE_MEMBERSHIPS}. */
export type NodeMembership = (typeof NODE_MEMBERSHIPS)[number]

/** Whether a node that may be given work is given any. */
export const NODE_SCHEDULINGS = ['on', 'drained'] as const

/** One of {@link NODE_SCHEDULINGS}. */
export type NodeScheduling = (typeof NODE_SCHEDULINGS)[number]

/** The store of a node when it was last heard of. */
export type NodeStore = Omit<Peer, 'seenAtMs'>

/** A node that runs jobs, as its requester knows it. */
export interface KnownNode {
  readonly id: string
  readonly membership: NodeMembership
  /** Why, for people; empty where nothing was said. */
  readonly membershipMessage: string
  readonly scheduling: NodeScheduling
  /** Why, for people; empty where nothing was said. */
  readonly schedulingMessage: string
  /** When what a drained node still runs is to end, in milliseconds since 1970; `null` for by itself. */
  readonly drainDeadlineAtMs: number | null
  /** What counts: those that the node has, and over them those that it was given. */
  readonly labels: TextMap
  /** Those that the node says it has. */
  readonly ownLabels: TextMap
  /** Those that an operator gave it. */
  readonly givenLabels: TextMap
  readonly engines: readonly string[]
  /** What else the node says of itself; the store never reads it. */
  readonly details: Json
  /** The release that it runs; empty where it did not say. */
  readonly version: string
  /** A hash of what it proves itself with; `null` where it needs nothing. */
  readonly credentialHash: string | null
  /** `null` where it is not known, or does not outlast the node's process. */
  readonly store: NodeStore | null
  readonly firstSeenAtMs: number
  /** When it was last heard of, written down at changes and now and then. */
  readonly lastSeenAtMs: number
  /** Counts the changes of this record, from 1. That it was seen, and how far its store has come, is none. */
  readonly revision: number
}
