import type { JobSpec } from '@saltcod/bacalhau-records'
import type { FeedCursor, JobStore } from '@saltcod/store-core'
import type { Logger } from 'pino'
import type { EventCount } from '../waiting/event-count.ts'
import type { AskedRuns } from './asked-runs.ts'
import type { Demands } from './demands.ts'
import type { EndCounts } from './end-counts.ts'
import type { Membership } from './membership.ts'
import type { Nodes } from './nodes.ts'
import type { Placement } from './placement/placement.ts'
import type { RequesterSettings } from './settings.ts'

/** What every part of the requester works with. */
export interface RequesterContext {
  /** The id of the node that is the requester. */
  readonly nodeId: string
  readonly store: JobStore<JobSpec>
  readonly nodes: Nodes
  /** What is promised of the nodes, and what waits for room there. */
  readonly placement: Placement
  /** What is read of what nodes keep. */
  readonly demands: Demands
  /** Which nodes there are, and which stores they have. */
  readonly membership: Membership
  readonly askedRuns: AskedRuns
  readonly settings: RequesterSettings
  readonly log: Logger
  /** The time in milliseconds since 1970. */
  readonly clock: () => number
  /** Behind the last change that was followed; `null` until the feed is followed. */
  readonly followed: { cursor: FeedCursor | null }
  /** Why executions ended. */
  readonly ends: EndCounts
  /** Counts the changes of the store. */
  readonly changed: EventCount
  /** Aborts when the requester stops. */
  readonly stopping: AbortSignal
}
