import type { FastifyInstance } from 'fastify'
import { ApiError } from '../wire/api-error.ts'
import type { Compaction } from './compaction.ts'

/** Adds rewriting the stores: POST begins it, GET tells how far it is, DELETE stops it. */
export function addCompactionRoutes(api: FastifyInstance, compaction: Compaction): void {
  const path = '/api/v1/saltcod/compact'
  api.post(path, async () => {
    const status = compaction.begin()
    if (status !== null) return status
    throw new ApiError('NotImplemented', 'this store cannot be rewritten', {
      hint: 'with the node stopped, saltcod-inspect compact STORE TARGET writes a small copy',
    })
  })
  api.get(path, async () => compaction.status)
  api.delete(path, async () => compaction.cancel())
}
