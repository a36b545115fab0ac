import type { RecordKind } from './feed.ts'

/** One writable opening of a store. */
export interface Incarnation {
  readonly id: string
  /** The first sequence number that it may have given out. */
  readonly firstSequence: number
  readonly openedAtMs: number
}

/** What a store says of itself. */
export interface StoreInfo {
  readonly kind: 'jobs' | 'executions'
  readonly backend: string
  readonly location: string
  readonly readOnly: boolean
  readonly schemaVersion: number
  /** Random, made with the store; a copy of a store has the same one. Empty where the row with it is damaged. */
  readonly storeId: string
  /** The node that it belongs to; `null` where none was given. */
  readonly nodeId: string | null
  readonly incarnations: readonly Incarnation[]
  /** The newest sequence number; where its row is damaged, that of the newest entry of the feed. */
  readonly sequence: number
  /** When the newest change was made; 0 for a store without any. */
  readonly lastChangeAtMs: number
  readonly createdAtMs: number
  /** Damaged records that were found and passed over. */
  readonly quarantined: number
}

/** How many records are in one state, and how large they are. */
export interface StateCount {
  readonly kind: RecordKind
  readonly namespace: string
  /** A state, or a status for evaluations. */
  readonly state: string
  readonly records: number
  readonly bytes: number
  /** Set where the counter is damaged: records and bytes are 0 then and not known until a repair counts anew. */
  readonly damaged?: true
}

/** What a deadline is about to end. */
export interface Deadline {
  readonly kind: 'job' | 'execution'
  readonly id: string
  readonly dueAtMs: number
}

/** A damaged record that readers pass over. */
export interface QuarantinedRecord {
  readonly table: string
  /** The key's bytes as hexadecimal text. */
  readonly key: string
  readonly reason: string
  readonly foundAtMs: number
}

/** What a step of reclaiming did. */
export interface ReclaimReport {
  readonly removedRows: number
  /** Jobs (or executions) whose last row is gone. */
  readonly finished: readonly string[]
  /** Whether more is left to do. */
  readonly more: boolean
}
