import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { noopJob, startTestNode, type TestNode } from '../node-fixture.ts'
import { makeNode } from '../requester/scheduler/world.ts'

const { description: node, load } = makeNode('n-1')
const STORE = { storeId: 's', durable: true, sequence: 1, openings: [{ id: 'o', firstSequence: 1 }] }
const HELLO = { versions: [2], node, load, store: STORE, executions: [] }
const REPORT = { executionId: 'e-1', revision: 1, state: 'Running' }

type Answered = { readonly answer?: unknown; readonly error?: { readonly code?: string } }

async function say(
  { url }: TestNode,
  name: string,
  message: unknown,
): Promise<Answered & { status: number }> {
  const body = typeof message === 'string' ? message : JSON.stringify(message)
  const response = await fetch(`${url}/link/v1/${name}`, { method: 'POST', body })
  return { ...((await response.json()) as Answered), status: response.status }
}

function open({ url }: TestNode, ...pieces: readonly (string | Buffer)[]): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  for (const piece of pieces) socket.write(piece)
  onTestFinished(() => {
    socket.destroy()
  })
  return socket
}

const headOf = (name: string, ...lines: readonly string[]): string =>
  `${[`POST /link/v1/${name} HTTP/1.1`, 'Host: a', ...lines].join('\r\n')}\r\n\r\n`

/** Sends what no node sends, on many connections, and leaves them open. */
const POISONS: Readonly<Record<string, readonly (string | Buffer)[]>> = {
  'a head without an end': [`POST /link/v1/poll HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(20)}`],
  'a head that is endless': [`POST /link/v1/poll HTTP/1.1\r\nX-A: ${'b'.repeat(100_000)}`],
  'a body that does not come': [headOf('report', 'Content-Length: 1000'), '{"nodeId":"n-1"'],
  'a body in pieces without an end': [headOf('handshake', 'Transfer-Encoding: chunked'), '5\r\n{"nod\r\n'],
  'pieces of a length that is none': [headOf('handshake', 'Transfer-Encoding: chunked'), 'zz\r\n{}\r\n'],
  'a length that is none': [headOf('report', 'Content-Length: -1'), '{}'],
  'two lengths': [headOf('report', 'Content-Length: 2', 'Content-Length: 3'), '{}}'],
  'a supply that nobody wants': [
    headOf('supply/n-1/999', 'Transfer-Encoding: chunked'),
    '5\r\n',
    Buffer.from([0x62, 0xff, 0xff, 0xff, 0xff]),
  ],
  'no HTTP': [Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01])],
}

test.each(Object.entries(POISONS))(
  'a requester works on beside many connections with %s',
  async (_, pieces) => {
    const requester = await startTestNode(['--node-type', 'requester'])
    for (let number = 0; number < 30; number += 1) open(requester, ...pieces)
    const greeted = await say(requester, 'handshake', HELLO)
    assert.equal(greeted.status, 200, JSON.stringify(greeted))
    const { session } = greeted.answer as { readonly session: string }
    const job = await requester.submit(noopJob())
    const poll = { nodeId: 'n-1', session, afterSequence: 0, limit: 10, waitMs: 5_000 }
    const { answer } = await say(requester, 'poll', poll)
    const [delivery] = answer as readonly { readonly command: { readonly executionId: string } }[]
    const executionId = delivery?.command.executionId
    const done = { executionId, revision: 2, state: 'Completed' }
    assert.deepEqual((await say(requester, 'report', { nodeId: 'n-1', session, reports: [done] })).answer, [
      'applied',
    ])
    await requester.until(job, 'Completed')
  },
)

test('messages of wrong types, of huge counts and of strangers are refused, and leave nothing behind', async () => {
  const requester = await startTestNode(['--node-type', 'requester'])
  const { answer } = await say(requester, 'handshake', HELLO)
  const { session } = answer as { readonly session: string }
  const own = { nodeId: 'n-1', session }
  const huge = Number.MAX_SAFE_INTEGER
  const code = async (name: string, message: unknown): Promise<string> =>
    (await say(requester, name, message)).error?.code ?? 'none'
  for (const [name, message, expected] of [
    ['poll', { ...own, afterSequence: 0, limit: huge, waitMs: 1 }, 'LINK_LIMIT'],
    ['poll', { ...own, afterSequence: 0, limit: 1, waitMs: huge }, 'LINK_LIMIT'],
    ['poll', { ...own, afterSequence: 1e300, limit: 1, waitMs: 1 }, 'LINK_INVALID'],
    ['poll', { ...own, afterSequence: '0', limit: 1, waitMs: 1 }, 'LINK_INVALID'],
    ['demands', { nodeId: 'n-1', afterNumber: 0, waitMs: huge }, 'LINK_LIMIT'],
    ['report', { ...own, reports: Array.from({ length: 1_001 }, () => REPORT) }, 'LINK_LIMIT'],
    ['report', { ...own, reports: {} }, 'LINK_INVALID'],
    ['report', { ...own, reports: [{ ...REPORT, revision: -1 }] }, 'LINK_INVALID'],
    ['report', { ...own, reports: [{ ...REPORT, executionId: 'x'.repeat(300) }] }, 'LINK_INVALID'],
    ['report', { ...own, reports: [{ ...REPORT, patch: [] }] }, 'LINK_INVALID'],
    ['handshake', { ...HELLO, node: { ...node, nodeId: '' } }, 'LINK_INVALID'],
    ['handshake', { ...HELLO, node: { ...node, capacity: { cpu: 'all' } } }, 'LINK_INVALID'],
    ['handshake', { ...HELLO, versions: Array.from({ length: 101 }, (_entry, at) => at) }, 'LINK_INVALID'],
    ['handshake', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'LINK_INVALID'],
    ['heartbeat', { ...own, load, sequence: Number.NaN }, 'LINK_INVALID'],
    ['poll', { nodeId: 'n-stranger', afterSequence: 0, limit: 1, waitMs: 1 }, 'LINK_UNKNOWN'],
    ['report', { nodeId: 'n-stranger', session, reports: [REPORT] }, 'LINK_UNKNOWN'],
    ['heartbeat', { nodeId: 'n-1', session: 'another', load, sequence: 1 }, 'LINK_UNKNOWN'],
    ['acknowledge', { nodeId: '__proto__', session, upToSequence: 1 }, 'LINK_UNKNOWN'],
  ] as const)
    assert.equal(await code(name, message), expected, `${name} ${JSON.stringify(message).slice(0, 200)}`)
  assert.deepEqual((await say(requester, 'report', { ...own, reports: [REPORT] })).answer, ['unknown'])
  for (const id of ['../../etc', 'n 1', 'n\u0000', 'x'.repeat(200)]) {
    const { status } = await say(requester, 'handshake', { ...HELLO, node: { ...node, nodeId: id } })
    assert.ok(status >= 400, `a node cannot be called ${JSON.stringify(id)}`)
  }
  const { body } = await requester.request<{ readonly Nodes: readonly unknown[] }>(
    'GET',
    '/api/v1/orchestrator/nodes',
  )
  assert.equal(body.Nodes.length, 1)
})

test('a connection that sends no HTTP is closed', async () => {
  const requester = await startTestNode(['--node-type', 'requester'])
  const socket = open(requester, Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01]), '\r\n\r\n')
  await eventually('it is closed', async () => {
    if (socket.destroyed) return true
    socket.resume()
    return await Promise.race([
      once(socket, 'close').then(() => true),
      new Promise<false>((r) => setTimeout(r, 20, false)),
    ])
  })
})
