import { request as secureRequest } from 'node:https'
import { Readable } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'

/** Where a node is, how it is recognised, and what is shown to it. */
export interface NodeAddress {
  /** Such as `http://127.0.0.1:1234`. */
  readonly base: string
  /** What has to prove a node that is reached by https. */
  readonly secure?: ConnectionOptions
  /** What a client proves itself with, as the header has it; absent where it shows nothing. */
  readonly authorization?: string
}

/** What is asked of a node. */
export interface NodeRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

/** Returns the headers by which a client proves itself. */
export function proofFor({ authorization }: NodeAddress): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : { authorization }
}

/** Asks a node. Rejects as `fetch` does where it cannot be reached, is lost, or is not the one that is trusted. */
export async function fetchFrom(address: NodeAddress, path: string, request: NodeRequest): Promise<Response> {
  const { base, secure } = address
  const init = { ...request, headers: { ...request.headers, ...proofFor(address) } }
  // What `fetch` of Node.js trusts cannot be said to it.
  return secure === undefined
    ? await fetch(`${base}${path}`, init)
    : await fetchSecure(base, secure, path, init)
}

async function fetchSecure(
  base: string,
  secure: ConnectionOptions,
  path: string,
  { method = 'GET', headers = {}, body, signal }: NodeRequest,
): Promise<Response> {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const request = secureRequest(`${base}${path}`, {
    ...secure,
    method,
    headers: { ...headers, ...length },
    agent: false,
    signal,
  })
  request.end(body)
  return await new Promise<Response>((resolve, reject) => {
    request.on('error', (error) => {
      const reason: unknown = signal.aborted ? signal.reason : undefined
      reject(reason instanceof Error ? reason : error)
    })
    request.once('response', (message) => {
      const { statusCode = 0, rawHeaders } = message
      const received = new Headers()
      for (let at = 0; at + 1 < rawHeaders.length; at += 2)
        received.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
      const isEmpty = method === 'HEAD' || statusCode === 204 || statusCode === 304
      if (isEmpty) message.resume()
      const stream = isEmpty ? null : (Readable.toWeb(message) as ReadableStream<Uint8Array>)
      resolve(new Response(stream, { status: statusCode, headers: received }))
    })
  })
}
