import { STORE_ERROR_CODES, StoreError, type StoreErrorCode } from '@saltcod/store-core'
import { z } from 'zod'
import { isStoreGone } from '../store-gone.ts'
import { isLinkErrorCode, LinkError } from './link-error.ts'

/** An error as it crosses the link: what a program and a person need of it. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly hint?: string
  readonly details?: StoreError['details']
}

/** Makes plain data of whatever was thrown. */
export function toPlainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message } = error
  if (error instanceof StoreError || name === 'StoreError') {
    const { code, hint, details } = error as StoreError
    return { name, message, code, details, ...(hint === undefined ? {} : { hint }) }
  }
  return { name, message, ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}) }
}

const plainError = z.object({
  name: z.string(),
  message: z.string(),
  code: z.string().optional(),
  hint: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
})

/**
 * Makes an error of it again that is recognised by the same name and code. That the store of the other end is gone is
 * `LINK_CLOSED`, since nobody may take it for the own one; what says nothing of an error is `LINK_GARBLED`.
 */
export function fromPlainError(said: unknown): Error {
  const read = plainError.safeParse(said)
  if (!read.success)
    return new LinkError('LINK_GARBLED', 'the other end has failed, and does not say at what')
  const { name, message, code, hint, details } = read.data
  if (code !== undefined && name === 'StoreError' && Object.hasOwn(STORE_ERROR_CODES, code)) {
    const error = new StoreError(code as StoreErrorCode, message, {
      ...details,
      ...(hint === undefined ? {} : { hint }),
    })
    if (!isStoreGone(error)) return error
    return new LinkError('LINK_CLOSED', `the other end has lost its store: ${message}`)
  }
  if (code !== undefined && name === 'LinkError' && isLinkErrorCode(code)) return new LinkError(code, message)
  return Object.assign(new Error(message), { name, ...(code === undefined ? {} : { code }) })
}
