import type { Execution, Job } from '@saltcod/store-core'
import { EXECUTION_STATES } from '@saltcod/store-core'
import type { JobSpec } from '../../spec/job-spec.ts'
import { ApiError } from '../../wire/api-error.ts'
import type { ClientVersion } from '../../wire/client-version.ts'
import { executionToWire } from '../../wire/execution-output.ts'
import type { WireExecution, WirePage } from '../../wire/models.ts'
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

/** Lists the executions of a job as a client asks for them: those of one version, or of all. */
export async function listExecutions(
  { requester }: ApiContext,
  client: ClientVersion,
  job: Job<JobSpec>,
  query: Query,
): Promise<WirePage<WireExecution>> {
  const token = tokenOf(query)
  // A job that is revised meanwhile must not mix its versions.
  const { jobVersion = query.flag('all_job_versions') ? ALL_VERSIONS : job.version } = token
  const conditions = { jobId: job.id, ...(jobVersion === ALL_VERSIONS ? {} : { jobVersion }) }
  const read: ReadPage<Execution> = (page) => requester.store.listExecutions({ ...conditions, ...page })
  const order = SORTED.get(token.orderBy)
  const { items, next, missing } =
    order === undefined ? await pageInOrder(read, token) : await sortedPage(read, token, order, 'executions')
  const taskName = job.spec.Tasks[0]?.Name ?? 'main'
  return {
    NextToken: next === null ? '' : writePageToken({ ...token, jobVersion, ...next }),
    Items: items.map((execution) => executionToWire(execution, taskName, client)),
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
  if (!BY_CREATION.has(token.orderBy) && !SORTED.has(token.orderBy)) {
    throw new ApiError('BadRequest', 'invalid order_by', {
      hint: `it is one of ${[...BY_CREATION, ...SORTED.keys()].join(', ')}`,
    })
  }
  return token
}
