import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isApiError } from '../wire/api-error.ts'
import type { Gate } from './gate.ts'
import { accessOf } from './route-access.ts'
import type { KeptToken } from './token-file.ts'

/** Whose request each is. */
const CALLERS = new WeakMap<FastifyRequest, KeptToken>()

/** Returns the token that a request was made with; `null` where none was asked for. */
export function callerOf(request: FastifyRequest): KeptToken | null {
  return CALLERS.get(request) ?? null
}

/**
 * Asks each request for what its route needs, before anything of its body is read. A route of which nobody has decided
 * that cannot be added. Without a gate whoever comes is let in.
 */
export function addAccess(api: FastifyInstance, gate: Gate | null): void {
  api.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) accessOf(one, url)
  })
  if (gate === null) return
  api.addHook('onRequest', (request, reply, done) => {
    const { url } = request.routeOptions
    try {
      // What addresses there are is told to nobody who may not read.
      const caller = gate.admit(request.raw, url === undefined ? 'reader' : accessOf(request.method, url))
      if (caller !== null) {
        CALLERS.set(request, caller)
        reply.raw.once('close', gate.hold(caller, request.raw.socket))
      }
      done()
    } catch (error) {
      // Nobody waits for a body that is not wanted.
      if (hasBody(request)) reply.header('connection', 'close')
      if (isApiError(error) && error.code === 'Unauthorized')
        reply.header('www-authenticate', 'Bearer realm="saltcod"')
      done(error as Error)
    }
  })
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
