import type { Job, JobQuery, JobStore, PageCursor } from '@saltcod/store-core'
import { JOB_STATES } from '@saltcod/store-core'
import type { JobSpec } from '../../spec/job-spec.ts'
import { ApiError } from '../../wire/api-error.ts'
import type { ClientVersion } from '../../wire/client-version.ts'
import { jobToWire } from '../../wire/job-output.ts'
import type { WireJob, WirePage } from '../../wire/models.ts'
import { allItems } from '../pages.ts'
import type { ApiContext } from './api-context.ts'
import { missingJobs } from './missing-jobs.ts'
import type { PageToken } from './page-token.ts'
import { readPageToken, writePageToken } from './page-token.ts'
import type { Query } from './query.ts'

/** The most jobs in one answer; without a limit an answer has as many. */
const MAX_PAGE = 1000
/** How often a filter may look further before an answer is given that is not full. */
const MAX_READS = 20
/** The most jobs that are put in an order that no index has. */
const MAX_SORTED = 10_000

/** Lists jobs as a client asks for them. */
export async function listJobs(
  context: ApiContext,
  client: ClientVersion,
  query: Query,
): Promise<WirePage<WireJob>> {
  const token = tokenOf(query)
  const filter = filterOf(query)
  const { items, next, missing } =
    token.orderBy === 'modified_at'
      ? await sortedByChange(context, filter, token)
      : await inOrder(context, filter, token)
  return {
    NextToken: next === null ? '' : writePageToken({ ...token, ...next }),
    Items: items.map((job) => jobToWire(job, client)),
    ...(missing === 0 ? {} : { Missing: missing }),
  }
}

interface Listed {
  readonly items: readonly Job<JobSpec>[]
  readonly next: Pick<PageToken, 'cursor' | 'offset'> | null
  /** Those that were passed over as damaged, and of a whole listing those that are missing by the counters. */
  readonly missing: number
}

function tokenOf(query: Query): PageToken {
  const text = query.text('next_token')
  const token =
    text === null
      ? {
          limit: query.whole('limit') ?? 0,
          reverse: query.flag('reverse'),
          orderBy: query.text('order_by') ?? 'created_at',
        }
      : readPageToken(text)
  if (token.orderBy !== 'created_at' && token.orderBy !== 'modified_at') {
    throw new ApiError('BadRequest', `cannot order jobs by ${token.orderBy}`, {
      hint: 'order_by is created_at or modified_at',
    })
  }
  return { ...token, limit: token.limit === 0 ? MAX_PAGE : Math.min(token.limit, MAX_PAGE) }
}

function filterOf(query: Query): JobQuery {
  const namespace = query.text('namespace')
  const states = query.texts('state').flatMap((text) => text.split(','))
  const known = states.map((text) => {
    const state = JOB_STATES.find((name) => name.toLowerCase() === text.trim().toLowerCase())
    if (state === undefined) {
      throw new ApiError('BadRequest', `unknown job state "${text}"`, {
        hint: `states are ${JOB_STATES.join(', ')}`,
      })
    }
    return state
  })
  const labels = query.labels('labels')
  return {
    ...(namespace === null || namespace === '*' ? {} : { namespace }),
    ...(known.length === 0 ? {} : { states: known }),
    ...(labels.length === 0 ? {} : { labels }),
  }
}

async function inOrder(context: ApiContext, filter: JobQuery, token: PageToken): Promise<Listed> {
  const { store, log } = context.requester
  const page = await pageInOrder(store, filter, token)
  if (token.cursor !== undefined || page.next !== null) return page
  const countMet = async (): Promise<number> => (await pageInOrder(store, filter, token)).met
  const missing = await missingJobs(store, filter, page.met, countMet)
  if (missing > 0)
    log.warn({ missing }, 'jobs are missing from a listing by the counters: run saltcod-inspect check')
  return { ...page, missing: page.missing + missing }
}

async function pageInOrder(
  store: JobStore<JobSpec>,
  filter: JobQuery,
  token: PageToken,
): Promise<Listed & { readonly met: number }> {
  const { limit, reverse } = token
  const items: Job<JobSpec>[] = []
  let met = 0
  let damaged = 0
  let cursor = token.cursor ?? null
  for (let reads = 0; reads < MAX_READS; reads++) {
    const page = await store.listJobs({
      ...filter,
      limit: limit - items.length,
      reverse,
      cursor,
    })
    items.push(...page.items)
    damaged += page.quarantined.length
    met += page.items.length + page.quarantined.length
    cursor = page.next
    if (cursor === null || items.length >= limit) break
  }
  return { items, met, missing: damaged, next: cursor === null ? null : { cursor } }
}

async function sortedByChange(context: ApiContext, filter: JobQuery, token: PageToken): Promise<Listed> {
  const all: Job<JobSpec>[] = []
  const { store } = context.requester
  let missing = 0
  const read = (cursor: PageCursor | null) => store.listJobs({ ...filter, limit: MAX_PAGE, cursor })
  for await (const job of allItems(read, (damaged) => (missing += damaged))) {
    all.push(job)
    if (all.length > MAX_SORTED) {
      throw new ApiError(
        'BadRequest',
        `more than ${MAX_SORTED} jobs match, too many to order by modified_at`,
        {
          hint: 'filter by namespace, state or labels, or order by created_at',
        },
      )
    }
  }
  all.sort((a, b) => a.modifiedAtMs - b.modifiedAtMs)
  if (token.reverse) all.reverse()
  const offset = token.offset ?? 0
  const end = offset + token.limit
  return { items: all.slice(offset, end), missing, next: end < all.length ? { offset: end } : null }
}
