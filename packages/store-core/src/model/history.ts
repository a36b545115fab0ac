import type { TextMap } from '../kv/json.ts'

/** What happened, in words for people and details for programs. */
export interface HistoryEvent {
  readonly message: string
  /** The part of the system that speaks, for instance `Scheduling`. */
  readonly topic: string
  readonly details: TextMap
}

/** What a caller says of its change; the store fills in the rest. */
export interface EventInput {
  /** Cut to 2,048 characters. */
  readonly message?: string
  /** Cut to 256 characters. */
  readonly topic?: string
  /** At most 64, with names of at most 256 characters; values are cut to 2,048. */
  readonly details?: TextMap
}

/** One line of the history of a job or an execution, written in the same transaction as the change. */
export interface HistoryEntry {
  /** Position in the store's own order; unique, rising, with gaps. */
  readonly sequence: number
  readonly level: 'job' | 'execution'
  readonly jobId: string
  readonly jobVersion: number
  /** `null` for an entry of the job. */
  readonly executionId: string | null
  /** The node concerned; `null` where none is. */
  readonly nodeId: string | null
  /** The state before; `null` at creation, equal to `newState` where the state did not change. */
  readonly previousState: string | null
  readonly newState: string
  /** The record's revision after the change. */
  readonly revision: number
  readonly event: HistoryEvent
  readonly atMs: number
  /**
   * Set where entries before it are missing, or where it came from another program, so that it need not follow from
   * the one before by the rules of this store.
   */
  readonly afterGap?: boolean
}
