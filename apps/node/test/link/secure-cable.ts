import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { CableEnd } from './cable-end.ts'

/**
 * What lies between a compute node and a requester with TLS: it sees bytes alone, breaks connections and delays.
 * Nothing of it arrives twice: that what was broken off is sent again is up to the node.
 */
export class SecureCable extends CableEnd {
  readonly #random: () => number

  constructor(random: () => number) {
    const server = createServer()
    super('https', server)
    this.#random = random
    server.on('connection', (socket) => this.#relay(socket))
  }

  #relay(near: Socket): void {
    if (near.destroyed) return
    const far = connect({ host: '127.0.0.1', port: Number(new URL(this.target).port) })
    this.hold(far)
    near.once('close', () => far.destroy())
    far.once('close', () => near.destroy())
    void this.#pass(near, far)
    void this.#pass(far, near)
  }

  async #pass(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        const { drop, delayMs } = this.faults
        if (delayMs > 0) await delay(this.#random() * delayMs)
        if (this.#random() < drop) break
        if (!to.write(piece)) await new Promise((resolve) => to.once('drain', resolve).once('close', resolve))
      }
    } catch {
      // What breaks on the way is a lost connection to both.
    }
    to.destroy()
    from.destroy()
  }
}
