import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Server as TlsServer } from 'node:tls'
import { isLinkRequest } from '../../link/http-endpoint.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import { type PeerUse, PeerUses, type Use } from './peer-uses.ts'

/** No client waits for more answers at a time on one connection. */
const MOST_PIPELINED = 64
/** An answer of which nothing is taken for so long is given up with its connection. */
const STALLED_MS = 30_000
/** How long those that read a log have for its last lines when the node stops. */
const FAREWELL_MS = 1_000

interface Connection extends Use {
  readonly pool: Pool
  /** What its peer has; `null` for one that is not bounded. */
  readonly peer: PeerUse | null
}

/** Hears of what a peer had too much of. */
type OnExcess = (peer: string, what: string) => void

/** Room for a number of connections. */
class Pool {
  readonly limit: number
  readonly open = new Set<Duplex>()
  /** Those without a request in progress; the one that has waited longest comes first. */
  readonly waiting = new Set<Duplex>()

  constructor(limit: number) {
    this.limit = limit
  }
}

/**
 * All connections of clients, over every address that is listened on. Whatever a client does to its connection ends
 * that connection and nothing else. Where there are too many, a new one takes the place of the one that has had
 * nothing to do for longest.
 */
export class Connections {
  readonly #limits: ConnectionLimits
  readonly #maxBodyBytes: number
  readonly #open = new Map<Duplex, Connection>()
  readonly #served: Pool
  readonly #spare: Pool
  /** Those with an answer that was not taken yet; the oldest comes first. */
  readonly #sending = new Set<Duplex>()
  readonly #upgraded = new Set<Duplex>()
  /** Those that have not shaken hands yet, where that is asked for; by both their ends. */
  readonly #shaking = new Map<string, Socket>()
  readonly #uses = new WeakMap<ServerResponse, Use>()
  readonly #peers: PeerUses
  readonly #onExcess: OnExcess
  readonly #total: Use = { requests: 0, bodyBytes: 0, answerBytes: 0 }

  /** `isFree` tells connections that are not bounded by their peer. */
  constructor(
    limits: ConnectionLimits,
    maxBodyBytes: number,
    {
      onExcess = () => undefined,
      isFree,
    }: { readonly onExcess?: OnExcess; readonly isFree?: (socket: Duplex) => boolean } = {},
  ) {
    this.#limits = limits
    this.#onExcess = onExcess
    // One body of the largest size is always taken.
    const { perPeer } = limits
    const bodyBytes = Math.max(perPeer.bodyBytes, maxBodyBytes)
    this.#peers = new PeerUses({ ...perPeer, bodyBytes }, isFree)
    this.#served = new Pool(limits.connections)
    this.#spare = new Pool(limits.spare)
    this.#maxBodyBytes = maxBodyBytes
  }

  get limits(): ConnectionLimits {
    return this.#limits
  }

