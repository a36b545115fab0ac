import { ApiError } from '../../wire/api-error.ts'

/** What a page token remembers; it overrides what the request says. */
export interface PageToken {
  /** The cursor of the store. */
  readonly cursor?: string
  /** The number of items to pass over, where the listing has no cursor. */
  readonly offset?: number
  readonly limit: number
  readonly reverse: boolean
  readonly orderBy: string
  /** The version of a job whose executions are listed; 0 for those of all. */
  readonly jobVersion?: number
}

/** Writes a token as text that goes into a URL as it is. */
export function writePageToken(token: PageToken): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

/** Reads a token. Throws `BadRequest` for text that is none. */
export function readPageToken(text: string): PageToken {
  try {
    const token: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (isPageToken(token)) return token
  } catch {
    // Answered below, like a token of another shape.
  }
  throw new ApiError('BadRequest', 'the paging token cannot be read', {
    hint: 'use the NextToken of an earlier answer as it is',
  })
}

function isPageToken(value: unknown): value is PageToken {
  if (typeof value !== 'object' || value === null) return false
  const { cursor, offset, limit, reverse, orderBy, jobVersion } = value as Record<string, unknown>
  return (
    (cursor === undefined || typeof cursor === 'string') &&
    (offset === undefined || isWhole(offset)) &&
    (jobVersion === undefined || isWhole(jobVersion)) &&
    isWhole(limit) &&
    typeof reverse === 'boolean' &&
    typeof orderBy === 'string'
  )
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
