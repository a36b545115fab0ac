import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Metrics } from './metrics.ts'

/** Adds the numbers of the node for Prometheus, under its usual path and beside the rest of the API. */
export function addMetricsRoutes(api: FastifyInstance, metrics: Metrics): void {
  const answer = async (_request: FastifyRequest, reply: FastifyReply): Promise<string> => {
    reply.type(metrics.contentType)
    return await metrics.text()
  }
  api.get('/metrics', answer)
  api.get('/api/v1/metrics', answer)
}
