import { STORE_ERROR_CODES, StoreError, type StoreErrorCode } from '@saltcod/store-core'
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

/** Makes an error of it again that is recognised by the same name and code. */
export function fromPlainError({ name, message, code, hint, details }: PlainError): Error {
  if (code !== undefined && name === 'StoreError' && code in STORE_ERROR_CODES) {
    return new StoreError(code as StoreErrorCode, message, {
      ...details,
      ...(hint === undefined ? {} : { hint }),
    })
  }
  if (code !== undefined && name === 'LinkError' && isLinkErrorCode(code)) return new LinkError(code, message)
  return Object.assign(new Error(message), { name, ...(code === undefined ? {} : { code }) })
}
