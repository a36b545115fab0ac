import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { maxHeaderSize } from 'node:http'
import { readClientVersion, VERSION_HEADER, type WireBuildVersion } from '@saltcod/bacalhau-records'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { fastify, LogController } from 'fastify'
import { addAccess } from '../../access/access-hook.ts'
import { addAudit } from '../../access/audit.ts'
import type { Gate } from '../../access/gate.ts'
import { ApiError, errorBody, isApiError, oldErrorBody } from '../../wire/api-error.ts'
import { addAgentRoutes, agentOf } from './agent-routes.ts'
import type { ApiContext } from './api-context.ts'
import { clientOf } from './api-context.ts'
import { addAuthRoutes } from './auth-routes.ts'
import { answerClientError } from './client-error.ts'
import { addJobRoutes } from './job-routes.ts'
import { KnownPaths, pathOf } from './known-paths.ts'
import type { Listeners } from './listeners.ts'
import { serveLogs } from './log-socket.ts'
import { addNodeRoutes } from './node-routes.ts'
import { foreignOrigin } from './origin-guard.ts'
import { addResultRoutes } from './result-routes.ts'
import { toApiError } from './store-error.ts'
import { addWhyRoutes } from './why-routes.ts'

/** How the API is served. */
export interface ApiOptions {
  /** The largest request, in bytes. */
  readonly maxBodyBytes: number
  readonly listeners: Listeners
  /** `null` where nobody is asked who they are. */
  readonly gate: Gate | null
  readonly log: FastifyBaseLogger
}

/** What is answered also where nothing else is. */
const HEALTH: ReadonlySet<string> = new Set(['/api/v1/agent/alive', '/metrics', '/api/v1/metrics'])
const RETRY_AFTER_S = 1
const PRETTY = /[?&]pretty\b/

/** What is answered to every request. */
export interface ApiAnswers {
  readonly version: WireBuildVersion
  /** Returns why an address is not there; undefined where nothing else is known of it than that. */
  readonly missing?: (path: string) => ApiError | undefined
}

/** Makes the API of a requester; it does not listen yet. */
export function createApi(context: ApiContext, options: ApiOptions): FastifyInstance {
  const api = createBareApi(context, options)
  const { gate } = options
  const { connections } = options.listeners
  addAuthRoutes(api, context, gate !== null)
  addAgentRoutes(api, agentOf(context))
  addNodeRoutes(api, context)
  addJobRoutes(api, context)
  addWhyRoutes(api, context)
  addResultRoutes(api, context, connections)
  serveLogs(api.server, context, { connections, gate })
  return api
}

/** Makes an API without addresses: how requests are read and bounded, and what is answered to all of them. */
export function createBareApi(
  answers: ApiAnswers,
  { maxBodyBytes, listeners, gate, log }: ApiOptions,
): FastifyInstance {
  const { connections } = listeners
  const api: FastifyInstance = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    genReqId: () => randomUUID(),
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    serverFactory: (handler) => listeners.create(handler),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, connections.isAnswering(socket)),
    // What the router itself refuses, such as an address that cannot be decoded, does not reach the error handler.
    frameworkErrors: answerError,
    // As much as the head of a request may hold, so that whatever is too long for an id is refused as one.
    routerOptions: { maxParamLength: maxHeaderSize, ignoreTrailingSlash: true },
    schemaController: { compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema } },
  })
  addParsing(api)
  addBounds(api, listeners)
  addAnswers(api, answers, knownPathsOf(api))
  addAccess(api, gate)
  if (gate !== null) addAudit(api, gate.audit)
  return api
}

/** Routes read by zod schemas; loading the compilers for fastify's own would take a good part of a start. */
function refuseSchema(): never {
  throw new TypeError('a route has no schema of fastify: read its body by readBySchema')
}

/** Bodies are JSON whatever their type is called, and may be empty; clients send them with DELETE too. */
function addParsing(api: FastifyInstance): void {
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    const text = utf8Text(body as Buffer)
    if (text === null) {
      done(new ApiError('BadRequest', 'the body is not UTF-8', { hint: 'send JSON as UTF-8' }))
      return
    }
    if (text.trim() === '') {
      done(null, null)
      return
    }
    try {
      done(null, JSON.parse(text))
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      done(new ApiError('BadRequest', `the body is not JSON: ${reason}`, { cause: error }))
    }
  })
}

