import type { WireError } from '@saltcod/bacalhau-records'
import type { TextMap } from '@saltcod/store-core'

const STATUS = {
  BadRequest: 400,
  ValidationError: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  RequestTimeout: 408,
  ResourceInUse: 409,
  ConflictJobState: 409,
  ConflictNodeState: 409,
  JobUnchanged: 409,
  MultipleJobsFound: 409,
  MultipleNodesFound: 409,
  PayloadTooLarge: 413,
  RangeNotSatisfiable: 416,
  HeaderTooLarge: 431,
  ResourceExhausted: 507,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  InternalError: 500,
} as const

/** No client reads more; a body can be wrong in a hundred thousand places. */
const MOST_MESSAGE_LENGTH = 4_000

/** The codes that an error answer can carry; each has its HTTP status. */
export type ApiErrorCode = keyof typeof STATUS

/** Options of an {@link ApiError}. */
export interface ApiErrorOptions {
  readonly component?: string
  readonly hint?: string
  readonly details?: TextMap
  readonly cause?: unknown
}

/** A refusal that is answered to a client. */
export class ApiError extends Error {
  override readonly name: string = 'ApiError'
  readonly code: ApiErrorCode
  readonly component: string
  readonly hint: string | undefined
  readonly details: TextMap | undefined

  constructor(code: ApiErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.component = options.component ?? 'APIServer'
    this.hint = options.hint
    this.details = options.details
  }
}

/** Tells whether a thrown value is an {@link ApiError}. */
export function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && error.name === 'ApiError' && 'component' in error
}

/** Shortens a text that a client sent before it is repeated to people. */
export function shortText(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}

/** Writes an error as the object that clients read. */
export function errorBody(error: ApiError, requestId: string): WireError {
  return {
    Status: STATUS[error.code],
    Message: shortText(error.message, MOST_MESSAGE_LENGTH),
    RequestID: requestId,
    Code: error.code,
    Component: error.component,
    ...(error.hint === undefined ? {} : { Hint: error.hint }),
    ...(error.details === undefined ? {} : { Details: error.details }),
  }
}

/** Writes an error as clients before v1.5 know it; they show it as it is, so it says what can be done, too. */
export function oldErrorBody({ Status, Message, Hint }: WireError): {
  readonly error: string
  readonly message: string
} {
  const message = Hint === undefined ? Message : `${Message} (${Hint})`
  return Status < 500
    ? { error: `code=${Status}, message=${message}`, message }
    : { error: message, message: 'Internal Server Error' }
}
