import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ResultArchive } from '../../link/link.ts'
import { ApiError } from '../../wire/api-error.ts'
import { type ApiContext, checkId } from './api-context.ts'
import { readByteRange } from './byte-range.ts'
import type { Connections } from './connections.ts'
import { Query } from './query.ts'
import { RESULTS } from './result-links.ts'

/** What an archive that is being sent takes of the memory for answers, however long it is. */
const IN_FLIGHT_BYTES = 256 * 1024

/** Adds the download of published results, whole or in part, to whoever has an address that was given out. */
export function addResultRoutes(api: FastifyInstance, context: ApiContext, connections: Connections): void {
  api.route<{ Params: { file: string } }>({
    method: ['GET', 'HEAD'],
    url: `${RESULTS}/:file`,
    handler: (request, reply) => sendResults(context, connections, request, reply),
  })
}

async function sendResults(
  context: ApiContext,
  connections: Connections,
  request: FastifyRequest<{ Params: { file: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { file } = request.params
  const executionId = context.resultLinks.executionOf(file, new Query(request))
  checkId('execution', executionId)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const { nodeId, archive } = await findArchive(context, executionId, gone.signal)
  const { bytes, tag } = archive
  const etag = `"${tag}"`
  reply.headers({
    etag,
    'accept-ranges': 'bytes',
    // A proxy that packed it anew would change its bytes.
    'cache-control': 'private, no-transform',
    'content-disposition': `attachment; filename="${file}"`,
  })
  const { range, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers
  if (ifNoneMatch !== undefined && namesTag(ifNoneMatch, etag)) return await reply.code(304).send()
  const part = ifRange === undefined || ifRange === etag ? readByteRange(range, bytes) : null
  if (part === 'unsatisfiable') {
    reply.header('content-range', `bytes */${bytes}`)
    throw new ApiError('RangeNotSatisfiable', `the results are ${bytes} bytes, nothing lies in ${range}`)
  }
  const { from, to } = part ?? { from: 0, to: bytes }
  if (part !== null) reply.code(206).header('content-range', `bytes ${from}-${to - 1}/${bytes}`)
  reply.type('application/gzip').header('content-length', String(to - from))
  if (request.method === 'HEAD') return await reply.send()
  connections.send(reply.raw, IN_FLIGHT_BYTES)
  const demand = { kind: 'results', executionId, tag, from, to } as const
  return await reply.send(
    Readable.from(context.requester.demands.read(nodeId, demand, gone.signal), { objectMode: false }),
  )
}

function namesTag(header: string, etag: string): boolean {
  return header
    .split(',')
    .some((tag) => tag.trim() === etag || tag.trim() === '*' || tag.trim() === `W/${etag}`)
}

async function findArchive(
  { requester }: ApiContext,
  executionId: string,
  signal: AbortSignal,
): Promise<{ readonly nodeId: string; readonly archive: ResultArchive }> {
  const execution = await requester.store.getExecution(executionId)
  if (execution === null) {
    throw new ApiError('NotFound', `execution not found: ${executionId}`, {
      component: 'JobStore',
      hint: 'list the executions of the job to see what is there',
    })
  }
  const { nodeId } = execution
  if (requester.nodes.get(nodeId)?.connectedAtMs == null) {
    throw new ApiError('ServiceUnavailable', `node ${nodeId}, which keeps the results, is not here`, {
      hint: 'try again when it is back',
    })
  }
  const archive = await requester.demands.archiveOf(nodeId, executionId, signal)
  if (archive === null) {
    throw new ApiError('NotFound', `no results of execution ${executionId} are kept any more`, {
      hint: 'retention removes results with their job; an operator may have removed them',
    })
  }
  return { nodeId, archive }
}