/** Returns the text of bytes, `null` for what is none: taken all the same, it would be another text. */
function utf8Text(bytes: Buffer): string | null {
  return isUtf8(bytes) ? bytes.toString() : null
}

/** Refuses what is too much at a time; the health of the node can always be asked for. */
function addBounds(api: FastifyInstance, listeners: Listeners): void {
  const { connections } = listeners
  // Hooks that are told when they are done cost less than those that return a promise, and every request has five.
  api.addHook('onRequest', (request, reply, done) => {
    const overload = connections.overload(request.raw)
    if (overload === null || HEALTH.has(request.routeOptions.url ?? '')) {
      done()
      return
    }
    reply.headers({ 'retry-after': String(RETRY_AFTER_S), connection: 'close' })
    const hint = 'try again in a moment'
    done(new ApiError('ServiceUnavailable', `the node is too busy: ${overload}`, { hint }))
  })
  api.addHook('onSend', (_request, reply, payload, done) => {
    if (typeof payload === 'string') connections.send(reply.raw, payload.length)
    done(null, payload)
  })
  api.addHook('preClose', () => listeners.close())
}

/** Routes that are added later are known too. */
function knownPathsOf(api: FastifyInstance): KnownPaths {
  const known = new KnownPaths()
  api.addHook('onRoute', ({ url, method }) => known.add(url, [method].flat()))
  return known
}

function addAnswers(api: FastifyInstance, { version, missing }: ApiAnswers, known: KnownPaths): void {
  const always = {
    'x-bacalhau-git-version': version.GitVersion,
    'x-bacalhau-git-commit': version.GitCommit,
    'x-bacalhau-build-date': version.BuildDate,
    'x-bacalhau-build-os': version.GOOS,
    'x-bacalhau-arch': version.GOARCH,
  }
  api.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id).headers(always)
    const foreign = foreignOrigin(request.raw)
    if (foreign !== null) done(new ApiError('Forbidden', foreign))
    else done(refusalOf(request))
  })
  api.addHook('onSend', (request, reply, payload, done) => {
    const isWanted = typeof payload === 'string' && PRETTY.test(request.url)
    const isJson = isWanted && String(reply.getHeader('content-type')).startsWith('application/json')
    done(null, isJson ? JSON.stringify(JSON.parse(payload), null, 2) : payload)
  })
  api.setNotFoundHandler((request, reply) => {
    const methods = known.methodsOf(request.url)
    if (methods.length > 0) {
      reply.header('allow', methods.join(', '))
      throw new ApiError('MethodNotAllowed', `this address takes no ${request.method}`, {
        hint: `it takes ${methods.join(' and ')}`,
      })
    }
    const reason = missing?.(request.url)
    if (reason !== undefined) throw reason
    throw new ApiError('NotFound', 'The requested resource/URL was not found.', {
      hint: 'The server version may be older than this CLI version. Ask for GET /api/v1/agent/version',
      details: {
        cli_usage: 'ask for a newer node, or see which addresses this one has in its documentation',
      },
    })
  })
  api.setErrorHandler(answerError)
}

/** Returns why a client is not served; undefined where it is. */
function refusalOf(request: FastifyRequest): Error | undefined {
  try {
    clientOf(request)
    return undefined
  } catch (error) {
    return error as Error
  }
}

function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = toApiError(thrown)
  const body = errorBody(error, request.id)
  const passing = error.code === 'ResourceExhausted' || error.code === 'ServiceUnavailable'
  if (passing) request.log.warn({ code: error.code, path: pathOf(request.url) }, error.message)
  else if (body.Status >= 500 && !isApiError(thrown))
    request.log.error({ err: thrown, path: pathOf(request.url) }, 'request failed')
  else request.log.debug({ code: error.code, path: pathOf(request.url) }, error.message)
  const version = readClientVersion(String(request.headers[VERSION_HEADER] ?? ''))
  const isOld = 'client' in version && !version.client.errorObjects
  void reply
    .code(body.Status)
    .type('application/json; charset=utf-8')
    .send(isOld ? oldErrorBody(body) : body)
}
