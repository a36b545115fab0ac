import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { pathOf } from '../requester/api/known-paths.ts'
import { callerOf } from './access-hook.ts'
import { peerOf } from './peer.ts'
import { accessOf } from './route-access.ts'
import { hideTokens } from './token.ts'

/** Longer answers to changes are lists of what was done, and name nothing that was made. */
const MOST_ANSWER_LENGTH = 10_000
/** What an answer calls what was made or changed. */
const MADE = ['JobID', 'EvaluationID', 'ID'] as const

/** Makes the log of changes from another one; it is written whatever the level of that, unless that says nothing. */
export function auditLog(log: Logger): Logger {
  return log.child({}, { level: log.level === 'silent' ? log.level : 'info' })
}

/**
 * Writes a line for each change that an operator makes or tries to, before it is answered: who, from where, and what.
 * Of bodies and of what stands behind the question mark nothing is written but the name of the action.
 */
export function addAudit(api: FastifyInstance, log: Logger): void {
  api.addHook('onSend', (request, reply, payload, done) => {
    const { url } = request.routeOptions
    const caller = callerOf(request)
    if (caller !== null && url !== undefined && request.method !== 'GET' && isChange(request, url)) {
      const { id, note, role } = caller
      const who = { token: id, role, ...(note === '' ? {} : { note }), from: peerOf(request.raw.socket) }
      log.info({ ...who, ...whatOf(request, reply, payload) }, 'a change was asked for')
    }
    done(null, payload)
  })
}

function isChange({ method }: FastifyRequest, url: string): boolean {
  return accessOf(method, url) === 'operator'
}

function whatOf(request: FastifyRequest, reply: FastifyReply, payload: unknown): Record<string, unknown> {
  const action = wordIn(request.body, 'Action')
  return {
    // What stands in place of an id may be a token.
    change: hideTokens(`${request.method} ${pathOf(request.url)}`),
    ...(action === null ? {} : { action }),
    ...madeIn(payload),
    status: reply.statusCode,
  }
}

function madeIn(payload: unknown): Record<string, string> {
  if (typeof payload !== 'string' || payload.length > MOST_ANSWER_LENGTH || !payload.startsWith('{'))
    return {}
  const answer: unknown = JSON.parse(payload)
  return Object.fromEntries(
    MADE.flatMap((name) => {
      const word = wordIn(answer, name)
      return word === null ? [] : [[name, word]]
    }),
  )
}

function wordIn(holder: unknown, name: string): string | null {
  if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, name)) return null
  const word: unknown = Reflect.get(holder, name)
  return typeof word === 'string' ? word.slice(0, 200) : null
}
