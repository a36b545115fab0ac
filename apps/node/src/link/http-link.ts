import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, Agent as SecureAgent } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import { distrustOf } from '../tls/trust-words.ts'
import { EventCount } from '../waiting/event-count.ts'
import { writeFrame } from './http-frames.ts'
import { HTTP_LINK_PATH, type HttpCall, readAnswer, toJson } from './http-messages.ts'
import { LINK_LIMITS } from './limits.ts'
import type {
  Acknowledgement,
  Delivery,
  Demand,
  DemandPoll,
  Handshake,
  HandshakeReply,
  Heartbeat,
  HeartbeatReply,
  Link,
  OpenChunks,
  Poll,
  ReportAnswer,
  Reports,
  Supply,
} from './link.ts'
import { isLinkError, LinkError } from './link-error.ts'
import type { LinkPlace, LinkTrust } from './link-trust.ts'
import { fromPlainError, toPlainError } from './plain-error.ts'

/** With these another way is tried: nobody answers there, or it is no requester that takes this node. */
const FAILED_WAYS = [
  'LINK_CLOSED',
  'LINK_SILENT',
  'LINK_GARBLED',
  'LINK_INVALID',
  'LINK_REFUSED',
  'LINK_UNTRUSTED',
] as const

/** A proxy on the way says it in words of its own. */
const TOO_LARGE = 413

/** One way to a requester. */
interface Way {
  readonly shown: string
  readonly to: LinkPlace | { readonly socketPath: string }
  /** Where it is by https. */
  readonly secure: LinkPlace | null
}

function wayTo(address: string): Way {
  if (address.startsWith('unix:'))
    return { shown: address, to: { socketPath: address.slice('unix:'.length) }, secure: null }
  const { hostname, port, protocol } = new URL(address)
  const isSecure = protocol === 'https:'
  const usual = isSecure ? '443' : '80'
  // Between brackets a URL has an address that the socket wants without.
  const to = { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usual : port }
  return { shown: address, to, secure: isSecure ? to : null }
}

/** What a link needs besides addresses. */
export interface HttpLinkOptions {
  /** What has to prove a requester that is reached by https. */
  readonly trust?: LinkTrust
  /** What the node shows its requester. */
  readonly proof?: LinkProof
}

/** How a node proves itself to its requester. */
export interface LinkProof {
  /** Returns the headers that go with a call, such as `poll`. */
  headers(call: string): Readonly<Record<string, string>>
  /** Called when the requester has taken the node in. */
  accepted(): void
  /** Called when it does not take what was shown. */
  refused(): void
}

/**
 * The node's end of a link over HTTP/1.1; every connection is opened by the node. Where it knows several ways to its
 * requester it keeps to one until that fails, and then takes the next.
 */
export class HttpLink implements Link {
  readonly #ways: readonly Way[]
  #at = 0
  #sent = 0
  #received = 0
  readonly #agent = new Agent({ keepAlive: true })
  // Each connection is proven anew: one that is resumed would be trusted for what was known before.
  readonly #secureAgent = new SecureAgent({ keepAlive: true, maxCachedSessions: 0 })
  readonly #trust: LinkTrust | undefined
  readonly #shown: LinkProof | undefined
  readonly #open = new Set<ClientRequest>()
  #closed = false

  /**
   * The addresses are where the requester serves the link: `https://requester.example:1234`, `http://127.0.0.1:1234`,
   * or `unix:/run/api.sock`.
   */
  constructor(addresses: readonly [string, ...string[]], { trust, proof }: HttpLinkOptions = {}) {
    this.#ways = addresses.map(wayTo)
    this.#trust = trust
    this.#shown = proof
  }

