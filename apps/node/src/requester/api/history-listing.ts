import {
  type ClientVersion,
  historyToWire,
  type JobSpec,
  type WireHistory,
  type WirePage,
} from '@saltcod/bacalhau-records'
import type { HistoryEntry, HistoryQuery, Job } from '@saltcod/store-core'
import { EXECUTION_MACHINE, JOB_MACHINE } from '@saltcod/store-core'
import { ApiError, shortText } from '../../wire/api-error.ts'
import { allItems } from '../all-items.ts'
import type { ApiContext } from './api-context.ts'
import { readPageToken, writePageToken } from './page-token.ts'
import type { Query } from './query.ts'

const DEFAULT_PAGE = 100
const MAX_PAGE = 1000

/**
 * Lists the history of a job, oldest first. While more may come (`live`: the job has not ended) there is always a
 * token, which goes on behind what was read; a client that follows it sees every entry once and stops at the end of
 * the job.
 */
export async function listHistory(
  context: ApiContext,
  client: ClientVersion,
  job: Job<JobSpec>,
  query: Query,
  live: boolean,
): Promise<WirePage<WireHistory>> {
  const text = query.text('next_token')
  const token = text === null ? null : readPageToken(text)
  const given = query.whole('limit') ?? 0
  const limit = Math.min(given > 0 ? given : (token?.limit ?? DEFAULT_PAGE), MAX_PAGE)
  const afterSequence = token?.offset ?? 0
  // Read before the history: what ended by then has written its last entry.
  const over = live ? await hasEnded(context, job, query) : true
  const page = await context.requester.store.listHistory({
    ...filterOf(job, query, client.jobsInExecutions),
    limit,
    ...(afterSequence === 0 ? {} : { afterSequence }),
  })
  const executionId = query.text('execution_id')
  if (executionId !== null && page.items.length === 0) await requireExecution(context, job, executionId)
  const last = lastSequence(page.items) ?? afterSequence
  const more = page.next !== null
  const missing = page.quarantined.length
  return {
    NextToken:
      more || !over ? writePageToken({ limit, offset: last, reverse: false, orderBy: 'sequence' }) : '',
    Items: page.items.map((entry) => historyToWire(entry, client)),
    ...(missing === 0 ? {} : { Missing: missing }),
  }
}

/** Nothing about an execution that there is means that nothing is to be told yet. */
async function requireExecution({ requester }: ApiContext, job: Job<JobSpec>, prefix: string): Promise<void> {
  const executions = allItems((cursor) =>
    requester.store.listExecutions({ jobId: job.id, limit: 1000, cursor }),
  )
  for await (const { id } of executions) if (id.startsWith(prefix)) return
  throw new ApiError('NotFound', `execution not found: ${shortText(prefix, 100)}`, { component: 'JobStore' })
}

function lastSequence(items: readonly HistoryEntry[]): number | undefined {
  return items.at(-1)?.sequence
}

async function hasEnded({ requester }: ApiContext, job: Job<JobSpec>, query: Query): Promise<boolean> {
  const executionId = query.text('execution_id')
  const execution = executionId === null ? null : await requester.store.getExecution(executionId)
  if (execution !== null) return EXECUTION_MACHINE.terminal.has(execution.state)
  const newest = await requester.store.getJob(job.id)
  return newest === null || newest.version !== job.version || JOB_MACHINE.terminal.has(newest.state)
}

/** Clients that know of versions follow one of them, the newest unless they say so. */
function filterOf(job: Job<JobSpec>, query: Query, ofOneVersion: boolean): HistoryQuery {
  const type = query.text('event_type') ?? 'all'
  if (type !== 'all' && type !== 'job' && type !== 'execution') {
    throw new ApiError('BadRequest', `unknown event_type "${type}"`, { hint: 'it is all, job or execution' })
  }
  const executionIdPrefix = query.text('execution_id')
  const nodeIdPrefix = query.text('node_id')
  const since = query.whole('since') ?? 0
  return {
    jobId: job.id,
    ...((ofOneVersion || query.has('job_version')) && !query.flag('all_job_versions')
      ? { jobVersion: job.version }
      : {}),
    ...(type === 'all' ? {} : { level: type }),
    ...(executionIdPrefix === null ? {} : { executionIdPrefix }),
    ...(nodeIdPrefix === null ? {} : { nodeIdPrefix }),
    ...(since === 0 ? {} : { sinceMs: since * 1000 }),
  }
}
