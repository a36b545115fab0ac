import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

const LATER_MS = 200

/** Asks a node. */
export class NodeClient {
  /** Where the node serves. */
  url
  #agent = new Agent({ keepAlive: true, maxSockets: 256 })

  constructor(url) {
    this.url = new URL(url)
  }

  /**
   * Asks for a path, and resolves with the answer; rejects for any status but 200. Where a node answers no more than
   * so many questions a second, as Bacalhau does, it asks again after a while.
   */
  call(method, path, body) {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const headers =
        text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
      const options = { method, agent: this.#agent, headers }
      const sent = request(new URL(path, this.url), options, (answer) => {
        const pieces = []
        answer.on('data', (piece) => pieces.push(piece))
        answer.on('end', () => {
          const read = Buffer.concat(pieces).toString()
          if (answer.statusCode === 429) resolve(this.#later(method, path, body))
          else if (answer.statusCode !== 200)
            reject(new Error(`${method} ${path}: ${answer.statusCode} ${read}`))
          else resolve(JSON.parse(read))
        })
        answer.on('error', reject)
      })
      // A server may end a connection that has waited for long at the moment of the next request.
      const isStale = (error) => sent.reusedSocket && error.code === 'ECONNRESET' && method === 'GET'
      sent.on('error', (error) => {
        if (isStale(error)) resolve(this.call(method, path, body))
        else reject(error)
      })
      sent.end(text)
    })
  }

  async #later(method, path, body) {
    await delay(LATER_MS)
    return await this.call(method, path, body)
  }

  /** Lets its connections go. */
  close() {
    this.#agent.destroy()
  }
}
