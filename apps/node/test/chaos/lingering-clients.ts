import { connect, type Socket } from 'node:net'

const TRICKLE_MS = 500
const KINDS = 16
const JOBS = '/api/v1/orchestrator/jobs'
const WEBSOCKET =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n'

/** Clients that take a connection and do next to nothing with it. */
export class LingeringClients {
  readonly #port: number
  readonly #logPath: string
  /** Each place keeps its kind, so that those that the node cannot send away do not become more and more. */
  readonly #places: (Socket | undefined)[] = []
  readonly #slow = new Set<Socket>()
  readonly #timer: NodeJS.Timeout

  /** The job has a long log, which some of them ask for and never read. */
  constructor(port: number, jobId: string) {
    this.#port = port
    this.#logPath = `${JOBS}/${jobId}/logs?follow=true`
    this.#timer = setInterval(() => {
      for (const socket of this.#slow) socket.write('a')
    }, TRICKLE_MS)
  }

  /** Takes so many connections, those anew that the node has closed. */
  async fill(count: number): Promise<void> {
    const places = Array.from({ length: count }, (_, place) => place)
    const free = places.filter((place) => this.#places[place]?.destroyed !== false)
    await Promise.all(free.map((place) => this.#linger(place)))
  }

  /** Goes away with all of them at once. */
  close(): void {
    clearInterval(this.#timer)
    for (const socket of this.#places) socket?.destroy()
  }

  async #linger(place: number): Promise<void> {
    const socket = connect({ port: this.#port, host: '127.0.0.1' })
    this.#places[place] = socket
    socket.on('error', () => undefined)
    socket.on('close', () => this.#slow.delete(socket))
    await new Promise<void>((resolve) => {
      socket.once('connect', resolve)
      socket.once('close', () => resolve())
    })
    this.#begin(socket, place % KINDS)
  }

  /** Most say nothing; some one thing, some a byte now and then, some ask for what they never read. */
  #begin(socket: Socket, kind: number): void {
    if (kind < 6) return
    if (kind < 9) socket.write('GET /slow HTTP/1.1\r\nHost: loc')
    else if (kind < 11) {
      socket.write('GET /slower HTTP/1.1\r\nHost: localhost\r\nX: ')
      this.#slow.add(socket)
    } else if (kind < 12) {
      socket.write(`PUT ${JOBS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"Job":"`)
      this.#slow.add(socket)
    } else if (kind < 14) {
      socket.write(`GET /api/v1/agent/alive HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      socket.resume()
    } else if (kind < 15) {
      socket.write(`GET ${this.#logPath} HTTP/1.1\r\nHost: localhost\r\n${WEBSOCKET}\r\n`)
    } else {
      const request = `GET ${JOBS}?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n`
      socket.write(request.repeat(4))
    }
  }
}
