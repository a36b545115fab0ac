import type { FastifyInstance } from 'fastify'
import { ApiError } from '../../wire/api-error.ts'
import type { ApiContext } from './api-context.ts'

const METHOD = 'clientkey'
/** Any token opens an open node; clients only need to have one. */
const OPEN_TOKEN = 'saltcod-open'

/**
 * Adds the handshake by which clients get a token. An open node gives one to whoever asks; one that asks for tokens
 * has no such method, as Bacalhau has none beside its users and keys: the command line then says what it wants.
 */
export function addAuthRoutes(api: FastifyInstance, context: ApiContext, asksForTokens: boolean): void {
  const known = asksForTokens ? [] : [METHOD]
  const requirement = {
    type: 'challenge',
    params: { InputPhrase: Buffer.from(context.nodeId).toString('base64') },
  }

  api.get('/api/v1/auth', async () => ({
    NextToken: '',
    Methods: Object.fromEntries(known.map((name) => [name, requirement])),
  }))

  api.get<{ Params: { name: string } }>('/api/v1/auth/:name', async (request) => {
    checkMethod(request.params.name, known)
    return requirement
  })

  api.post<{ Params: { name: string } }>('/api/v1/auth/:name', async (request) => {
    checkMethod(request.params.name, known)
    return { Authentication: { success: true, token: OPEN_TOKEN } }
  })
}

function checkMethod(name: string, known: readonly string[]): void {
  if (known.includes(name.toLowerCase())) return
  throw new ApiError('NotFound', `unknown authentication method: ${name}`, {
    hint:
      known.length === 0
        ? 'this node asks for a token, which an operator makes: show it with BACALHAU_API_KEY'
        : `this node knows ${known.join(', ')}`,
  })
}
