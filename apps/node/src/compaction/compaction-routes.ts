import type { FastifyInstance } from 'fastify'
import type { Compaction } from './compaction.ts'

/** Adds rewriting the stores: POST begins it, GET tells how far it is, DELETE stops it. */
export function addCompactionRoutes(api: FastifyInstance, compaction: Compaction): void {
  const path = '/api/v1/saltcod/compact'
  api.post(path, async () => compaction.begin())
  api.get(path, async () => compaction.status)
  api.delete(path, async () => compaction.cancel())
}
