import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

/** How often, from 0 to 1, what happens to a message on its way. */
export interface CableFaults {
  /** The message arrives and its answer does not, or it does not arrive itself. */
  readonly drop: number
  /** It arrives twice; the second answer is returned. */
  readonly twice: number
  /** It, and its answer, take so much longer at most. */
  readonly delayMs: number
}

/** What happens to messages on a cable without a fault: nothing. */
export const WHOLE_CABLE: CableFaults = { drop: 0, twice: 0, delayMs: 0 }

/**
 * What lies between one compute node and its requester: a proxy that can be cut and mended, and that loses, doubles
 * and delays messages.
 */
export class Cable {
  /** Where the requester serves now. */
  target = ''
  faults: CableFaults = WHOLE_CABLE
  /** How many messages were lost, and how many arrived twice. */
  lost = 0
  doubled = 0
  readonly #random: () => number
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer()
  #cut = false

  constructor(random: () => number) {
    this.#random = random
    const relay = (request: IncomingMessage, response: ServerResponse): void => {
      // What breaks on the way is a lost connection to the one who asked.
      this.#relay(request, response).catch(() => response.destroy())
    }
    this.#server.on('request', relay)
    this.#server.on('checkContinue', relay)
    this.#server.on('connection', (socket) => {
      socket.on('error', () => undefined)
      if (this.#cut) {
        socket.destroy()
        return
      }
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    onTestFinished(() => {
      this.#server.close()
      this.cut()
    })
  }

  /** Begins to lead to the target, and returns the address of this end. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this.address()
  }

  /** The address of this end. */
  address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Breaks everything that is on its way, and lets nothing through. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#cut = false
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
