/** Every code that a {@link StoreError} can carry, with when it is thrown. Codes are stable; messages may change. */
export const STORE_ERROR_CODES = {
  // When opening
  STORE_NOT_FOUND: 'a store was opened for reading where there is none',
  STORE_FOREIGN: 'the path holds something that is not a store of this kind',
  STORE_DAMAGED: 'the file is a store, but torn or damaged',
  STORE_LOCKED: 'another process owns the store',
  STORE_OTHER_NODE: 'the store belongs to another node id',
  STORE_PERMISSION: 'the path cannot be read or written, or belongs to another user',
  SCHEMA_TOO_NEW: 'a newer release wrote the store',
  // At any time
  STORE_BUSY: 'all slots for readers, or all descriptors of the process, are taken; try again later',
  STORE_CHANGING:
    'the owner of the file changes it faster than it can be read; read a copy, or try again later',
  STORE_CLOSED: 'the store was closed',
  STORE_FAILED: 'an input/output error made the store unusable; restart the process',
  STORE_READ_ONLY: 'a write was asked of a store opened for reading',
  STORE_FULL: 'there is no room for more, on disk or in the quota; nothing was written',
  REWRITE_STOPPED: 'a rewrite could not come to its end; the store is as it was',
  OUTCOME_UNKNOWN: 'the commit failed half-way; ask again with the same request id',
  RECORD_CORRUPT: 'a record fails its checksum or cannot be decoded',
  // When writing
  KEY_TOO_LONG: 'a key is longer than the backend takes',
  TRANSACTION_TOO_LARGE: 'one change touches more keys or bytes than a transaction may',
  // Not there
  JOB_NOT_FOUND: 'no job has that id or name',
  JOB_VERSION_NOT_FOUND: 'the job has no such version',
  EXECUTION_NOT_FOUND: 'no execution has that id',
  EVALUATION_NOT_FOUND: 'no evaluation has that id',
  NODE_NOT_FOUND: 'no node has that id',
  // Already there
  JOB_ALREADY_EXISTS: 'a job with that id exists',
  JOB_NAME_TAKEN: 'the namespace has another job with that name',
  EXECUTION_ALREADY_EXISTS: 'an execution with that id exists',
  EVALUATION_ALREADY_EXISTS: 'an evaluation with that id exists',
  SUBMIT_KEY_CONFLICT: 'the submit key was used for another specification',
  REQUEST_ID_CONFLICT: 'the request id was used for another kind of change',
  // Checks on an update, in this order after the record was found
  STATE_CONFLICT: 'the record is in none of the expected states',
  REVISION_CONFLICT: 'the record has another revision than expected',
  ALREADY_TERMINAL: 'the record has ended and cannot change',
  ILLEGAL_TRANSITION: 'the state machine has no such edge',
  // Work and references
  LEASE_LOST: 'the lease ran out, was taken over, or belongs to an earlier incarnation',
  JOB_NOT_TERMINAL: 'the job has not ended',
  JOB_HELD: 'an operator holds the job',
  AMBIGUOUS_ID: 'a short id matches more than one record',
  FEED_DIVERGED:
    'the cursor comes from another store, another incarnation, or the future; read everything anew',
  INVALID_CURSOR: 'the page cursor does not belong to this query',
  INVALID_ARGUMENT: 'a value is out of its limits',
} as const

/** One of the stable codes of {@link STORE_ERROR_CODES}. */
export type StoreErrorCode = keyof typeof STORE_ERROR_CODES

/** Facts that a program may want from an error; which are set depends on the code. */
export interface StoreErrorDetails {
  /** The record that was meant. */
  readonly id?: string
  /** What was found: a state, a revision, an owner. */
  readonly actual?: string | number
  /** What was expected instead. */
  readonly expected?: string | number | readonly (string | number)[]
  /** All ids that a short id matches. */
  readonly matches?: readonly string[]
  /** The table and the key (hex) of a corrupt row. */
  readonly table?: string
  readonly key?: string
  /** The file or directory that was meant. */
  readonly path?: string
  /**
   * What helps against damage, for a program to name its command for it: a check tells what is wrong, a repair mends
   * it. Of a file that this project only reads nothing mends it: `read` where what is whole can be read all the same,
   * `restore` where nothing but a copy of it helps.
   */
  readonly remedy?: 'check' | 'repair' | 'read' | 'restore'
}

/** Options of a {@link StoreError}. */
export interface StoreErrorOptions extends StoreErrorDetails {
  readonly cause?: unknown
  /** What a person can do next, as a sentence. */
  readonly hint?: string
}

/**
 * Everything that a store refuses or cannot do. Recognise it by `code`, never by `instanceof`: two copies
 * of a package may meet in one program. Caller mistakes that no data can cause are `TypeError`s instead.
 */
export class StoreError extends Error {
  override readonly name: string = 'StoreError'
  readonly code: StoreErrorCode
  readonly details: StoreErrorDetails
  readonly hint: string | undefined

  constructor(code: StoreErrorCode, message: string, options: StoreErrorOptions = {}) {
    const { cause, hint, ...details } = options
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
    this.hint = hint
  }
}

/** Tells whether a thrown value is a {@link StoreError}, with one of the given codes if any are named. */
export function isStoreError(error: unknown, ...codes: readonly StoreErrorCode[]): error is StoreError {
  if (!(error instanceof Error) || error.name !== 'StoreError' || !('code' in error)) return false
  return codes.length === 0 || codes.includes(error.code as StoreErrorCode)
}
