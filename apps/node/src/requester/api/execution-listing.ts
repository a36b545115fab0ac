import type { Execution, Job } from '@saltcod/store-core'
import { EXECUTION_STATES } from '@saltcod/store-core'
import type { JobSpec } from '../../spec/job-spec.ts'
import { ApiError } from '../../wire/api-error.ts'
import type { ClientVersion } from '../../wire/client-version.ts'
import { executionToWire } from '../../wire/execution-output.ts'
import type { WireExecution, WirePage } from '../../wire/models.ts'
import { collectItems } from '../pages.ts'
import type { ApiContext } from './api-context.ts'
import { readPageToken, writePageToken } from './page-token.ts'
import type { Query } from './query.ts'

type Order = (a: Execution, b: Execution) => number

const byCreation: Order = (a, b) => a.createdAtMs - b.createdAtMs
const byChange: Order = (a, b) => a.modifiedAtMs - b.modifiedAtMs

const ORDERS: ReadonlyMap<string, Order> = new Map<string, Order>([
  ['create_time', byCreation],
  ['created_at', byCreation],
  ['modify_time', byChange],
  ['modified_at', byChange],
  ['id', (a, b) => (a.id < b.id ? -1 : 1)],
  ['state', (a, b) => EXECUTION_STATES.indexOf(a.state) - EXECUTION_STATES.indexOf(b.state)],
])

/** Lists the executions of a job as a client asks for them: those of one version, or of all. */
export async function listExecutions(
  { requester }: ApiContext,
  client: ClientVersion,
  job: Job<JobSpec>,
  query: Query,
): Promise<WirePage<WireExecution>> {
  const text = query.text('next_token')
  const token =
    text === null
      ? {
          limit: query.whole('limit') ?? 0,
          reverse: query.flag('reverse'),
          orderBy: query.text('order_by') ?? 'created_at',
        }
      : readPageToken(text)
  const order = ORDERS.get(token.orderBy)
  if (order === undefined) {
    throw new ApiError('BadRequest', 'invalid order_by', {
      hint: `it is one of ${[...ORDERS.keys()].join(', ')}`,
    })
  }
  const version = query.flag('all_job_versions') ? {} : { jobVersion: job.version }
  let missing = 0
  const executions = await collectItems(
    (cursor) => requester.store.listExecutions({ jobId: job.id, ...version, limit: 1000, cursor }),
    (damaged) => {
      missing += damaged
    },
  )
  executions.sort(order)
  if (token.reverse) executions.reverse()
  const offset = token.offset ?? 0
  const end = token.limit === 0 ? executions.length : offset + token.limit
  const taskName = job.spec.Tasks[0]?.Name ?? 'main'
  return {
    NextToken: end < executions.length ? writePageToken({ ...token, offset: end }) : '',
    Items: executions.slice(offset, end).map((execution) => executionToWire(execution, taskName, client)),
    ...(missing === 0 ? {} : { Missing: missing }),
  }
}
