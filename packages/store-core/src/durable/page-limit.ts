import { requireObject } from '../arguments/argument-types.ts'
import { checkInteger } from '../arguments/limits.ts'

/** The most rows of a page. */
export const MAX_PAGE_ROWS = 1_000

/** Returns how many rows a query asks for. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function limitOf(query: { readonly limit?: number }): number {
  requireObject('query', query)
  const { limit = 100 } = query
  checkInteger('limit', limit, 1, MAX_PAGE_ROWS)
  return limit
}
