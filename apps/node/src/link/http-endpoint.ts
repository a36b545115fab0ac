import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { EventCount } from '../waiting/event-count.ts'
import { boundTo, type ProvenLink } from './bound-link.ts'
import { FrameReader } from './http-frames.ts'
import { carryOut, HTTP_LINK_PATH, type HttpCall, isHttpCall, toJson } from './http-messages.ts'
import { LINK_LIMITS, withinLimits } from './limits.ts'
import type { Chunk, Link } from './link.ts'
import { isLinkError, LinkError } from './link-error.ts'
import type { NodeProof } from './node-proof.ts'
import { fromPlainError, toPlainError } from './plain-error.ts'

const MOST_HEAD_MS = 20_000
const MOST_BODY_MS = 60_000
/** So long a node may go on sending what was answered already. */
const MOST_REST_MS = 5_000
const SUPPLY = new RegExp(`^${HTTP_LINK_PATH}/supply/([^/]+)/(\\d{1,15})$`)

/** Answers what a node says over HTTP. */
export type HttpLinkHandler = (request: IncomingMessage, response: ServerResponse) => void

/** The header in which a node that joins shows the token that it has for that. */
export const JOIN_HEADER = 'x-saltcod-join'

/** A request of a node that was let in. */
export interface LinkAdmission {
  readonly proof: NodeProof
  /** Called with why it was refused after all. */
  refused(error: LinkError): void
  /** Called when it is over. */
  release(): void
}

/**
 * Lets a request in before its body is read; `null` where no node has to prove who it is. `name` is what is called.
 * Throws a `LinkError`, with `LINK_REFUSED` where it is not taken.
 */
export type LinkGuard = (request: IncomingMessage, name: string) => Promise<LinkAdmission | null>

/** Tells whether a request is one of the link. */
export function isLinkRequest({ url = '' }: IncomingMessage): boolean {
  return url.startsWith(`${HTTP_LINK_PATH}/`)
}

/**
 * Returns what answers nodes of other processes at the requester's end; it belongs behind `request` and
 * `checkContinue` of a server. Whoever is let in without a proof may speak as any node.
 */
export function httpLinkHandler(endpoint: ProvenLink, guard: LinkGuard = async () => null): HttpLinkHandler {
  return (request, response) => {
    void answer(endpoint, guard, request, response)
  }
}

/** Makes a server of the requester's end alone. It listens where the caller says. */
export function createHttpEndpoint(endpoint: Link): Server {
  const server = createServer({
    headersTimeout: MOST_HEAD_MS,
    // What a node supplies may take as long as whoever reads it; other bodies have a limit of their own.
    requestTimeout: 0,
  })
  const serve = httpLinkHandler(endpoint)
  server.on('request', serve)
  // What is supplied is asked for by the word that its body may come.
  server.on('checkContinue', serve)
  return server
}

async function answer(
  endpoint: ProvenLink,
  guard: LinkGuard,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  // Of a connection that breaks the end is noticed.
  request.on('error', () => undefined)
  let admission: LinkAdmission | null = null
  try {
    admission = await guard(request, nameOf(request))
    const own = withinLimits(admission === null ? endpoint : boundTo(admission.proof, endpoint))
    const answered = await respond(own, request, response, gone.signal)
    send(response, 200, { answer: answered ?? null })
  } catch (error) {
    if (isLinkError(error, 'LINK_REFUSED', 'LINK_UNJOINED')) admission?.refused(error)
    send(response, statusOf(error), { error: toPlainError(error) })
  } finally {
    admission?.release()
  }
}

/** What is called, such as `poll` or `supply/NODE/NUMBER`; empty for what is none of the link. */
function nameOf({ url = '' }: IncomingMessage): string {
  return url.startsWith(`${HTTP_LINK_PATH}/`) ? url.slice(HTTP_LINK_PATH.length + 1) : ''
}

async function respond(
  endpoint: Link,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<unknown> {
  const path = request.url ?? ''
  const [, nodeId, number] = SUPPLY.exec(path) ?? []
  if (request.method === 'POST' && nodeId !== undefined) {
    const supply = { nodeId: decoded(nodeId), number: Number(number) }
    await endpoint.supply(supply, (unwanted) => chunksOf(request, response, unwanted), signal)
    return null
  }
  const name = nameOf(request)
  if (request.method !== 'POST' || !isHttpCall(name))
    throw new LinkError('LINK_INVALID', 'nothing of the link is at this address')
  return await call(endpoint, name, request, response, signal)
}

async function call(
  endpoint: Link,
  name: HttpCall,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<unknown> {
  if (request.headers.expect !== undefined) response.writeContinue()
  const timer = setTimeout(() => request.destroy(), MOST_BODY_MS)
  const body = await bodyOf(request).finally(() => clearTimeout(timer))
  return await carryOut(endpoint, name, body, signal)
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const { messageBytes } = LINK_LIMITS
  const tooLarge = (): LinkError =>
    new LinkError('LINK_LIMIT', `a message has at most ${messageBytes} bytes, and this one has more`)
  if (Number(request.headers['content-length'] ?? 0) > messageBytes) throw tooLarge()
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes > messageBytes) throw tooLarge()
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString())
  } catch {
    throw new LinkError('LINK_INVALID', 'the body is not JSON')
  }
}

/** Lets a body come, and yields its chunks no faster than they are read. */
async function* chunksOf(
  request: IncomingMessage,
  response: ServerResponse,
  unwanted: AbortSignal,
): AsyncGenerator<Chunk, void, undefined> {
  const news = new EventCount()
  const frames = new FrameReader()
  for (const event of ['readable', 'end', 'close']) request.on(event, () => news.advance())
  if (request.headers.expect !== undefined) response.writeContinue()
  while (!unwanted.aborted) {
    const seen = news.count
    const frame = frames.next()
    if (frame?.kind === 'chunk') {
      yield frame.chunk
      continue
    }
    if (frame?.kind === 'end') {
      if (frame.error !== null) throw fromPlainError(frame.error)
      return
    }
    const piece = request.read() as Buffer | null
    if (piece !== null) frames.add(piece)
    else if (request.readableEnded || request.destroyed)
      throw new LinkError('LINK_CLOSED', 'the node was lost before the end')
    else await news.wait(seen, { signal: unwanted })
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new LinkError('LINK_INVALID', 'the id of the node cannot be read')
  }
}

function statusOf(error: unknown): number {
  if (isLinkError(error, 'LINK_INVALID', 'LINK_VERSION')) return 400
  if (isLinkError(error, 'LINK_REFUSED', 'LINK_UNJOINED')) return 403
  return isLinkError(error, 'LINK_LIMIT') ? 413 : 500
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed || response.headersSent) return
  let text: string
  try {
    text = toJson(body)
  } catch (error) {
    send(response, 500, { error: toPlainError(error) })
    return
  }
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
  dropRest(response.req)
}

/** A connection that was closed at once would take the answer with it; the node closes it when it has that. */
function dropRest(request: IncomingMessage): void {
  if (request.complete) return
  request.removeAllListeners('readable')
  request.resume()
  const timer = setTimeout(() => request.destroy(), MOST_REST_MS)
  request.once('close', () => clearTimeout(timer))
}
