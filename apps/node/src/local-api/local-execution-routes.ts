import { resourcesToWire, toRfc3339, type WirePage, type WireResources } from '@saltcod/bacalhau-records'
import { COMPUTE_STATES, type ComputeExecution, type ExecutionStore, isStoreError } from '@saltcod/store-core'
import type { FastifyInstance } from 'fastify'
import { checkId } from '../requester/api/api-context.ts'
import { pageInOrder, type ReadPage } from '../requester/api/listed-page.ts'
import { type PageToken, readPageToken, writePageToken } from '../requester/api/page-token.ts'
import { Query } from '../requester/api/query.ts'
import { ApiError } from '../wire/api-error.ts'

const PATH = '/api/v1/saltcod/executions'
const PAGE = 100

/** An execution as the node that carries it out knows it. */
export interface LocalExecution {
  readonly ID: string
  readonly JobID: string
  readonly JobName: string
  readonly JobType: string
  readonly JobVersion: number
  readonly Namespace: string
  readonly RequesterID: string
  readonly State: string
  readonly StateMessage: string
  readonly EndReason: string | null
  readonly Attempt: number
  readonly Resources: WireResources
  /** Of the revisions of this record, the newest one that the requester has confirmed. */
  readonly AcknowledgedRevision: number
  readonly Revision: number
  readonly CreatedAt: string
  readonly ModifiedAt: string
  readonly FinishedAt: string | null
}

/** Adds reading the executions that a compute node keeps. */
export function addLocalExecutionRoutes(api: FastifyInstance, store: ExecutionStore): void {
  api.get(PATH, async (request): Promise<WirePage<LocalExecution>> => {
    const query = new Query(request)
    const inProgress = query.flag('in_progress')
    const jobId = query.text('job_id')
    const state = stateOf(query)
    const token = tokenOf(query)
    const conditions = {
      ...(inProgress ? { inProgress } : {}),
      ...(jobId === null ? {} : { jobId }),
      ...(state === undefined ? {} : { states: [state] }),
    }
    const read: ReadPage<ComputeExecution> = (page) => store.listExecutions({ ...conditions, ...page })
    const { items, next, missing } = await pageInOrder(read, token)
    return {
      NextToken: next === null ? '' : writePageToken({ ...token, ...next }),
      Items: items.map(toLocalExecution),
      ...(missing === 0 ? {} : { Missing: missing }),
    }
  })

  api.get<{ Params: { id: string } }>(`${PATH}/:id`, async (request) => {
    const { id } = request.params
    checkId('execution', id)
    try {
      return { Execution: toLocalExecution(await store.findExecution(id)) }
    } catch (error) {
      if (!isStoreError(error, 'EXECUTION_NOT_FOUND')) throw error
      throw new ApiError('NotFound', `execution not found on this node: ${id}`, {
        component: 'LocalAPI',
        hint: 'saltcod job executions JOB, asked of the requester, says where each execution is',
      })
    }
  })
}

function stateOf(query: Query): (typeof COMPUTE_STATES)[number] | undefined {
  const text = query.text('state')
  if (text === null) return undefined
  const state = COMPUTE_STATES.find((known) => known.toLowerCase() === text.toLowerCase())
  if (state !== undefined) return state
  throw new ApiError('BadRequest', `state is "${text}"`, {
    hint: `it is one of ${COMPUTE_STATES.join(', ')}`,
  })
}

function tokenOf(query: Query): PageToken {
  const text = query.text('next_token')
  if (text !== null) return readPageToken(text)
  const limit = query.whole('limit') ?? PAGE
  return {
    limit: limit === 0 ? PAGE : Math.min(limit, 1_000),
    reverse: query.flag('reverse'),
    orderBy: 'created_at',
  }
}

function toLocalExecution(execution: ComputeExecution): LocalExecution {
  const { job, finishedAtMs } = execution
  return {
    ID: execution.id,
    JobID: job.id,
    JobName: job.name,
    JobType: job.type,
    JobVersion: job.version,
    Namespace: job.namespace,
    RequesterID: execution.requesterId,
    State: execution.state,
    StateMessage: execution.stateMessage,
    EndReason: execution.endReason,
    Attempt: execution.attempt,
    Resources: resourcesToWire(execution.resources),
    AcknowledgedRevision: execution.acknowledgedRevision,
    Revision: execution.revision,
    CreatedAt: toRfc3339(execution.createdAtMs),
    ModifiedAt: toRfc3339(execution.modifiedAtMs),
    FinishedAt: finishedAtMs === null ? null : toRfc3339(finishedAtMs),
  }
}