  /** Looks after the connections of a server from now on. */
  watch(server: Server): void {
    const shakes = server instanceof TlsServer
    server.on('connection', (socket: Socket) => this.#accept(socket, shakes))
    // Requests come from another socket then, which takes the place of the one below it.
    if (shakes) server.on('secureConnection', (socket) => this.#shaken(socket))
    server.prependListener('request', (request, response) => this.#begin(request, response))
  }

  /** Returns why a request cannot be served now; `null` where it can. */
  overload({ socket }: IncomingMessage): string | null {
    const { requests, bodyBytes, answerBytes } = this.#total
    const limits = this.#limits
    const excess = this.excessOf(socket)
    if (excess !== null) return excess
    if (this.#open.get(socket)?.pool === this.#spare) return `all ${limits.connections} connections are busy`
    if (requests > limits.requests) return `${requests} requests are in progress`
    if (bodyBytes > limits.bodyBytes) return 'too much is being received'
    if (answerBytes > limits.answerBytes) return 'too many answers have not been taken yet'
    return null
  }

  /**
   * Tells whether an answer was begun on a connection, or several are asked for, or it has not shaken hands: then none
   * may be written into it.
   */
  isAnswering(socket: Duplex): boolean {
    const connection = this.#open.get(socket)
    return connection === undefined || connection.answerBytes > 0 || connection.requests > 1
  }

  /** Notes an answer that begins to be sent. Where too much waits to be taken, the oldest answers are given up. */
  send(response: ServerResponse, bytes: number): void {
    const use = this.#uses.get(response)
    const { socket } = response.req
    const connection = this.#open.get(socket)
    if (use === undefined || connection === undefined) return
    for (const sum of [use, connection, this.#total]) sum.answerBytes += bytes
    if (connection.peer !== null) connection.peer.answerBytes += bytes
    this.#sending.add(socket)
    socket.setTimeout(STALLED_MS)
    const { peer } = connection
    for (const oldest of this.#sending) {
      const isTooMuch = this.#total.answerBytes > this.#limits.answerBytes
      const isTooMuchForPeer = peer !== null && this.#peers.leavesTooMuch(peer)
      if (oldest === socket || !(isTooMuch || isTooMuchForPeer)) return
      if (isTooMuch || this.#open.get(oldest)?.peer === peer) this.#drop(oldest)
    }
  }

  /** Notes that a connection speaks another protocol from now on; it is never idle then. */
  upgrade(socket: Duplex): void {
    const connection = this.#open.get(socket)
    if (connection === undefined) return
    connection.pool.waiting.delete(socket)
    if (!this.#upgraded.has(socket) && connection.peer !== null) connection.peer.upgraded += 1
    this.#upgraded.add(socket)
  }

  /** Returns what the peer of a connection has too much of; `null` where that is nothing. */
  excessOf(socket: Duplex): string | null {
    const peer = this.#open.get(socket)?.peer ?? null
    return peer === null ? null : this.#excess(peer)
  }

  /**
   * Notes that nothing more is said on a connection that was upgraded: it may make way for a new one before its client
   * closes it.
   */
  dismiss(socket: Duplex): void {
    this.#open.get(socket)?.pool.waiting.add(socket)
  }

  /** Ends all connections; those that were upgraded have a moment for their last words. */
  async close(): Promise<void> {
    const endMs = performance.now() + FAREWELL_MS
    while (this.#upgraded.size > 0 && performance.now() < endMs) await delay(10)
    for (const socket of [...this.#open.keys()]) this.#drop(socket)
  }

  #accept(socket: Socket, shakes: boolean): void {
    this.#attend(socket)
    const ends = shakes ? endsOf(socket) : null
    if (ends !== null) {
      this.#shaking.set(ends, socket)
      socket.once('close', () => {
        if (this.#shaking.get(ends) === socket) this.#shaking.delete(ends)
      })
    }
    const peer = this.#peers.join(socket)
    const isExcess = peer !== null && this.#excess(peer) !== null
    const pool = isExcess
      ? undefined
      : [this.#served, this.#spare].find((candidate) => this.#hasRoom(candidate))
    if (pool === undefined) {
      if (peer !== null) this.#peers.leave(peer)
      socket.destroy()
      return
    }
    pool.open.add(socket)
    pool.waiting.add(socket)
    this.#open.set(socket, { pool, peer, requests: 0, bodyBytes: 0, answerBytes: 0 })
  }

  #shaken(socket: Socket): void {
    this.#attend(socket)
    const ends = endsOf(socket)
    const below = this.#shaking.get(ends)
    const connection = below === undefined ? undefined : this.#open.get(below)
    this.#shaking.delete(ends)
    if (below === undefined || connection === undefined) {
      socket.destroy()
      return
    }
    const { open, waiting } = connection.pool
    for (const known of [this.#open, open, waiting]) known.delete(below)
    this.#open.set(socket, connection)
    for (const known of [open, waiting]) known.add(socket)
  }

  #attend(socket: Socket): void {
    // For as long as the socket lives: a server takes its own listener away at an upgrade, and an error without one
    // ends the process.
    socket.on('error', () => undefined)
    socket.once('close', () => this.#forget(socket))
  }

  /** Tells whether a pool can take another connection, after one has made way where it had to. */
  #hasRoom({ limit, open, waiting }: Pool): boolean {
    const [idle] = waiting
    if (open.size >= limit && idle !== undefined) this.#drop(idle)
    return open.size < limit
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const connection = this.#open.get(socket)
    if (connection === undefined) return
    // A node waits for commands nearly always, and what it supplies goes at the pace of its reader.
    const use: Use = isLinkRequest(request)
      ? { requests: 0, bodyBytes: 0, answerBytes: 0 }
      : { requests: 1, bodyBytes: this.#announcedBytes(request), answerBytes: 0 }
    this.#uses.set(response, use)
    connection.pool.waiting.delete(socket)
    this.#add(connection, use, 1)
    response.once('close', () => {
      // A connection that is gone has been counted out as a whole.
      if (this.#open.get(socket) !== connection) return
      this.#add(connection, use, -1)
      if (connection.answerBytes === 0) this.#sending.delete(socket)
      if (connection.requests === 0) connection.pool.waiting.add(socket)
    })
    if (connection.requests > MOST_PIPELINED) this.#drop(socket)
  }

  #announcedBytes({ headers }: IncomingMessage): number {
    const length = headers['content-length']
    if (length !== undefined) return Math.min(Number(length), this.#maxBodyBytes)
    return headers['transfer-encoding'] === undefined ? 0 : this.#maxBodyBytes
  }

  #drop(socket: Duplex): void {
    this.#forget(socket)
    socket.destroy()
  }

  #forget(socket: Duplex): void {
    const connection = this.#open.get(socket)
    if (connection === undefined) return
    const { peer, pool } = connection
    if (peer !== null) {
      add(peer, connection, -1)
      if (this.#upgraded.has(socket)) peer.upgraded -= 1
      this.#peers.leave(peer)
    }
    for (const known of [this.#open, pool.open, pool.waiting, this.#sending, this.#upgraded])
      known.delete(socket)
    add(this.#total, connection, -1)
  }

  #add(connection: Connection, use: Use, sign: 1 | -1): void {
    for (const sum of [connection, this.#total]) add(sum, use, sign)
    if (connection.peer !== null) add(connection.peer, use, sign)
  }

  #excess(peer: PeerUse): string | null {
    const excess = this.#peers.excess(peer)
    if (excess !== null) this.#onExcess(peer.peer, excess)
    return excess
  }
}

/** What no two open connections have in common. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ')
}

function add(sum: Use, { requests, bodyBytes, answerBytes }: Use, sign: 1 | -1): void {
  sum.requests += sign * requests
  sum.bodyBytes += sign * bodyBytes
  sum.answerBytes += sign * answerBytes
}
