import {
  type ClientVersion,
  type JobSpec,
  jobToWire,
  type WireJob,
  type WirePage,
} from '@saltcod/bacalhau-records'
import type { Job, JobQuery } from '@saltcod/store-core'
import { JOB_STATES } from '@saltcod/store-core'
import { ApiError } from '../../wire/api-error.ts'
import type { ApiContext } from './api-context.ts'
import { type ListedPage, MAX_PAGE, pageInOrder, type ReadPage, sortedPage } from './listed-page.ts'
import { missingJobs } from './missing-jobs.ts'
import type { PageToken } from './page-token.ts'
import { readPageToken, writePageToken } from './page-token.ts'
import type { Query } from './query.ts'

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
      ? await sortedPage(
          (page) => context.requester.store.listJobs({ ...filter, ...page }),
          token,
          (a, b) => a.modifiedAtMs - b.modifiedAtMs,
          'jobs',
        )
      : await inOrder(context, filter, token)
  return {
    NextToken: next === null ? '' : writePageToken({ ...token, ...next }),
    Items: items.map((job) => jobToWire(job, client, context.nodeId)),
    ...(missing === 0 ? {} : { Missing: missing }),
  }
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

async function inOrder(
  context: ApiContext,
  filter: JobQuery,
  token: PageToken,
): Promise<ListedPage<Job<JobSpec>>> {
  const { store, log } = context.requester
  const read: ReadPage<Job<JobSpec>> = (page) => store.listJobs({ ...filter, ...page })
  const page = await pageInOrder(read, token)
  if (token.cursor !== undefined || page.next !== null) return page
  const met = ({ items, missing }: ListedPage<Job<JobSpec>>): number => items.length + missing
  const missing = await missingJobs(store, filter, met(page), async () => met(await pageInOrder(read, token)))
  if (missing > 0)
    log.warn({ missing }, 'jobs are missing from a listing by the counters: run saltcod-inspect check')
  return { ...page, missing: page.missing + missing }
}