  /** What has passed so far, without the heads of messages. */
  get bytes(): { readonly sent: number; readonly received: number } {
    return { sent: this.#sent, received: this.#received }
  }

  /** The address that is used now. */
  get address(): string {
    return this.#way.shown
  }

  async handshake(request: Handshake): Promise<HandshakeReply> {
    try {
      const reply = (await this.#call('handshake', request)) as HandshakeReply
      if (!('refusal' in reply)) this.#shown?.accepted()
      return reply
    } catch (error) {
      if (isLinkError(error, 'LINK_UNJOINED')) this.#shown?.refused()
      throw error
    }
  }

  async poll(request: Poll, signal: AbortSignal): Promise<readonly Delivery[]> {
    return (await this.#wait('poll', request, signal)) as readonly Delivery[]
  }

  async acknowledge(request: Acknowledgement): Promise<void> {
    await this.#call('acknowledge', request)
  }

  async report(request: Reports): Promise<readonly ReportAnswer[]> {
    const answers = (await this.#call('report', request)) as readonly ReportAnswer[]
    if (answers.length === request.reports.length) return answers
    const what = `${request.reports.length} reports were answered with ${answers.length} answers`
    throw new LinkError('LINK_GARBLED', what)
  }

  async heartbeat(request: Heartbeat): Promise<HeartbeatReply> {
    return (await this.#call('heartbeat', request)) as HeartbeatReply
  }

  async demands(request: DemandPoll, signal: AbortSignal): Promise<readonly Demand[]> {
    return (await this.#wait('demands', request, signal)) as readonly Demand[]
  }

  async supply({ nodeId, number }: Supply, open: OpenChunks, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const unwanted = new AbortController()
    const path = `supply/${encodeURIComponent(nodeId)}/${number}`
    const way = this.#way
    const proof = await this.#proofOf(way)
    if (signal.aborted) return
    const request = this.#post(way, proof, path, { expect: '100-continue', 'transfer-encoding': 'chunked' })
    // Until the requester says whether somebody waits for it.
    const timer = setTimeout(() => request.destroy(), LINK_LIMITS.answerMs)
    const breakOff = (): void => {
      request.destroy()
    }
    signal.addEventListener('abort', breakOff, { once: true })
    let sending: Promise<void> | undefined
    request.on('continue', () => {
      clearTimeout(timer)
      sending = send(
        request,
        counted(open, (bytes) => {
          this.#sent += bytes
        }),
        unwanted.signal,
      )
    })
    request.flushHeaders()
    try {
      await answerOf(request, way.shown, this.#trust?.suspicion)
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', breakOff)
      unwanted.abort()
      await sending
      if (!request.writableFinished) request.destroy()
    }
  }

  /** Ends the link; what still waits is refused. */
  close(): void {
    this.#closed = true
    for (const request of this.#open) request.destroy()
    this.#agent.destroy()
    this.#secureAgent.destroy()
  }

  async #wait(name: 'poll' | 'demands', message: Poll | DemandPoll, signal: AbortSignal): Promise<unknown> {
    if (signal.aborted) return []
    return await this.#call(name, message, { waitMs: message.waitMs, signal })
  }

  async #call(
    name: HttpCall,
    message: unknown,
    { waitMs = 0, signal }: { readonly waitMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const body = toJson(message)
    const way = this.#way
    const isUnwanted = (): boolean => signal?.aborted === true
    const proof = await this.#proofOf(way)
    if (isUnwanted()) return []
    const request = this.#post(way, proof, name, {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    })
    const giveUp = (): void => {
      request.destroy()
    }
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      giveUp()
    }, waitMs + LINK_LIMITS.answerMs)
    signal?.addEventListener('abort', giveUp, { once: true })
    this.#sent += Buffer.byteLength(body)
    request.end(body)
    try {
      return readAnswer(name, await answerOf(request, way.shown, this.#trust?.suspicion))
    } catch (error) {
      // What an answer held that is lost comes again: nobody has confirmed it.
      if (isUnwanted()) return []
      const told = isLate
        ? new LinkError('LINK_SILENT', `the requester at ${way.shown} does not answer`)
        : error
      if (!this.#closed && isLinkError(told, ...FAILED_WAYS)) this.#leave(way)
      throw told
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
    }
  }

  get #way(): Way {
    const way = this.#ways[this.#at]
    if (way === undefined) throw new TypeError('a link needs an address')
    return way
  }

  /** Takes the next way, unless another call that failed has done so. */
  #leave(way: Way): void {
    if (this.#way === way) this.#at = (this.#at + 1) % this.#ways.length
  }

  /** Returns what has to prove the requester on a way by https; `null` where nothing does. */
  async #proofOf(way: Way): Promise<ConnectionOptions | null> {
    if (way.secure === null) return null
    if (this.#trust === undefined) throw new TypeError('a link by https needs to know whom it trusts')
    try {
      return await this.#trust.proofAt(way.secure)
    } catch (error) {
      if (!this.#closed) this.#leave(way)
      throw error
    }
  }

  #post(
    way: Way,
    proof: ConnectionOptions | null,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): ClientRequest {
    if (this.#closed) throw new LinkError('LINK_CLOSED', 'the link to the requester is closed')
    const all = { ...headers, ...this.#shown?.headers(path) }
    const asked = { ...way.to, path: `${HTTP_LINK_PATH}/${path}`, method: 'POST', headers: all }
    const request =
      proof === null
        ? httpRequest({ ...asked, agent: this.#agent })
        : httpsRequest({ ...proof, ...asked, agent: this.#secureAgent })
    request.once('error', (error) => {
      if (distrustOf(error) !== null) this.#trust?.failed()
    })
    this.#open.add(request)
    request.once('response', (response) => {
      this.#received += Number(response.headers['content-length'] ?? 0)
    })
    request.once('close', () => this.#open.delete(request))
    return request
  }
}

/** Resolves with what was answered. Rejects with what was thrown at the other end, and where that is not reached. */
async function answerOf(request: ClientRequest, base: string, suspicion?: string): Promise<unknown> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    // A further error follows where what is still sent is taken by nobody.
    request.on('error', reject)
    request.once('close', () => reject(new Error('the connection was closed')))
  }).catch((error: unknown) => {
    throw unreached(base, error, suspicion)
  })
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      pieces.push(piece)
      bytes += piece.length
      if (bytes > LINK_LIMITS.messageBytes) break
    }
  } catch (error) {
    throw unreached(base, error, suspicion)
  }
  const answered = read(Buffer.concat(pieces).toString())
  if (answered !== undefined && 'error' in answered) throw fromPlainError(answered.error)
  if (answered !== undefined) return answered.answer
  if (response.statusCode === TOO_LARGE)
    throw new LinkError('LINK_LIMIT', `what answers at ${base} says that the message is too large`)
  throw new LinkError(
    'LINK_GARBLED',
    `what answers at ${base} is no requester; see what answers there, and whether --orchestrators names the address of its API`,
  )
}

function read(text: string): { readonly answer: unknown } | { readonly error: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && ('answer' in value || 'error' in value)) return value
  } catch {
    // Said by the caller.
  }
  return undefined
}

function unreached(base: string, error: unknown, suspicion?: string): LinkError {
  const distrust = distrustOf(error)
  if (distrust !== null) {
    const { reason, nodeHint, isOfOthers = false } = distrust
    const helps = isOfOthers ? (suspicion ?? nodeHint) : nodeHint
    return new LinkError('LINK_UNTRUSTED', `what answers at ${base} is not trusted: ${reason}; ${helps}`)
  }
  const reason = error instanceof Error ? error.message : String(error)
  return new LinkError('LINK_CLOSED', `the requester at ${base} was not reached or was lost: ${reason}`)
}

/** Counts the bytes of what is sent; of a log its text alone. */
function counted(open: OpenChunks, count: (bytes: number) => void): OpenChunks {
  return async function* (signal) {
    for await (const chunk of open(signal)) {
      if (chunk instanceof Uint8Array) count(chunk.byteLength)
      else if ('text' in chunk) count(Buffer.byteLength(chunk.text))
      yield chunk
    }
  }
}

/** Sends what was opened no faster than it is taken, and how it ended. Never rejects. */
async function send(request: ClientRequest, open: OpenChunks, unwanted: AbortSignal): Promise<void> {
  const drained = new EventCount()
  request.on('drain', () => drained.advance())
  const write = async (piece: Buffer): Promise<void> => {
    const seen = drained.count
    if (!request.write(piece) && !unwanted.aborted) await drained.wait(seen, { signal: unwanted })
  }
  try {
    for await (const chunk of open(unwanted)) {
      if (unwanted.aborted) return
      await write(writeFrame({ kind: 'chunk', chunk }))
      if (unwanted.aborted) return
    }
    if (!unwanted.aborted) request.end(writeFrame({ kind: 'end', error: null }))
  } catch (error) {
    if (!unwanted.aborted) request.end(writeFrame({ kind: 'end', error: toPlainError(error) }))
  }
}
