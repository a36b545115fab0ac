import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  OWN_CLIENT_VERSION,
  VERSION_HEADER,
  type WireGetJobAnswer,
  type WirePutJobAnswer,
} from '@saltcod/bacalhau-records'
import { loadConfig } from '@saltcod/config'
import { type Logger, pino } from 'pino'
import { onTestFinished } from 'vitest'
import { flagUses } from '../../../test/flag-uses.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { startNode } from '../src/node.ts'

/** An answer of the API. */
export interface Answer<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

/** A node on memory stores, and how to speak to it. */
export interface TestNode {
  readonly url: string
  readonly directory: string
  request<T>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<T>>
  /** Submits a job and returns its id. */
  submit(job: object): Promise<string>
  /** Waits until a job is in one of some states. */
  until(id: string, ...states: readonly string[]): Promise<WireGetJobAnswer>
  /** Ends the node without a grace period, before the test ends. */
  stop(): Promise<void>
}

const DEADLINE_MS = 30_000

/** Starts a real node for one test, on memory stores unless it asks for stores on disk. */
export async function startTestNode(
  flags: readonly string[] = [],
  log: Logger = pino({ level: 'silent' }),
  {
    onDisk = false,
    nodeId = 'n-test',
    directory = temporaryDirectory(),
  }: { readonly onDisk?: boolean; readonly nodeId?: string; readonly directory?: string } = {},
): Promise<TestNode> {
  const argv = ['--repo', directory, '--port', '0', ...flags]
  const memory = ['--compute-execution-store-type', 'memory', '--requester-job-store-type', 'memory']
  const { config, errors } = loadConfig({ flags: flagUses(...argv, ...(onDisk ? [] : memory)), env: {} })
  assert.ok(config !== undefined, JSON.stringify(errors))
  const node = await startNode({
    config: { ...config, gracePeriodMs: 0 },
    nodeId,
    shownConfig: () => ({}),
    log,
    signal: new AbortController().signal,
  })
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= node.stop()
    return stopping
  }
  onTestFinished(stop)
  return { ...client(node.url, directory), stop }
}

/** Returns the flags of a node with an archive, whose addresses are there only where one is configured. */
export function archiveFlags(): string[] {
  const directory = join(temporaryDirectory(), 'archive')
  return fileFlags({ Node: { Requester: { Archive: { Directory: directory } } } })
}

/** Returns the flags of a node with a config file. */
export function fileFlags(config: object): string[] {
  const file = join(temporaryDirectory(), 'saltcod.yaml')
  writeFileSync(file, JSON.stringify(config))
  return ['--config', file]
}

function client(url: string, directory: string): Omit<TestNode, 'stop'> {
  const request: TestNode['request'] = async <T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> => {
    // In whatever case a test writes them.
    const all = new Headers({ 'content-type': 'application/json', [VERSION_HEADER]: OWN_CLIENT_VERSION })
    for (const [name, value] of Object.entries(headers)) all.set(name, value)
    const response = await fetch(`${url}${path}`, {
      method,
      headers: all,
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    })
    return { status: response.status, headers: response.headers, body: (await response.json()) as T }
  }
  return {
    url,
    directory,
    request,
    async submit(job) {
      const { status, body } = await request<WirePutJobAnswer>('PUT', '/api/v1/orchestrator/jobs', {
        Job: job,
      })
      assert.equal(status, 200, JSON.stringify(body))
      return body.JobID
    },
    async until(id, ...states) {
      const endMs = Date.now() + DEADLINE_MS
      for (;;) {
        const { body } = await request<WireGetJobAnswer>(
          'GET',
          `/api/v1/orchestrator/jobs/${id}?include=executions,history`,
        )
        if (states.includes(body.Job.State.StateType)) return body
        assert.ok(Date.now() < endMs, `job is ${body.Job.State.StateType}, not ${states.join(' or ')}`)
        await delay(20)
      }
    },
  }
}

/** A job of the engine that does nothing for a while. */
export function noopJob(fields: object = {}, params: object = {}): object {
  return {
    Type: 'batch',
    Count: 1,
    Tasks: [{ Name: 'main', Engine: { Type: 'noop', Params: params } }],
    ...fields,
  }
}
