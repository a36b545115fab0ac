/** The errors that are the same in every backend, each with what was wrong, where, and what to do next. */

import { StoreError } from '../errors.ts'

/** The store was closed by its user. */
export function closedError(location: string): StoreError {
  return new StoreError('STORE_CLOSED', `the store ${location} was closed`, {
    path: location,
    hint: 'open it again',
  })
}

/** The store was opened for reading. */
export function readOnlyError(location: string): StoreError {
  return new StoreError('STORE_READ_ONLY', `the store ${location} is open for reading only`, {
    path: location,
    hint: 'make the change through the process that owns the store',
  })
}

/** The driver or the system reported an error after which nothing can be trusted. */
export function failedError(location: string, cause: unknown): StoreError {
  const why = messageOf(cause).replace(`the store ${location} is damaged`, 'it is damaged')
  return new StoreError('STORE_FAILED', `the store ${location} failed: ${why}`, {
    path: location,
    cause,
    hint: 'look at the disk and the system log, then restart the process; it checks the store as it opens',
  })
}

/** The commit failed at a point where the change may be on disk or not. */
export function outcomeUnknownError(location: string, cause: unknown): StoreError {
  const message = `the commit to ${location} failed half-way (${messageOf(cause)}); the change may be there or not`
  return new StoreError('OUTCOME_UNKNOWN', message, {
    path: location,
    cause,
    hint: 'restart the process, then ask again with the same request id',
  })
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/\.$/, '')
}
