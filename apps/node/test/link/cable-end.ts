import type { AddressInfo, Server, Socket } from 'node:net'
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

/** The end of a cable at which a compute node is: it can be cut from all that lies behind it, and mended. */
export abstract class CableEnd {
  /** Where the requester serves now. */
  target = ''
  faults: CableFaults = { drop: 0, twice: 0, delayMs: 0 }
  readonly #scheme: 'http' | 'https'
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isCut = false

  constructor(scheme: 'http' | 'https', server: Server) {
    this.#scheme = scheme
    this.#server = server
    server.on('connection', (socket) => this.hold(socket))
    onTestFinished(() => {
      server.close()
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
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Breaks everything that is on its way, and lets nothing through. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#isCut = false
  }

  /** Has a connection break with the cable; one that comes while it is cut breaks at once. */
  protected hold(socket: Socket): void {
    socket.on('error', () => undefined)
    if (this.#isCut) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }
}
