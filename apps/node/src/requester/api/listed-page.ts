import type { Page, PageRequest } from '@saltcod/store-core'
import { ApiError } from '../../wire/api-error.ts'
import { collectItems } from '../all-items.ts'
import type { PageToken } from './page-token.ts'

/** The most records in one read of a store. */
export const MAX_PAGE = 1000
/** How often a filter may look further before an answer is given that is not full. */
const MAX_READS = 20
/** The most records that are put in an order that no index has. */
const MAX_SORTED = 10_000

/** A page of records as a client gets it. */
export interface ListedPage<T> {
  readonly items: readonly T[]
  /** Where the next page begins; `null` at the end. */
  readonly next: Pick<PageToken, 'cursor' | 'offset'> | null
  /** How many damaged records were passed over. */
  readonly missing: number
}

/** Reads one page of a store. */
export type ReadPage<T> = (request: PageRequest) => Promise<Page<T>>

/** Reads a page in the order of the store, from where its cursor stands; all that is left where the limit is 0. */
export async function pageInOrder<T>(
  read: ReadPage<T>,
  { limit, reverse, cursor: from }: PageToken,
): Promise<ListedPage<T>> {
  const items: T[] = []
  let missing = 0
  let cursor = from ?? null
  for (let reads = 0; limit === 0 || reads < MAX_READS; reads++) {
    const left = limit === 0 ? MAX_PAGE : Math.min(limit - items.length, MAX_PAGE)
    const page = await read({ limit: left, reverse, cursor })
    items.push(...page.items)
    missing += page.quarantined.length
    cursor = page.next
    if (cursor === null || items.length === limit) break
  }
  return { items, missing, next: cursor === null ? null : { cursor } }
}

/**
 * Reads everything, sorts it, and takes a page of that. Throws `BadRequest` where it is too much; `plural` names the
 * records.
 */
export async function sortedPage<T>(
  read: ReadPage<T>,
  { limit, reverse, orderBy, offset = 0 }: PageToken,
  order: (a: T, b: T) => number,
  plural: string,
): Promise<ListedPage<T>> {
  let missing = 0
  let found = 0
  const all = await collectItems(
    async (cursor) => {
      const page = await read({ limit: MAX_PAGE, cursor })
      found += page.items.length
      if (found > MAX_SORTED) throw tooMany(plural, orderBy)
      return page
    },
    (damaged) => {
      missing += damaged
    },
  )
  all.sort(order)
  if (reverse) all.reverse()
  const end = limit === 0 ? all.length : offset + limit
  return { items: all.slice(offset, end), missing, next: end < all.length ? { offset: end } : null }
}

function tooMany(plural: string, orderBy: string): ApiError {
  return new ApiError(
    'BadRequest',
    `more than ${MAX_SORTED} ${plural} match, too many to order by ${orderBy}`,
    {
      hint: 'ask for fewer, or order by created_at',
    },
  )
}
