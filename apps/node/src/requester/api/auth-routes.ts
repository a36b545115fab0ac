import type { FastifyInstance } from 'fastify'
import { ApiError } from '../../wire/api-error.ts'
import type { ApiContext } from './api-context.ts'

const METHOD = 'clientkey'
/** Any token opens an open node; clients only need to have one. */
const OPEN_TOKEN = 'saltcod-open'

/** Adds the handshake by which clients get a token. The node is open: whoever asks gets one. */
export function addAuthRoutes(api: FastifyInstance, context: ApiContext): void {
  const requirement = {
    type: 'challenge',
    params: { InputPhrase: Buffer.from(context.nodeId).toString('base64') },
  }

  api.get('/api/v1/auth', async () => ({ NextToken: '', Methods: { [METHOD]: requirement } }))

  api.get<{ Params: { name: string } }>('/api/v1/auth/:name', async (request) => {
    checkMethod(request.params.name)
    return requirement
  })

  api.post<{ Params: { name: string } }>('/api/v1/auth/:name', async (request) => {
    checkMethod(request.params.name)
    return { Authentication: { success: true, token: OPEN_TOKEN } }
  })
}

function checkMethod(name: string): void {
  if (name.toLowerCase() === METHOD) return
  throw new ApiError('NotFound', `unknown authentication method: ${name}`, {
    hint: `this node knows ${METHOD}`,
  })
}
