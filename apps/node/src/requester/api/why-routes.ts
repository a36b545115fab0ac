import { type JobSpec, toRfc3339 } from '@saltcod/bacalhau-records'
import { type Execution, isStoreError, type Job } from '@saltcod/store-core'
import type { FastifyInstance } from 'fastify'
import type { ExecutionOnNode } from '../../link/link.ts'
import { isLinkError } from '../../link/link-error.ts'
import { WHY_PATH, type WhyAnswer, type WhyExecution, type WhyLink } from '../../wire/why-answer.ts'
import type { RequesterContext } from '../context.ts'
import { type ApiContext, checkId, findJob } from './api-context.ts'
import { Query } from './query.ts'

const MOST = 100
/** Whoever asks why waits for an answer, and a node that is well gives it at once. */
const ASK_MS = 3_000

/** Adds what both sides know of executions: this requester, and the node that has them, which is asked. */
export function addWhyRoutes(api: FastifyInstance, context: ApiContext): void {
  api.get<{ Params: { id: string } }>(`${WHY_PATH}/:id`, async (request): Promise<WhyAnswer> => {
    const { requester } = context
    const { id } = request.params
    checkId('job', id)
    const asked = await executionOf(requester, id)
    const job = await findJob(context, asked?.jobId ?? id, new Query(request))
    const executions = asked === null ? await executionsOf(requester, job) : [asked]
    return {
      Job: {
        ID: job.id,
        Name: job.name,
        State: job.state,
        Since: toRfc3339(job.stateSinceMs),
        Message: job.stateMessage,
      },
      Executions: await Promise.all(executions.map((execution) => explain(requester, execution))),
    }
  })
}

async function executionOf({ store }: RequesterContext, id: string): Promise<Execution | null> {
  if (!id.startsWith('e-')) return null
  return await store.findExecution(id).catch((error: unknown) => {
    if (isStoreError(error, 'EXECUTION_NOT_FOUND')) return null
    throw error
  })
}

async function executionsOf({ store }: RequesterContext, job: Job<JobSpec>): Promise<readonly Execution[]> {
  const jobId = job.id
  const { items } = await store.listExecutions({ jobId, inProgress: true, limit: MOST })
  if (items.length > 0) return items
  return (await store.listExecutions({ jobId, reverse: true, limit: 1 })).items
}

async function explain(requester: RequesterContext, execution: Execution): Promise<WhyExecution> {
  const { store } = requester
  const { id, jobId, nodeId } = execution
  const link = linkTo(requester, nodeId)
  const [oldest] = await store.readOutbox({ destination: nodeId, limit: 1 })
  const told = await ask(requester, execution, link)
  return {
    ID: id,
    JobID: jobId,
    NodeID: nodeId,
    Here: {
      State: execution.state,
      Since: toRfc3339(execution.stateSinceMs),
      Message: execution.stateMessage,
      EndReason: execution.endReason,
    },
    There:
      told.answer === null
        ? null
        : {
            State: told.answer.state,
            Since: toRfc3339(told.answer.stateSinceMs),
            Message: told.answer.stateMessage,
            EndReason: told.answer.endReason,
            Attempt: told.answer.attempt,
          },
    NotAsked: told.notAsked,
    Revision: told.answer?.revision ?? null,
    ReportedRevision: execution.computeRevision,
    Unreported: null,
    WaitingSince: oldest === undefined ? '' : toRfc3339(oldest.atMs),
    Link: link,
  }
}

function linkTo({ nodes }: RequesterContext, nodeId: string): WhyLink {
  const node = nodes.get(nodeId)
  if (node === null)
    return { State: 'UNKNOWN', Since: '', LastHeard: '', Reason: nodes.lossOf(nodeId) ?? 'it never came' }
  const { state, connectedAtMs, lastContactMs } = node
  return {
    State: state.toUpperCase(),
    Since: toRfc3339(state === 'connected' ? (connectedAtMs ?? lastContactMs) : lastContactMs),
    LastHeard: toRfc3339(lastContactMs),
    Reason: state === 'connected' ? '' : (nodes.lossOf(nodeId) ?? `node ${nodeId} is not heard of`),
  }
}

interface Told {
  readonly answer: ExecutionOnNode | null
  readonly notAsked: string
}

/** Asks a node that is heard of for its own record. */
async function ask({ demands }: RequesterContext, execution: Execution, link: WhyLink): Promise<Told> {
  const { id: executionId, nodeId, state } = execution
  if (link.State !== 'CONNECTED') return { answer: null, notAsked: link.Reason }
  if (state === 'New') return { answer: null, notAsked: 'it has not been offered to its node yet' }
  const late = AbortSignal.timeout(ASK_MS)
  try {
    for await (const answer of demands.read(nodeId, { kind: 'execution', executionId }, late))
      return { answer, notAsked: '' }
  } catch (error) {
    if (isLinkError(error, 'LINK_SILENT', 'LINK_CLOSED')) return { answer: null, notAsked: error.message }
    return { answer: null, notAsked: `node ${nodeId} cannot say: it is of a release that is not asked` }
  }
  if (!late.aborted) return { answer: null, notAsked: '' }
  return { answer: null, notAsked: `node ${nodeId} did not answer within ${ASK_MS / 1_000} s` }
}
