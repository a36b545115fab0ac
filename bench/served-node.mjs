import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { NodeClient } from './node-client.mjs'

const PROGRAM = fileURLToPath(new URL('../apps/node/dist/main.js', import.meta.url))
const LOOP_DELAY = fileURLToPath(new URL('./loop-delay-process.mjs', import.meta.url))

const PATIENCE_MS = 30_000
const BACALHAU_PORT = 1341
/** Serves alone, and calls nobody. */
const BACALHAU_CONFIG = `API: { Host: 127.0.0.1, Port: ${BACALHAU_PORT} }
Orchestrator: { Enabled: true, Host: 127.0.0.1, Port: 4341 }
Compute: { Enabled: true, Orchestrators: ["nats://127.0.0.1:4341"] }
DisableAnalytics: true
UpdateConfig: { Interval: 0s }
WebUI: { Enabled: false }
JobAdmissionControl: { AcceptNetworkedJobs: true }
`

/** A real node in a process of its own, which rewrites its stores only when it is asked to. */
export class ServedNode {
  #child
  #client
  #loopDelayFile

  constructor(child, loopDelayFile) {
    this.#child = child
    this.#loopDelayFile = loopDelayFile
  }

  /** Starts a node in a directory, with lines of its configuration, and resolves when it serves. */
  static async start(directory, flags, settings = '') {
    const config = 'Compaction: { Rewrite: { AtStart: false, Every: 0 } }\n'
    writeFileSync(join(directory, 'saltcod.yaml'), config + settings)
    const usual = ['--repo', directory, '--port', '0', '--log-level', 'warn']
    const loopDelayFile = join(directory, 'loop-delay.json')
    const child = spawn(process.execPath, ['--import', LOOP_DELAY, PROGRAM, 'serve', ...usual, ...flags], {
      // A session of its own, as a service has; where processors are shared out by sessions, that counts.
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, LOOP_DELAY_FILE: loopDelayFile },
    })
    // Which is why it does not hear what ends this process.
    process.once('exit', () => child.kill())
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
    const node = new ServedNode(child, loopDelayFile)
    for await (const chunk of child.stdout) {
      const url = /^listening on (\S+)/.exec(String(chunk))?.[1]
      if (url === undefined) continue
      node.#client = new NodeClient(url)
      return node
    }
    throw new Error('the node does not serve')
  }

  /** Starts a node of Bacalhau 1.9.3, by a program that runs it in a version, and resolves when it takes jobs. */
  static async startBacalhau(directory, program) {
    const config = join(directory, 'bacalhau.yaml')
    writeFileSync(config, BACALHAU_CONFIG)
    const args = ['1.9.3', 'serve', '--data-dir', join(directory, 'bacalhau'), '-c', config, '--name', 'peer']
    const node = new ServedNode(spawn(program, args, { stdio: 'ignore' }))
    node.#client = new NodeClient(`http://127.0.0.1:${BACALHAU_PORT}`)
    for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; await delay(100)) {
      const answer = await node.call('GET', '/api/v1/orchestrator/nodes').catch(() => undefined)
      if (answer?.Nodes?.length > 0) return node
    }
    await node.end('SIGKILL')
    throw new Error('Bacalhau does not serve')
  }

  /** Where it serves. */
  get url() {
    return this.#client.url
  }

  get pid() {
    return this.#child.pid
  }

  /** Begins to look how long its event loop is held up, or ends it and resolves with that, in milliseconds. */
  async loopDelay() {
    rmSync(this.#loopDelayFile, { force: true })
    this.#child.kill('SIGUSR2')
    for (let text = ''; ; await delay(10)) {
      if (existsSync(this.#loopDelayFile)) text = readFileSync(this.#loopDelayFile, 'utf8')
      if (text.endsWith('}')) return JSON.parse(text)
    }
  }

  /** Asks for a path, and resolves with the answer; rejects for any status but 200. */
  call(method, path, body) {
    return this.#client.call(method, path, body)
  }

  /** Sends it a signal that ends it, and resolves when it is gone. */
  async end(signal) {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill(signal)
      await once(this.#child, 'exit')
    }
    this.#client?.close()
  }
}
