import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireGetJobAnswer, WirePutJobAnswer } from '@saltcod/bacalhau-records'
import { onTestFinished } from 'vitest'
import { plainEnvironment } from '../../../../test/plain-environment.ts'
import { PROGRAM } from '../cli/binary.ts'

/** How the process of a node ended. */
export interface NodeEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const DEADLINE_MS = 120_000

/** The real program, serving one repository, to be killed and started again. */
export class AttackedNode {
  readonly repository: string
  readonly #flags: readonly string[]
  readonly #environment: Readonly<Record<string, string>>
  /** What becomes the program, such as `prlimit` with a limit. */
  readonly #launcher: readonly string[]
  #child: ChildProcess | undefined
  #ended: Promise<NodeEnd> = Promise.resolve({ code: 0, signal: null })
  #url: Promise<string | null> = Promise.resolve(null)
  #log = ''

  constructor(
    repository: string,
    flags: readonly string[] = [],
    config: object = {},
    environment: Readonly<Record<string, string>> = {},
    launcher: readonly string[] = [],
  ) {
    this.repository = repository
    this.#flags = flags
    this.#environment = environment
    this.#launcher = launcher
    mkdirSync(repository, { recursive: true, mode: 0o700 })
    writeFileSync(join(repository, 'saltcod.yaml'), JSON.stringify(config))
    onTestFinished(async () => {
      await this.kill()
    })
  }

  /** Everything that all its lives have logged. */
  get log(): string {
    return this.#log
  }

  /** The id of its process. Throws where it has none. */
  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('The node was not started.')
    return pid
  }

  /** Starts the process without waiting for it, with flags for this start alone. */
  spawn(...flags: readonly string[]): void {
    const program = [process.execPath, PROGRAM, 'serve', '--repo', this.repository, '--port', '0']
    const [command = '', ...args] = [...this.#launcher, ...program, ...this.#flags, ...flags]
    const child = spawn(command, args, {
      env: { ...plainEnvironment(), ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text
    })
    let line = ''
    this.#url = new Promise((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        line += text
        const url = /^listening on (\S+)\n/.exec(line)?.[1]
        if (url !== undefined) resolve(url)
      })
      child.on('close', () => resolve(null))
    })
  }

  /** Starts the process and waits until it takes requests. */
  async start(...flags: readonly string[]): Promise<void> {
    this.spawn(...flags)
    await this.url()
  }

  /** Resolves with the address once the process takes requests. */
  async url(): Promise<string> {
    const url = await this.#url
    assert.ok(url !== null, `the node serves: ${this.#log.slice(-2_000)}`)
    return url
  }

  /** Kills the process, if there is one, and waits until it is gone. */
  async kill(): Promise<NodeEnd> {
    return this.signal('SIGKILL')
  }

  /** Sends a signal that does not end the process. */
  send(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  /** Sends a signal and waits for the end of the process. */
  async signal(name: NodeJS.Signals): Promise<NodeEnd> {
    this.#child?.kill(name)
    return this.#ended
  }

  /** The end of the process that runs now. */
  get ended(): Promise<NodeEnd> {
    return this.#ended
  }

  /** Asks it for something, with what its repository keeps for commands where it speaks TLS. */
  async request(method: string, path: string, body?: unknown): Promise<Response> {
    const url = `${await this.url()}/api/v1/${path}`
    const headers = { 'content-type': 'application/json' }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    if (url.startsWith('http:')) return fetch(url, { method, headers, ...sent })
    const ca = readFileSync(join(this.repository, 'tls/authority-cert.pem'))
    const token = readFileSync(join(this.repository, 'operator-token'), 'utf8').trim()
    const authorization = `Bearer ${token}`
    const request = httpsRequest(url, { method, headers: { ...headers, authorization }, ca, agent: false })
    request.end(sent.body)
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    return new Response(await buffer(answer), { status: answer.statusCode ?? 0 })
  }

  /** Submits a job and returns its id. The same key gives the same job. */
  async submit(job: object, key = ''): Promise<string> {
    const response = await this.request('PUT', 'orchestrator/jobs', { Job: job, IdempotencyToken: key })
    const answer = (await response.json()) as WirePutJobAnswer
    assert.equal(response.status, 200, JSON.stringify(answer))
    return answer.JobID
  }

  async job(id: string): Promise<WireGetJobAnswer> {
    const response = await this.request(
      'GET',
      `orchestrator/jobs/${id}?include=executions,history&limit=1000`,
    )
    assert.equal(response.status, 200)
    return (await response.json()) as WireGetJobAnswer
  }

  /** Waits until a job is in a state. */
  async until(id: string, state: string): Promise<WireGetJobAnswer> {
    const endMs = Date.now() + DEADLINE_MS
    for (;;) {
      const answer = await this.job(id)
      if (answer.Job.State.StateType === state) return answer
      assert.ok(
        Date.now() < endMs,
        `${id} is ${answer.Job.State.StateType} (${answer.Job.State.Message}), not ${state}\n${this.#log.slice(-4_000)}`,
      )
      await delay(50)
    }
  }
}
