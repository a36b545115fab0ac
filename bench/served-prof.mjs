import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../apps/node/dist/main.js', import.meta.url))

/** A real node in a process of its own, which rewrites its stores only when it is asked to. */
export class ServedNode {
  #agent = new Agent({ keepAlive: true, maxSockets: 256 })
  #child
  #url

  constructor(child) {
    this.#child = child
  }

  /** Starts a node in a directory, and resolves when it serves. */
  static async start(directory, flags) {
    const config = 'Compaction: { Rewrite: { AtStart: false, Every: 0 } }\n'
    writeFileSync(join(directory, 'saltcod.yaml'), config)
    const usual = ['--repo', directory, '--port', '0', '--log-level', 'warn']
    const child = spawn(process.execPath, [...(process.env.PROF?['--cpu-prof','--cpu-prof-dir=/tmp/prof','--cpu-prof-interval','500']:[]), PROGRAM, 'serve', ...usual, ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const node = new ServedNode(child)
    for await (const chunk of child.stdout) {
      node.#url = /^listening on (\S+)/.exec(String(chunk))?.[1]
      if (node.#url !== undefined) return node
    }
    throw new Error('the node does not serve')
  }

  get pid() {
    return this.#child.pid
  }

  /** Asks for a path, and resolves with the answer; rejects for any status but 200. */
  call(method, path, body) {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const headers =
        text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
      const options = { method, agent: this.#agent, headers }
      const sent = request(new URL(path, this.#url), options, (answer) => {
        const pieces = []
        answer.on('data', (piece) => pieces.push(piece))
        answer.on('end', () => {
          const read = Buffer.concat(pieces).toString()
          if (answer.statusCode !== 200) reject(new Error(`${method} ${path}: ${answer.statusCode} ${read}`))
          else resolve(JSON.parse(read))
        })
        answer.on('error', reject)
      })
      sent.on('error', reject)
      sent.end(text)
    })
  }

  /** Sends it a signal that ends it, and resolves when it is gone. */
  async end(signal) {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill(signal)
      await once(this.#child, 'exit')
    }
    this.#agent.destroy()
  }
}
