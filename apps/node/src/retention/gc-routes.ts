import type { JobSpec } from '@saltcod/bacalhau-records'
import type { Job } from '@saltcod/store-core'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { type ApiContext, findJob } from '../requester/api/api-context.ts'
import { Query } from '../requester/api/query.ts'
import { problemLine, readBySchema } from '../spec/problem.ts'
import { ApiError } from '../wire/api-error.ts'
import type { GcReport } from './gc-report.ts'
import { narrowRules } from './narrow-rules.ts'
import type { Retention } from './retention.ts'

/** A run that was asked for answers after so long, and says that there is more to do. */
const LONGEST_RUN_MS = 20_000
const LONGEST_DRY_RUN_MS = 240_000

/** What a hold looks like to a client. */
export interface HoldAnswer {
  readonly JobID: string
  /** Why it is held; `null` where nobody holds it. */
  readonly Hold: string | null
  /** Why it was held before; `null` where nobody held it. */
  readonly HeldBefore: string | null
}

const limit = z.number().int().nonnegative().optional()

const gcBody = z.strictObject({
  dryRun: z.boolean().default(false),
  confirmClock: z.boolean().default(false),
  /** Only jobs of this namespace. */
  namespace: z.string().optional(),
  /** Instead of the configured limits. */
  maxAgeMs: limit,
  maxCount: limit,
  maxBytes: limit,
})

const holdBody = z.object({ Reason: z.string().trim().min(1) })

/** Adds removing old jobs, and holding jobs against it. */
export function addGcRoutes(api: FastifyInstance, context: ApiContext, retention: Retention): void {
  api.post('/api/v1/saltcod/gc', async (request): Promise<GcReport> => {
    const { dryRun, confirmClock, namespace, maxAgeMs, maxCount, maxBytes } = readBody(
      gcBody,
      request.body ?? {},
    )
    const longest = AbortSignal.timeout(dryRun ? LONGEST_DRY_RUN_MS : LONGEST_RUN_MS)
    const rules = narrowRules(retention.rules, namespace, { maxAgeMs, maxCount, maxBytes })
    const report = await retention.run({ dryRun, confirmClock, rules, signal: longest })
    if (!dryRun) request.log.info(report, 'retention was asked for')
    return report
  })

  const hold = async (id: string, query: Query, reason: string | null): Promise<HoldAnswer> => {
    const found = await findJob(context, id, query)
    const job: Job<JobSpec> = await context.requester.store.holdJob({ jobId: found.id, reason })
    return { JobID: job.id, Hold: job.hold, HeldBefore: found.hold }
  }
  const path = '/api/v1/saltcod/jobs/:id'
  api.post<{ Params: { id: string } }>(`${path}/hold`, (request) => {
    const { Reason } = readBody(holdBody, request.body)
    return hold(request.params.id, new Query(request), Reason)
  })
  api.post<{ Params: { id: string } }>(`${path}/release`, (request) =>
    hold(request.params.id, new Query(request), null),
  )
}

function readBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const read = readBySchema(schema, body)
  if ('data' in read) return read.data
  throw new ApiError('ValidationError', read.problems.map(problemLine).join('\n'))
}
