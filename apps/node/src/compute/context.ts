import type { ExecutionStore } from '@saltcod/store-core'
import type { Logger } from 'pino'
import type { KeptInputs } from '../inputs/kept-inputs.ts'
import type { StagedInput } from '../inputs/work.ts'
import type { Link } from '../link/link.ts'
import type { PeerStores } from '../link/peer-store.ts'
import type { EventCount } from '../waiting/event-count.ts'
import type { ComputeSettings } from './settings.ts'

/** What every part of the compute side works with. */
export interface ComputeContext {
  readonly store: ExecutionStore
  readonly link: Link
  readonly nodeId: string
  /** The requester that the link leads to; the destination of every report. */
  readonly requesterId: string
  /** Which store the requester has. */
  readonly peers: PeerStores
  readonly dataDir: string
  readonly settings: ComputeSettings
  /** Inputs that runs share. */
  readonly keptInputs: KeptInputs<readonly StagedInput[]>
  readonly log: Logger
  /** The time in milliseconds since 1970. */
  readonly clock: () => number
  /** Aborts when the compute side closes its store: no loop goes on and no write is tried again after that. */
  readonly closing: AbortSignal
  /** Counts the times when a report was written. */
  readonly reportWritten: EventCount
  /** Counts the times when a deadline was written. */
  readonly deadlineWritten: EventCount
}
