import type { ExecutionStore } from '@saltcod/store-core'
import type { Logger } from 'pino'
import type { KeptInputs } from '../inputs/kept-inputs.ts'
import type { StagedInput } from '../inputs/work.ts'
import type { Orphans } from '../link/link.ts'
import type { PeerStores } from '../link/peer-store.ts'
import type { EventCount } from '../waiting/event-count.ts'
import type { LinkWatch } from './link-watch.ts'
import type { RefusedReports } from './refused-reports.ts'
import type { ComputeSettings } from './settings.ts'
import type { StandingLink } from './standing-link.ts'

/** The requester that a compute side works for. */
export interface OwnRequester {
  /** It is another node, and says who it is when hands are shaken. */
  readonly isRemote: boolean
  /** The destination of every report; empty until hands were shaken with another node. */
  id: string
  /** The opening of its store; empty where it is not known. */
  opening: string
  /** After so long a silence it gives this node no new work; `null` where it did not say. */
  silentAfterMs: number | null
}

/** What every part of the compute side works with. */
export interface ComputeContext {
  readonly store: ExecutionStore
  readonly link: StandingLink
  readonly watch: LinkWatch
  readonly nodeId: string
  readonly requester: OwnRequester
  /** Which store the requester has. */
  readonly peers: PeerStores
  /** Reports that the requester does not take. */
  readonly refused: RefusedReports
  /** Ended executions that the requester does not know, as they were found last. */
  readonly orphans: { now: Orphans }
  readonly dataDir: string
  readonly settings: ComputeSettings
  /** Inputs that runs share. */
  readonly keptInputs: KeptInputs<readonly StagedInput[]>
  readonly log: Logger
  /** The time in milliseconds since 1970. */
  readonly clock: () => number
  /** Aborts when the compute side closes its store: no loop goes on and no write is tried again after that. */
  readonly closing: AbortSignal
  /** Counts the handshakes that were taken by both sides. */
  readonly handsShaken: EventCount
  /** Counts the times when a report was written. */
  readonly reportWritten: EventCount
  /** Counts the times when the requester turned out to have another store. */
  readonly toTellAll: EventCount
  /** Counts the times when a deadline was written. */
  readonly deadlineWritten: EventCount
}
