import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { NodeClient } from './node-client.mjs'

const PROGRAM = fileURLToPath(new URL('../apps/node/dist/main.js', import.meta.url))
const LOOP_DELAY = fileURLToPath(new URL('./loop-delay-process.mjs', import.meta.url))

const PATIENCE_MS = 30_000
/** Serves alone, and calls nobody. */
const BACALHAU_COMMON = `DisableAnalytics: true
UpdateConfig: { Interval: 0s }
WebUI: { Enabled: false }
JobAdmissionControl: { AcceptNetworkedJobs: true }
`
/** Where nodes of Bacalhau serve: a node with both roles, or a requester; compute nodes follow behind it. */
const BACALHAU_PORT = 1341
const BACALHAU_LINK_PORT = 4341

/** A real node in a process of its own, which rewrites its stores only when it is asked to. */
export class ServedNode {
  #child
  #client
  #loopDelayFile
  #others = []

  constructor(child, loopDelayFile) {
    this.#child = child
    this.#loopDelayFile = loopDelayFile
  }

  /** Starts a node in a directory, with lines of its configuration, and resolves when it serves. */
  static async start(directory, flags, settings = '') {
    const config = 'Compaction: { Rewrite: { AtStart: false, Every: 0 } }\n'
    writeFileSync(join(directory, 'saltcod.yaml'), config + settings)
    const port = flags.includes('--port') ? [] : ['--port', '0']
    const usual = ['--repo', directory, ...port, '--log-level', 'warn']
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

  /**
   * Starts a node of Bacalhau 1.9.3, by a program that runs it in a version, and resolves when it takes jobs. With
   * compute nodes of their own it runs nothing itself.
   */
  static async startBacalhau(directory, program, computes = 0) {
    const orchestrators = `Orchestrators: ["nats://127.0.0.1:${BACALHAU_LINK_PORT}"]`
    const nodes = Array.from({ length: computes }, (_, at) => {
      const roles = `Orchestrator: { Enabled: false }\nCompute: { Enabled: true, ${orchestrators} }\n`
      return spawnBacalhau(directory, program, `peer-${at + 1}`, BACALHAU_PORT + at + 1, roles)
    })
    const takes = `Orchestrator: { Enabled: true, Host: 127.0.0.1, Port: ${BACALHAU_LINK_PORT} }\n`
    const runs =
      computes === 0 ? `Compute: { Enabled: true, ${orchestrators} }\n` : 'Compute: { Enabled: false }\n'
    const node = new ServedNode(spawnBacalhau(directory, program, 'peer', BACALHAU_PORT, takes + runs))
    node.#others = nodes.map((child) => new ServedNode(child))
    node.#client = new NodeClient(`http://127.0.0.1:${BACALHAU_PORT}`)
    for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; await delay(100)) {
      const answer = await node.call('GET', '/api/v1/orchestrator/nodes').catch(() => undefined)
      if ((answer?.Nodes?.length ?? 0) >= Math.max(1, computes)) return node
    }
    await node.end('SIGKILL')
    throw new Error('Bacalhau does not serve')
  }

  /** Starts a requester and compute nodes, each a process of its own, and resolves when they are joined. */
  static async startNetwork(directory, computes, flags) {
    const place = (name) => {
      const path = join(directory, name)
      mkdirSync(path, { recursive: true })
      return path
    }
    const requester = await ServedNode.start(place('requester'), ['--node-type', 'requester'])
    const link = ['--node-type', 'compute', '--orchestrators', requester.url.href.replace(/\/$/, '')]
    for (let at = 1; at <= computes; at += 1)
      requester.#others.push(
        await ServedNode.start(place(`n-${at}`), [...link, '--node-id', `n-${at}`, ...flags]),
      )
    for (let joined = 0; joined < computes; await delay(50)) {
      const { Nodes } = await requester.call('GET', '/api/v1/orchestrator/nodes')
      joined = Nodes.filter(({ Connection }) => Connection === 'CONNECTED').length
    }
    return requester
  }

  /** Where it serves. */
  get url() {
    return this.#client.url
  }

  get pid() {
    return this.#child.pid
  }

  /** The processes of the node, and of those that it was started with. */
  get pids() {
    return [this.#child.pid, ...this.#others.map(({ pids }) => pids)].flat()
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
    await Promise.all(this.#others.map((other) => other.end(signal)))
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill(signal)
      await once(this.#child, 'exit')
    }
    this.#client?.close()
  }
}

function spawnBacalhau(directory, program, name, port, roles) {
  const config = join(directory, `${name}.yaml`)
  writeFileSync(config, `API: { Host: 127.0.0.1, Port: ${port} }\n${roles}${BACALHAU_COMMON}`)
  const args = ['1.9.3', 'serve', '--data-dir', join(directory, name), '-c', config, '--name', name]
  return spawn(program, args, { stdio: 'ignore' })
}
