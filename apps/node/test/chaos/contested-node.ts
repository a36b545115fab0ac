import { setTimeout as delay } from 'node:timers/promises'
import { AttackedNode } from './attacked-node.ts'

const PATIENCE_MS = 120_000
const PAUSE_MS = 100
const TOO_BUSY = 503

/**
 * A node whose connections are all taken by others: what is asked of it may be given up or refused, and is asked
 * again.
 */
export class ContestedNode extends AttackedNode {
  #repeated = 0

  /** How many requests had to be repeated. */
  get repeated(): number {
    return this.#repeated
  }

  override async request(method: string, path: string, body?: unknown): Promise<Response> {
    const endMs = Date.now() + PATIENCE_MS
    for (;;) {
      try {
        const response = await super.request(method, path, body)
        if (response.status !== TOO_BUSY || Date.now() > endMs) return response
        await response.arrayBuffer()
      } catch (error) {
        if (Date.now() > endMs) throw error
      }
      this.#repeated += 1
      await delay(PAUSE_MS)
    }
  }
}
