import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { onTestFinished, test, vi } from 'vitest'
import { IS_LONG } from '../../../../../test/seed.ts'
import { KnownPaths } from '../../../src/requester/api/known-paths.ts'
import { archiveFlags, noopJob, startTestNode, type TestNode } from '../../node-fixture.ts'

const JOBS = '/api/v1/orchestrator/jobs'
/** One body in so many is sent in a short run. */
const EVERY = IS_LONG ? 1 : 6
const AT_A_TIME = 16

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])

const NUMBERS = [-1, 0, 1.5, 1e300, 2 ** 53]
const TEXTS = [
  '',
  ' ',
  'a',
  '\0',
  '\u001b[2J',
  '\ud800',
  '😀'.repeat(200),
  'x'.repeat(10_000),
  '..',
  '/',
  'constructor',
]
const SHAPES = [[], [null], [{}], {}, { a: null }, { constructor: 1, toString: 'x' }, nested(90)]
const VALUES: readonly unknown[] = [null, true, ...NUMBERS, ...TEXTS, ...SHAPES]

const TASK = {
  Name: 'main',
  Engine: { Type: 'noop', Params: { DurationMs: 1 } },
  Publisher: { Type: 'local', Params: {} },
  Env: { A: 'b' },
  Meta: { key: 'value' },
  InputSources: [{ Source: { Type: 'inline', Params: { Data: 'x' } }, Alias: 'a', Target: '/a' }],
  ResultPaths: [{ Name: 'out', Path: '/out' }],
  Resources: { CPU: '0.1', Memory: '1MB', Disk: '1MB', GPU: '0' },
  Network: { Type: 'None', Domains: [] },
  Timeouts: { ExecutionTimeout: 5, TotalTimeout: 10, QueueTimeout: 1 },
}
const JOB = noopJob({
  Name: 'hostile',
  Namespace: 'default',
  Priority: 1,
  Labels: { zone: 'eu' },
  Meta: { key: 'value' },
  Constraints: [{ Key: 'zone', Operator: 'in', Values: ['eu'] }],
  Tasks: [TASK],
})
/** Whatever the other addresses may read. */
const FIELDS = { JobVersion: 1, Reason: 'r', maxAgeMs: 1, maxCount: 1, namespace: 'default', dryRun: true }

/** Every copy of a value in which one part is another one. */
function* mutants(value: unknown): Generator<unknown> {
  yield* VALUES
  if (typeof value !== 'object' || value === null) return
  for (const [key, part] of Object.entries(value)) {
    for (const other of mutants(part)) {
      if (Array.isArray(value)) yield value.map((old, index) => (String(index) === key ? other : old))
      else yield { ...value, [key]: other }
    }
  }
}

/** Notes what a node takes with a body, so that a new address is tried too. */
function watchRoutes(): Set<string> {
  const routes = new Set<string>()
  const add = KnownPaths.prototype.add
  vi.spyOn(KnownPaths.prototype, 'add').mockImplementation(function (this: KnownPaths, path, methods) {
    for (const method of methods) if (method !== 'GET' && method !== 'HEAD') routes.add(`${method} ${path}`)
    add.call(this, path, methods)
  })
  onTestFinished(() => {
    vi.restoreAllMocks()
  })
  return routes
}

/** A node whose lines of level error are kept. */
async function loggedNode(): Promise<{ readonly node: TestNode; readonly errors: string[] }> {
  const errors: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => void errors.push(line) })
  return { node: await startTestNode(archiveFlags(), log), errors }
}

test('no body brings an internal error, or a stack into the log', async () => {
  const routes = watchRoutes()
  const { node, errors } = await loggedNode()
  const id = await node.submit(noopJob({ Name: 'first' }))
  await node.until(id, 'Completed')
  const internal = new Set<string>()
  const ask = async (method: string, path: string, body: unknown): Promise<void> => {
    const { status, body: answer } = await node.request<{ Code?: string; Message?: string }>(
      method,
      path,
      body,
    )
    if (status >= 500)
      internal.add(`${method} ${path} ${JSON.stringify(body)}: ${answer.Message}`.slice(0, 500))
    if (status >= 400) assert.ok(answer.Code !== undefined && answer.Code !== 'InternalError', answer.Message)
  }
  const askAll = async (method: string, path: string, bodies: Iterable<unknown>): Promise<void> => {
    const all = [...bodies].filter((_, number) => number % EVERY === 0)
    for (let at = 0; at < all.length; at += AT_A_TIME)
      await Promise.all(all.slice(at, at + AT_A_TIME).map((body) => ask(method, path, body)))
  }
  await askAll('PUT', JOBS, mutants({ Job: JOB, Force: false, SubmitKey: 'k' }))
  const others = [...routes].filter((route) => !route.endsWith(JOBS))
  assert.ok(others.length > 6, `${others.length} are few`)
  for (const route of others) {
    const [method = '', path = ''] = route.split(' ')
    await askAll(method, path.replace(/:[a-z]+/, id), mutants(FIELDS))
    if (path.includes(':'))
      for (const value of TEXTS)
        await ask(
          method,
          path.replace(/:[a-z]+/, () => encodeURIComponent(value.replaceAll('\ud800', '\ufffd'))),
          {},
        )
  }
  assert.deepEqual([...internal], [])
  assert.deepEqual(errors, [])
}, 120_000)

test('nor does what is no request, is cut short, or has heads that nobody sends', async () => {
  const { node, errors } = await loggedNode()
  const { hostname, port, host } = new URL(node.url)
  const say = async (words: string, cut = false): Promise<string> => {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    socket.write(words)
    if (cut) socket.end()
    socket.setTimeout(10_000, () => socket.destroy())
    return await text(socket).catch(() => '')
  }
  const put = (head: string, body = '{}'): string =>
    `PUT ${JOBS} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${head}\r\n\r\n${body}`
  const heads = [
    'Content-Length: 2\r\nContent-Type: \u0001',
    'Content-Length: 2\r\nContent-Type: multipart/form-data',
    'Content-Length: 2\r\nContent-Encoding: gzip',
    'Content-Length: 2\r\nExpect: 200-maybe',
    'Content-Length: 2\r\nX-Bacalhau-Git-Version: vv1.x',
    `Content-Length: 2\r\nIdempotency-Key: ${'k'.repeat(9_000)}`,
    'Content-Length: 2\r\nOrigin: null',
    'Content-Length: 2\r\nHost: a..b',
    'Content-Length: -1',
    'Content-Length: 2\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: gzip, chunked',
    'Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2',
  ]
  const answers = await Promise.all([
    ...heads.map((head) => say(put(head))),
    ...['TRACE', 'CONNECT', 'PROPFIND', 'FOO', 'OPTIONS', 'HEAD'].map((method) =>
      say(`${method} ${JOBS} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    ),
    ...['/%', '//', '*', '/api/v1/%ff', `/${'a/'.repeat(4_000)}`, `${JOBS}/%00`].map((path) =>
      say(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    ),
    say(put('Content-Length: 1000', '{"Job": {'), true),
    say(put('Transfer-Encoding: chunked', 'zz\r\n'), true),
    say('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', true),
    say('\u0016\u0003\u0001', true),
  ])
  const internal = answers.filter((answer) => /^HTTP\/1\.1 5/.test(answer))
  assert.deepEqual(internal, [])
  assert.deepEqual(errors, [])
  await node.submit(noopJob())
}, 60_000)
