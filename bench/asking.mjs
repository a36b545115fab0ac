import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./asking-process.mjs', import.meta.url))

/** A client that asks a node 50 times a second. */
export class Asking {
  #child

  /** Asks for the paths by turns, from when it resolves. */
  static async begin(url, paths) {
    const child = fork(PROGRAM, [String(url), ...paths], { detached: true })
    await once(child, 'message')
    return new Asking(child)
  }

  constructor(child) {
    this.#child = child
  }

  /** Stops asking; resolves with how long the answers took. */
  async end() {
    this.#child.send('end')
    const [times] = await once(this.#child, 'message')
    const sorted = times.toSorted((a, b) => a - b)
    const at = (share) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)]
    return { p50: at(0.5), p99: at(0.99), most: at(1) }
  }
}
