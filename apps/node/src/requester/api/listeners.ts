import { lookup } from 'node:dns/promises'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { AddressInfo, ListenOptions } from 'node:net'
import { type HttpLinkHandler, isLinkRequest } from '../../link/http-endpoint.ts'
import type { ServerTls } from '../../tls/server-tls.ts'
import type { Connections } from './connections.ts'
import { HANDSHAKE_MS, secureOptionsOf } from './secure-options.ts'

/** How long clients may take; each of these ends its connection alone. */
const PATIENCE: ServerOptions = {
  /** From the connection to the end of the head of its first request, and from the first byte of each further one. */
  headersTimeout: 20_000,
  // What a node supplies takes as long as whoever reads it; other requests have a limit of their own.
  requestTimeout: 0,
  /** Between two requests; more than most proxies, which then close first. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  // Finds out about clients whose machine is gone, also while a log is read.
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
}

/** To the end of a request, which is at most a few megabytes. */
const MOST_REQUEST_MS = 120_000

/**
 * The addresses that an API listens on: one server each, all alike, and their connections looked after together. Ports
 * speak TLS where there is a certificate, and nothing else then; a Unix socket never does.
 */
export class Listeners {
  readonly connections: Connections
  readonly #tls: ServerTls | null
  readonly #handshakeMs: number
  readonly #secure: SecureServer[] = []
  readonly #further: Server[] = []
  #handler: RequestListener = () => undefined
  #main: Server | undefined
  #link: HttpLinkHandler | undefined

  constructor(connections: Connections, tls: ServerTls | null = null, handshakeMs: number = HANDSHAKE_MS) {
    this.connections = connections
    this.#tls = tls
    this.#handshakeMs = handshakeMs
    tls?.follow(() => {
      // What is connected goes on with the certificate before.
      for (const server of this.#secure) server.setSecureContext(secureOptionsOf(tls))
    })
  }

  /** What its addresses begin with. */
  get scheme(): 'http' | 'https' {
    return this.#tls === null ? 'http' : 'https'
  }

  /** Hands what nodes say to whom it concerns; without this their addresses are unknown like any other. */
  serveLink(handler: HttpLinkHandler): void {
    this.#link = handler
  }

  /** Makes the server of the first address. */
  create(handler: RequestListener): Server {
    this.#handler = handler
    this.#main = this.#make(this.#tls)
    return this.#main
  }

  /**
   * Listens on every other address of a name too, such as those of `localhost`; one that cannot be had is left out.
   */
  async listenAlso(host: string): Promise<void> {
    const main = this.#main
    if (main === undefined) return
    const { address: first, port } = main.address() as AddressInfo
    const addresses = await lookup(host, { all: true })
    for (const { address } of addresses) {
      if (address !== first)
        await this.#listen(main, this.#tls, { host: address, port }).catch(() => undefined)
    }
  }

  /** Listens on a Unix socket too, which this user alone may open. Rejects where it cannot. */
  async listenOnSocket(path: string): Promise<void> {
    const main = this.#main
    if (main === undefined) return
    // A socket has the mode that it is made with from its first moment on; nothing else is made in between.
    const before = process.umask(0o177)
    const listening = this.#listen(main, null, { path })
    process.umask(before)
    await listening
  }

  async #listen(main: Server, tls: ServerTls | null, where: ListenOptions): Promise<void> {
    const server = this.#make(tls)
    for (const event of ['upgrade', 'clientError']) {
      server.on(event, (...details: unknown[]) => main.emit(event, ...details))
    }
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(where, resolve)
    })
    this.#further.push(server)
  }

  /** Takes no more connections on the further addresses, and ends all that there are. */
  async close(): Promise<void> {
    for (const server of this.#further) server.close()
    await this.connections.close()
  }

  #make(tls: ServerTls | null): Server {
    const serve: RequestListener = (request, response) => {
      // What had arrived behind it is read nevertheless when a connection is dropped; nobody waits for the answers.
      if (request.socket.destroyed) return
      if (this.#link !== undefined && isLinkRequest(request)) {
        this.#link(request, response)
        return
      }
      if (!request.complete) this.#limit(server, request)
      this.#handler(request, response)
    }
    const server = tls === null ? createServer(PATIENCE, serve) : this.#makeSecure(tls, serve)
    server.on('checkContinue', (request, response) => {
      // What a node supplies is asked for by the word that its body may come; other bodies are wanted in any case.
      if (this.#link === undefined || !isLinkRequest(request)) response.writeContinue()
      server.emit('request', request, response)
    })
    this.connections.watch(server)
    return server
  }

  #makeSecure(tls: ServerTls, serve: RequestListener): SecureServer {
    const options = { ...PATIENCE, ...secureOptionsOf(tls), handshakeTimeout: this.#handshakeMs }
    const server = createSecureServer(options, serve)
    this.#secure.push(server)
    return server
  }

  #limit(server: Server, request: IncomingMessage): void {
    const timer = setTimeout(() => {
      const error = Object.assign(new Error('the request did not arrive in time'), {
        code: 'ERR_HTTP_REQUEST_TIMEOUT',
      })
      server.emit('clientError', error, request.socket)
    }, MOST_REQUEST_MS)
    timer.unref()
    for (const event of ['end', 'close']) request.once(event, () => clearTimeout(timer))
  }
}
