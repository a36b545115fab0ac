import { toRfc3339 } from '@saltcod/bacalhau-records'
import { type ComputeExecution, type ExecutionStore, isStoreError } from '@saltcod/store-core'
import type { FastifyInstance } from 'fastify'
import type { LinkStanding } from '../compute/link-watch.ts'
import type { Report } from '../link/link.ts'
import { checkId } from '../requester/api/api-context.ts'
import { ApiError } from '../wire/api-error.ts'
import { WHY_PATH, type WhyAnswer, type WhyExecution, type WhyLink } from '../wire/why-answer.ts'

const MOST = 100
const PAGE = 500
const MOST_PAGES = 20

/** Adds what both sides know of executions, as far as a compute node alone can tell. */
export function addLocalWhyRoutes(
  api: FastifyInstance,
  {
    executions: store,
    nodeId,
    standing,
  }: {
    readonly executions: ExecutionStore
    readonly nodeId: string
    readonly standing: () => LinkStanding
  },
): void {
  api.get<{ Params: { id: string } }>(`${WHY_PATH}/:id`, async (request): Promise<WhyAnswer> => {
    const { id } = request.params
    checkId('execution', id)
    const found = await executionsOf(store, id)
    if (found.length === 0) {
      throw new ApiError('NotFound', `neither an execution nor a job with executions on this node: ${id}`, {
        component: 'LocalAPI',
        hint: 'name an execution, or a job by its whole id; its requester knows jobs by their names too',
      })
    }
    return {
      Job: null,
      Executions: await Promise.all(
        found.map(async (execution) => explain(store, nodeId, execution, linkOf(standing()))),
      ),
    }
  })
}

async function executionsOf(store: ExecutionStore, id: string): Promise<readonly ComputeExecution[]> {
  if (id.startsWith('j-')) {
    const { items } = await store.listExecutions({ jobId: id, inProgress: true, limit: MOST })
    return items.length > 0
      ? items
      : (await store.listExecutions({ jobId: id, reverse: true, limit: 1 })).items
  }
  try {
    return [await store.findExecution(id)]
  } catch (error) {
    if (isStoreError(error, 'EXECUTION_NOT_FOUND')) return []
    throw error
  }
}

async function explain(
  store: ExecutionStore,
  nodeId: string,
  execution: ComputeExecution,
  link: WhyLink,
): Promise<WhyExecution> {
  const { requesterId, revision } = execution
  const { unreported, oldestAtMs } = await waitingReports(store, requesterId, execution.id)
  const here = {
    State: execution.state,
    Since: toRfc3339(execution.stateSinceMs),
    Message: execution.stateMessage,
    EndReason: execution.endReason,
    Attempt: execution.attempt,
  }
  const isKnown = unreported === 0
  return {
    ID: execution.id,
    JobID: execution.job.id,
    NodeID: nodeId,
    Here: here,
    // What it has taken it knows; what it decided since it says by an order.
    There: isKnown ? { ...here } : null,
    NotAsked: isKnown ? '' : notAsked(link),
    Revision: revision,
    ReportedRevision: isKnown ? revision : null,
    Unreported: unreported,
    WaitingSince: oldestAtMs === null ? '' : toRfc3339(oldestAtMs),
    Link: link,
  }
}

function notAsked({ State, Reason }: WhyLink): string {
  if (State === 'CONNECTED') return 'the requester is being told'
  return `the requester cannot be asked${Reason === '' ? '' : ` (${Reason})`}`
}

/** Counts the reports of an execution that the requester has not confirmed, among those that were written first. */
async function waitingReports(
  store: ExecutionStore,
  destination: string,
  executionId: string,
): Promise<{ readonly unreported: number; readonly oldestAtMs: number | null }> {
  let [unreported, oldestAtMs, afterSequence] = [0, null as number | null, 0]
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const rows = await store.readOutbox({ destination, afterSequence, limit: PAGE })
    oldestAtMs ??= rows[0]?.atMs ?? null
    for (const { body } of rows)
      if ((body as Partial<Report> | null)?.executionId === executionId) unreported += 1
    if (rows.length < PAGE) break
    afterSequence = rows.at(-1)?.sequence ?? afterSequence
  }
  return { unreported, oldestAtMs }
}

function linkOf({ state, sinceMs, heardAtMs, reason }: LinkStanding): WhyLink {
  return {
    State: state.toUpperCase(),
    Since: toRfc3339(sinceMs),
    LastHeard: heardAtMs === null ? '' : toRfc3339(heardAtMs),
    Reason: reason ?? '',
  }
}
