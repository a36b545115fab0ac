import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { ComputeNode } from '../compute/compute-node.ts'
import { isLinkError } from '../link/link-error.ts'
import type { GcReport } from '../retention/gc-report.ts'
import { problemLine, readBySchema } from '../spec/problem.ts'
import { ApiError } from '../wire/api-error.ts'

const REQUESTERS = 'is a limit of jobs, which a compute node alone does not know; ask its requester'

/** Which jobs there are is the requester's business, and so are limits by number and namespace. */
const body = z.looseObject({
  dryRun: z.boolean().default(false),
  maxAgeMs: z.number().int().nonnegative().optional(),
  maxCount: z.undefined(REQUESTERS).optional(),
  namespace: z.undefined(REQUESTERS).optional(),
})

/** Adds removing what this node keeps of executions that its requester does not know any more. */
export function addLocalGcRoute(
  api: FastifyInstance,
  compute: () => Pick<ComputeNode, 'removeUnasked'> | undefined,
): void {
  api.post('/api/v1/saltcod/gc', async (request): Promise<GcReport> => {
    const read = readBySchema(body, request.body ?? {})
    if (!('data' in read)) throw new ApiError('ValidationError', read.problems.map(problemLine).join('\n'))
    const { dryRun, maxAgeMs } = read.data
    const removal = compute()?.removeUnasked({ dryRun, keptMs: maxAgeMs })
    if (removal === undefined) throw unanswered('this node has not been joined to its requester yet')
    const { removed, failures } = await removal.catch((error: unknown) => {
      if (!isLinkError(error)) throw error
      throw unanswered(`the requester was asked what it knows: ${error.message}`)
    })
    return {
      dryRun,
      unasked: true,
      rules: 1,
      removedJobs: 0,
      removedBytes: 0,
      overdueSeconds: 0,
      archivedJobs: 0,
      heldJobs: 0,
      unfinishedJobs: 0,
      changedJobs: 0,
      failedJobs: failures.length,
      failures,
      removedExecutions: removed,
      complete: true,
      suspended: null,
    }
  })
}

function unanswered(why: string): ApiError {
  return new ApiError('ServiceUnavailable', `nothing is removed without the requester: ${why}`, {
    component: 'LocalAPI',
    hint: 'run it again when the node is connected; /api/v1/saltcod/link says how it stands',
  })
}
