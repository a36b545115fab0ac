import {
  jobToWire,
  looseField,
  type WireGetJobAnswer,
  type WirePage,
  type WirePutJobAnswer,
  type WireSpecConfig,
} from '@saltcod/bacalhau-records'
import { newId } from '@saltcod/store-core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from '../../wire/api-error.ts'
import { readSubmit } from '../../wire/job-input.ts'
import type { ApiContext } from './api-context.ts'
import { clientOf, findJob } from './api-context.ts'
import { listExecutions } from './execution-listing.ts'
import { listHistory } from './history-listing.ts'
import { diffJob } from './job-diff.ts'
import { listJobs } from './job-listing.ts'
import { jobResults } from './job-results.ts'
import { Query } from './query.ts'
import { rerun } from './rerun.ts'
import { submit } from './submit.ts'

const JOBS = '/api/v1/orchestrator/jobs'

/** Adds submitting, reading and stopping jobs. */
export function addJobRoutes(api: FastifyInstance, context: ApiContext): void {
  const put = (request: FastifyRequest): Promise<WirePutJobAnswer> => putJob(context, request)
  api.put(JOBS, put)
  api.post(JOBS, put)
  api.get(JOBS, (request) => listJobs(context, clientOf(request), new Query(request)))

  api.get<{ Params: { id: string } }>(`${JOBS}/:id`, async (request): Promise<WireGetJobAnswer> => {
    const client = clientOf(request)
    const query = new Query(request)
    const job = await findJob(context, request.params.id, query)
    const include = (query.text('include') ?? '').split(',')
    return {
      Job: jobToWire(job, client, context.nodeId),
      ...(include.includes('history')
        ? { History: await listHistory(context, client, job, query, false) }
        : {}),
      ...(include.includes('executions')
        ? { Executions: await listExecutions(context, client, job, query) }
        : {}),
    }
  })

  api.delete<{ Params: { id: string } }>(`${JOBS}/:id`, (request) => stopJob(context, request))

  api.get<{ Params: { id: string } }>(`${JOBS}/:id/executions`, async (request) => {
    const query = new Query(request)
    return listExecutions(context, clientOf(request), await findJob(context, request.params.id, query), query)
  })

  api.get<{ Params: { id: string } }>(`${JOBS}/:id/history`, async (request) => {
    const query = new Query(request)
    return listHistory(
      context,
      clientOf(request),
      await findJob(context, request.params.id, query),
      query,
      true,
    )
  })

  api.get<{ Params: { id: string } }>(
    `${JOBS}/:id/results`,
    async (request): Promise<WirePage<WireSpecConfig>> => {
      const job = await findJob(context, request.params.id, new Query(request))
      const urlOf = (executionId: string): string => context.resultLinks.urlOf(executionId, request)
      return { NextToken: '', Items: await jobResults(context.requester.store, job, urlOf) }
    },
  )

  api.get<{ Params: { id: string } }>(`${JOBS}/:id/versions`, async (request) => {
    const client = clientOf(request)
    const job = await findJob(context, request.params.id, new Query(request))
    const versions = await context.requester.store.listJobVersions(job.id)
    return { NextToken: '', Items: versions.map((version) => jobToWire(version, client, context.nodeId)) }
  })

  api.put<{ Params: { id: string } }>(`${JOBS}/:id/rerun`, async (request) => {
    refuseWhileDraining(context)
    const job = await findJob(context, request.params.id, new Query(request))
    return rerun(context.requester, job.id, request.body)
  })

  api.put(`${JOBS}/diff`, (request) => diffJob(context.requester, request.body))

  api.get(`${JOBS}/:id/logs`, async (_request: FastifyRequest, reply: FastifyReply) => {
    reply.header('upgrade', 'websocket')
    throw new ApiError('BadRequest', 'logs are read over a websocket', { hint: 'use: saltcod job logs ID' })
  })
}

async function putJob(context: ApiContext, request: FastifyRequest): Promise<WirePutJobAnswer> {
  const { requester } = context
  refuseWhileDraining(context)
  const input = readSubmit(request.body, requester.settings.jobs, clientOf(request))
  const header = request.headers['idempotency-key']
  const submitKey = input.submitKey ?? (typeof header === 'string' && header !== '' ? header : null)
  const warnings = [...input.warnings]
  const submitted = await submit(requester, input, {
    submitKey,
    client: clientOf(request),
    warn: (warning) => warnings.push(warning),
  })
  request.log.debug({ job: submitted.job.id, created: submitted.created }, 'job submitted')
  return {
    JobID: submitted.job.id,
    EvaluationID: submitted.evaluationId ?? '',
    Warnings: warnings.length === 0 ? null : warnings,
  }
}

async function stopJob(
  context: ApiContext,
  request: FastifyRequest<{ Params: { id: string } }>,
): Promise<{ EvaluationID: string }> {
  const query = new Query(request)
  const job = await findJob(context, request.params.id, query)
  if (job.state === 'Stopped') return { EvaluationID: '' }
  if (job.state === 'Completed' || job.state === 'Failed') {
    throw new ApiError('ConflictJobState', `cannot stop job in state ${job.state}`, { component: 'JobStore' })
  }
  const given = looseField((request.body ?? null) as never, 'reason')
  const reason =
    typeof given === 'string' && given !== '' ? given : (query.text('reason') ?? 'stopped by request')
  const evaluationId = newId('v')
  await context.requester.store.transitionJob({
    jobId: job.id,
    to: 'Stopped',
    message: reason.slice(0, 1000),
    deadlineAtMs: null,
    evaluation: { id: evaluationId, trigger: 'job-cancel' },
    event: { message: reason.slice(0, 1000), topic: 'State Update', details: { NewState: 'Stopped' } },
  })
  return { EvaluationID: evaluationId }
}

function refuseWhileDraining(context: ApiContext): void {
  if (context.isDraining()) {
    throw new ApiError('ServiceUnavailable', 'the node is stopping and takes no more jobs', {
      hint: 'submit the job again when the node is back',
    })
  }
}
