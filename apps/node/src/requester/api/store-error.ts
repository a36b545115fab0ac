import type { StoreErrorCode } from '@saltcod/store-core'
import { isStoreError } from '@saltcod/store-core'
import { hintWithCommand } from '../../inspector-command.ts'
import { isLinkError } from '../../link/link-error.ts'
import type { ApiErrorCode } from '../../wire/api-error.ts'
import { ApiError, isApiError, shortText } from '../../wire/api-error.ts'

/**
 * Every code, so that whoever adds one decides what a client is told. What is no mistake of a client is an
 * `InternalError`.
 */
const CODES: Readonly<Record<StoreErrorCode, ApiErrorCode>> = {
  JOB_NOT_FOUND: 'NotFound',
  JOB_VERSION_NOT_FOUND: 'NotFound',
  EXECUTION_NOT_FOUND: 'NotFound',
  EVALUATION_NOT_FOUND: 'NotFound',
  NODE_NOT_FOUND: 'NotFound',
  AMBIGUOUS_ID: 'MultipleJobsFound',
  JOB_ALREADY_EXISTS: 'ResourceInUse',
  JOB_NAME_TAKEN: 'ResourceInUse',
  EXECUTION_ALREADY_EXISTS: 'ResourceInUse',
  EVALUATION_ALREADY_EXISTS: 'ResourceInUse',
  SUBMIT_KEY_CONFLICT: 'ResourceInUse',
  REQUEST_ID_CONFLICT: 'ResourceInUse',
  INVALID_ARGUMENT: 'ValidationError',
  KEY_TOO_LONG: 'ValidationError',
  INVALID_CURSOR: 'BadRequest',
  TRANSACTION_TOO_LARGE: 'PayloadTooLarge',
  STORE_FULL: 'ResourceExhausted',
  STORE_BUSY: 'ServiceUnavailable',
  STORE_CHANGING: 'ServiceUnavailable',
  STORE_CLOSED: 'ServiceUnavailable',
  STORE_FAILED: 'ServiceUnavailable',
  OUTCOME_UNKNOWN: 'ServiceUnavailable',
  STATE_CONFLICT: 'ConflictJobState',
  REVISION_CONFLICT: 'ConflictJobState',
  ALREADY_TERMINAL: 'ConflictJobState',
  ILLEGAL_TRANSITION: 'ConflictJobState',
  JOB_HELD: 'ConflictJobState',
  JOB_NOT_TERMINAL: 'ConflictJobState',
  REWRITE_STOPPED: 'ServiceUnavailable',
  FEED_DIVERGED: 'InternalError',
  LEASE_LOST: 'InternalError',
  RECORD_CORRUPT: 'InternalError',
  SCHEMA_TOO_NEW: 'InternalError',
  STORE_DAMAGED: 'InternalError',
  STORE_FOREIGN: 'InternalError',
  STORE_LOCKED: 'InternalError',
  STORE_NOT_FOUND: 'InternalError',
  STORE_OTHER_NODE: 'InternalError',
  STORE_PERMISSION: 'InternalError',
  STORE_READ_ONLY: 'InternalError',
}

/**
 * Turns whatever was thrown into a refusal that can be answered. What is not known becomes an `InternalError` without
 * details.
 */
export function toApiError(error: unknown): ApiError {
  if (isApiError(error)) return error
  if (isStoreError(error)) {
    const code = CODES[error.code]
    const hint = hintWithCommand(error)
    return new ApiError(code, error.message, {
      component: 'JobStore',
      cause: error,
      details: { StoreErrorCode: error.code },
      ...(hint === undefined ? {} : { hint }),
    })
  }
  if (isLinkError(error, 'LINK_CLOSED', 'LINK_SILENT')) {
    return new ApiError('ServiceUnavailable', error.message, {
      cause: error,
      hint: 'try again when the node is back',
    })
  }
  if (isLinkError(error, 'LINK_GARBLED')) {
    return new ApiError('ServiceUnavailable', error.message, {
      cause: error,
      hint: 'the node is of another release or means harm: see who runs it, and saltcod node delete ID otherwise',
    })
  }
  const status = statusCodeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  if (status === 413) {
    return new ApiError('PayloadTooLarge', 'the request is larger than this node takes', {
      cause: error,
      hint: 'bring large data in by an input source, not in the job itself',
    })
  }
  if (error instanceof Error && 'code' in error && error.code === 'FST_ERR_BAD_URL') {
    return new ApiError('BadRequest', 'the address of the request cannot be decoded', { cause: error })
  }
  if (status !== null && status >= 400 && status < 500) {
    return new ApiError('BadRequest', shortText(message, 300), { cause: error })
  }
  return new ApiError('InternalError', 'the node could not answer; its log says why', { cause: error })
}

function statusCodeOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return null
  return typeof error.statusCode === 'number' ? error.statusCode : null
}
