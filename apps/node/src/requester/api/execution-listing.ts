import {
  type ClientVersion,
  executionToWire,
  type JobSpec,
  jobToWire,
  type WireExecution,
  type WireJob,
  type WirePage,
} from '@saltcod/bacalhau-records'
import type { Execution, Job } from '@saltcod/store-core'
import { EXECUTION_STATES } from '@saltcod/store-core'
import { ApiError } from '../../wire/api-error.ts'
import type { ApiContext } from './api-context.ts'
import { pageInOrder, type ReadPage, sortedPage } from './listed-page.ts'
import type { PageToken } from './page-token.ts'
import { readPageToken, writePageToken } from './page-token.ts'
import type { Query } from './query.ts'

type Order = (a: Execution, b: Execution) => number

/** What a client may write for the order of the store. */
const BY_CREATION: ReadonlySet<string> = new Set(['create_time', 'created_at'])

const byChange: Order = (a, b) => a.modifiedAtMs - b.modifiedAtMs

/** The orders that no index has. */
const SORTED: ReadonlyMap<string, Order> = new Map<string, Order>([
  ['modify_time', byChange],
  ['modified_at', byChange],
  ['id', (a, b) => (a.id < b.id ? -1 : 1)],
  ['state', (a, b) => EXECUTION_STATES.indexOf(a.state) - EXECUTION_STATES.indexOf(b.state)],
])

const ALL_VERSIONS = 0

/** What jobs may take of an answer with their executions; a job may have inline inputs of a megabyte. */
const MOST_JOB_BYTES = 4 * 1024 * 1024

/** Lists the executions of a job as a client asks for them: those of one version, or of all. */
export async function listExecutions(
  context: ApiContext,
  client: ClientVersion,
  job: Job<JobSpec>,
  query: Query,
): Promise<WirePage<WireExecution>> {
  const { requester } = context
  const token = tokenOf(query)
  // A job that is revised meanwhile must not mix its versions.
  const { jobVersion = query.flag('all_job_versions') ? ALL_VERSIONS : job.version } = token
  const conditions = { jobId: job.id, ...(jobVersion === ALL_VERSIONS ? {} : { jobVersion }) }
  const read: ReadPage<Execution> = (page) => requester.store.listExecutions({ ...conditions, ...page })
  const order = SORTED.get(token.orderBy)
  const { items, next, missing } =
    order === undefined ? await pageInOrder(read, token) : await sortedPage(read, token, order, 'executions')
  const taskName = job.spec.Tasks[0]?.Name ?? 'main'
  const jobOf = client.jobsInExecutions ? await jobsOf(context, client, job, items) : () => undefined
  return {
    NextToken: next === null ? '' : writePageToken({ ...token, jobVersion, ...next }),
    Items: items.map((execution) => executionToWire(execution, taskName, client, jobOf(execution))),
    ...(missing === 0 ? {} : { Missing: missing }),
  }
}

/** Returns what gives each execution the job that it is of; nothing any more where that becomes too much. */
async function jobsOf(
  { requester, nodeId }: ApiContext,
  client: ClientVersion,
  job: Job<JobSpec>,
  executions: readonly Execution[],
): Promise<(execution: Execution) => WireJob | undefined> {
  const versions = new Map<number, { readonly wire: WireJob; readonly bytes: number }>()
  for (const version of new Set(executions.map(({ jobVersion }) => jobVersion))) {
    const stored = version === job.version ? job : await requester.store.getJob(job.id, version)
    if (stored === null) continue
    const wire = jobToWire(stored, client, nodeId)
    versions.set(version, { wire, bytes: Buffer.byteLength(JSON.stringify(wire)) })
  }
  let bytes = 0
  return ({ jobVersion }) => {
    const version = versions.get(jobVersion)
    if (version === undefined || bytes + version.bytes > MOST_JOB_BYTES) return undefined
    bytes += version.bytes
    return version.wire
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
  if (!BY_CREATION.has(token.orderBy) && !SORTED.has(token.orderBy)) {
    throw new ApiError('BadRequest', 'invalid order_by', {
      hint: `it is one of ${[...BY_CREATION, ...SORTED.keys()].join(', ')}`,
    })
  }
  return token
}
