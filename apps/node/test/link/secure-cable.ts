import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { type CableFaults, WHOLE_CABLE } from './cable.ts'

/** What lies between a compute node and a requester with TLS: it sees bytes alone, breaks connections and delays. */
export class SecureCable {
  /** Where the requester serves now. */
  target = ''
  /** Nothing of it can arrive twice: that what was broken off is sent again is up to the node. */
  faults: CableFaults = WHOLE_CABLE
  readonly #random: () => number
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((socket) => this.#relay(socket))
  #cut = false

  constructor(random: () => number) {
    this.#random = random
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
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Breaks everything that is on its way, and lets nothing through. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#cut = false
  }

  #relay(near: Socket): void {
    if (this.#cut) {
      near.destroy()
      return
    }
    const far = connect({ host: '127.0.0.1', port: Number(new URL(this.target).port) })
    const both = [near, far]
    for (const socket of both) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        this.#sockets.delete(socket)
        for (const other of both) other.destroy()
      })
    }
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
