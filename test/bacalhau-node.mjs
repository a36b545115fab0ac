// An official node of Bacalhau 1.9.3 in the network namespace of this process.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const API = 'http://127.0.0.1:1341/api/v1'

/** A guest of WebAssembly that does nothing. */
const GUEST = 'data:application/wasm;base64,AGFzbQEAAAABBAFgAAADAgEABwoBBl9zdGFydAAACgQBAgALAAkEbmFtZQACAW0='
const TASK = {
  Name: 'main',
  Engine: { Type: 'wasm', Params: { EntryModule: '/m.wasm', Entrypoint: '_start' } },
  InputSources: [{ Source: { Type: 'inline', Params: { URL: GUEST } }, Target: '/m.wasm' }],
}

/** A node with its repository in a directory; `official` is the command that runs the official programs. */
export class BacalhauNode {
  /** The stores of the node. */
  files
  /** Jobs that were taken. */
  jobs = 0
  /** What was answered otherwise than it should be. */
  errors = []
  #directory
  #official
  #child
  #isSubmitting = false

  constructor(directory, official) {
    this.#directory = directory
    this.#official = official
    this.files = ['orchestrator', 'compute'].map((role) => join(directory, role, 'state_boltdb.db'))
    execFileSync('ip', ['link', 'set', 'lo', 'up'])
  }

  /** Starts it, and resolves with how many milliseconds it took until it answered. */
  async start() {
    const began = performance.now()
    const config = join(dirname(this.#official), 'node-1.9.3.yaml')
    const args = ['1.9.3', 'serve', '--data-dir', this.#directory, '-c', config, '--name', 'peer']
    const child = spawn(this.#official, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const log = createWriteStream(join(this.#directory, 'node.log'), { flags: 'a' })
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    for (let tries = 0; tries < 600; tries += 1) {
      if (child.exitCode !== null) throw new Error(`the node ended with ${child.exitCode}`)
      const alive = await fetch(`${API}/agent/alive`).catch(() => undefined)
      if (alive?.ok === true) {
        this.#child = child
        return Math.round(performance.now() - began)
      }
      await sleep(100)
    }
    child.kill('SIGKILL')
    throw new Error('the node does not answer')
  }

  async stop() {
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await exit
  }

  /** Submits one job after the other, which the node runs, while `during` goes on. */
  async submitWhile(during) {
    this.#isSubmitting = true
    const submitted = this.#submit()
    try {
      await during()
    } finally {
      this.#isSubmitting = false
      await submitted
    }
  }

  async #submit() {
    while (this.#isSubmitting) {
      const job = { Name: `noop-${this.jobs}`, Namespace: 'default', Type: 'batch', Count: 1, Tasks: [TASK] }
      const answer = await fetch(`${API}/orchestrator/jobs`, {
        method: 'PUT',
        body: JSON.stringify({ Job: job }),
        headers: { 'content-type': 'application/json' },
      })
      await answer.arrayBuffer()
      if (answer.ok) this.jobs += 1
      else this.errors.push(`a job was answered with ${answer.status}`)
    }
  }
}
