import {
  type ClientVersion,
  type JobSpec,
  OLDEST_CLIENT,
  readClientVersion,
  VERSION_HEADER,
  type WireBuildVersion,
} from '@saltcod/bacalhau-records'
import { isStoreError, type Job, type Json } from '@saltcod/store-core'
import type { FastifyRequest } from 'fastify'
import type { CertificateEnd } from '../../tls/server-tls.ts'
import { ApiError } from '../../wire/api-error.ts'
import type { RequesterContext } from '../context.ts'
import type { Query } from './query.ts'
import type { ResultLinks } from './result-links.ts'

/** What every route works with. */
export interface ApiContext {
  readonly requester: RequesterContext
  readonly nodeId: string
  readonly labels: Readonly<Record<string, string>>
  readonly version: WireBuildVersion
  /** The configuration as it may be shown. */
  readonly config: () => Json
  readonly resultLinks: ResultLinks
  /** Of what listens; none where that speaks no TLS. */
  readonly certificates: () => readonly CertificateEnd[]
  /** Tells whether the node is about to stop and takes no more jobs. */
  readonly isDraining: () => boolean
}

const MAX_ID_LENGTH = 256

/** Returns what the client of a request can read. Throws where it is too old. */
export function clientOf(request: Pick<FastifyRequest, 'headers'>): ClientVersion {
  const header = request.headers[VERSION_HEADER]
  const text = Array.isArray(header) ? header[0] : header
  const verdict = readClientVersion(text)
  if ('client' in verdict) return verdict.client
  if (verdict.refused === 'invalid') throw new ApiError('BadRequest', `Invalid client version ${text}`)
  throw new ApiError('Forbidden', 'Client version is outdated. Update your client', {
    hint: `this node serves clients from ${OLDEST_CLIENT}`,
  })
}

/** Finds the job that a path names by id, short id or name. Throws `NotFound`, `MultipleJobsFound`. */
export async function findJob(context: ApiContext, id: string, query: Query): Promise<Job<JobSpec>> {
  checkId('job', id)
  const { store } = context.requester
  const job = await store.findJob(id, query.text('namespace') ?? undefined).catch(async (error: unknown) => {
    throw isStoreError(error, 'JOB_NOT_FOUND') ? await notFound(context, id) : error
  })
  const version = query.whole('job_version') ?? 0
  if (version === 0 || version === job.version) return job
  const older = await store.getJob(job.id, version)
  if (older === null) {
    throw new ApiError('NotFound', `job version ${version} not found for job ${job.id}`, {
      component: 'JobStore',
    })
  }
  return older
}

/** Executions are listed beside their jobs, and so is their id given in the place of a job's. */
async function notFound({ requester: { store } }: ApiContext, id: string): Promise<ApiError> {
  const execution = id.startsWith('e-') ? await store.findExecution(id).catch(() => undefined) : undefined
  return new ApiError('NotFound', `job not found: ${id}`, {
    component: 'JobStore',
    hint:
      execution === undefined
        ? 'list the jobs to see what is there'
        : `it is an execution of the job ${execution.jobId}: name that; job logs shows one execution with --execution-id`,
  })
}

/** Refuses ids that nothing can have, before anything is looked up. Throws `NotFound`. */
export function checkId(what: string, id: string): void {
  const printable = [...id].every((character) => character >= ' ' && character !== '\u007f')
  if (id !== '' && id.length <= MAX_ID_LENGTH && printable) return
  throw new ApiError('NotFound', `${what} not found: ${JSON.stringify(id.slice(0, 40))}`, {
    hint: 'an id is at most 256 characters, all of them printable',
  })
}
