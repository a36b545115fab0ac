import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { CableEnd } from './cable-end.ts'

/**
 * What lies between one compute node and its requester: a proxy that can be cut and mended, and that loses, doubles
 * and delays messages.
 */
export class Cable extends CableEnd {
  /** How many messages were lost, and how many arrived twice. */
  lost = 0
  doubled = 0
  readonly #random: () => number

  constructor(random: () => number) {
    const server = createServer()
    super('http', server)
    this.#random = random
    const relay = (request: IncomingMessage, response: ServerResponse): void => {
      // What breaks on the way is a lost connection to the one who asked.
      this.#relay(request, response).catch(() => response.destroy())
    }
    server.on('request', relay)
    server.on('checkContinue', relay)
  }

  async #relay(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.expect !== undefined) {
      await this.#stream(request, response)
      return
    }
    const pieces: Buffer[] = []
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
    const body = Buffer.concat(pieces)
    const { drop, twice, delayMs } = this.faults
    if (delayMs > 0) await delay(this.#random() * delayMs)
    const fate = this.#random()
    if (fate < drop / 2) {
      this.lost += 1
      response.destroy()
      return
    }
    if (fate > 1 - twice) {
      this.doubled += 1
      await this.#send(request, body, response)
    }
    const answer = await this.#send(request, body, response)
    if (delayMs > 0) await delay(this.#random() * delayMs)
    if (fate < drop) {
      this.lost += 1
      response.destroy()
      return
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(answer.body)
  }

  async #send(
    { method, url, headers }: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<{ readonly status: number; readonly body: Buffer }> {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const onward = httpRequest(`${this.target}${url}`, {
      ...(method === undefined ? {} : { method }),
      headers: { 'content-type': String(headers['content-type']), 'content-length': body.length },
      signal: gone.signal,
    })
    onward.end(body)
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      onward.once('response', resolve)
      onward.on('error', reject)
    })
    const pieces: Buffer[] = []
    for await (const piece of answer as AsyncIterable<Buffer>) pieces.push(piece)
    return { status: answer.statusCode ?? 0, body: Buffer.concat(pieces) }
  }

  /** Passes on what a node supplies as it comes. */
  async #stream(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const onward = httpRequest(`${this.target}${request.url}`, {
      method: 'POST',
      headers: { expect: '100-continue', 'transfer-encoding': 'chunked' },
    })
    response.once('close', () => onward.destroy())
    onward.on('continue', () => {
      response.writeContinue()
      request.pipe(onward)
    })
    onward.flushHeaders()
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      onward.once('response', resolve)
      onward.on('error', reject)
    })
    response.writeHead(answer.statusCode ?? 0, { 'content-type': 'application/json' })
    answer.pipe(response)
  }
}
