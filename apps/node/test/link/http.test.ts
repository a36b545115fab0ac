import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Server } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createHttpEndpoint } from '../../src/link/http-endpoint.ts'
import { HttpLink } from '../../src/link/http-link.ts'
import { LINK_LIMITS } from '../../src/link/limits.ts'
import { makeNode } from '../requester/scheduler/world.ts'
import { PlayedRequester } from './played-requester.ts'

const NEVER = new AbortController().signal
const LOG = { kind: 'log', executionId: 'e-1', follow: true, tail: false, from: null } as const
const HEARTBEAT = { nodeId: 'n-1', load: makeNode('n-1').load, sequence: 5 }

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function serve() {
  const requester = new PlayedRequester()
  const server = createHttpEndpoint(requester)
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const base = await listen(server)
  /** Sends the head of a request by hand. */
  const head = (...lines: readonly string[]) => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1')
    onTestFinished(() => {
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.write(`${[...lines, 'Host: a'].join('\r\n')}\r\n\r\n`)
    return socket
  }
  return { requester, base, head }
}

test('messages that are none are refused with what is wrong, and reach nobody', async () => {
  const { requester, base } = await serve()
  const post = async (name: string, message: unknown): Promise<string> => {
    const body = typeof message === 'string' ? message : JSON.stringify(message)
    const answer = await fetch(`${base}/link/v1/${name}`, { method: 'POST', body })
    return `${answer.status} ${await answer.text()}`
  }
  assert.match(await post('heartbeat', '{'), /^400 .*not JSON.*LINK_INVALID/)
  assert.match(await post('heartbeat', null), /^400 .*LINK_INVALID/)
  assert.match(await post('heartbeat', { nodeId: 7 }), /^400 .*nodeId must be a text/)
  assert.match(await post('poll', { nodeId: 'n', afterSequence: -1 }), /^400 .*afterSequence/)
  const odd = { executionId: 'e', revision: 1, state: 'Odd' }
  assert.match(await post('report', { nodeId: 'n', reports: [odd] }), /^400 .*reports\[0\]\.state/)
  assert.match(await post('constructor', {}), /^400 .*nothing of the link/)
  assert.match(await post('supply/%FF/1', ''), /^400 .*LINK_INVALID/)
  const got = await fetch(`${base}/link/v1/poll`)
  assert.equal(got.status, 400)
  await got.text()
  assert.deepEqual(requester.heard, [])
  assert.match(await post('heartbeat', HEARTBEAT), /^200 {"answer":{"sequence":/)
  assert.deepEqual(requester.heard, [HEARTBEAT])
})

test('a message that is announced as too large is refused before it is sent', async () => {
  const { head } = await serve()
  const socket = head('POST /link/v1/heartbeat HTTP/1.1', `Content-Length: ${LINK_LIMITS.messageBytes + 1}`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1.1 413 .*LINK_LIMIT/s)
})

test.each([
  ['is cut between two chunks', [], 'LINK_CLOSED'],
  ['is cut within a chunk', [0x6a, 0, 0, 0, 9, 0x7b], 'LINK_CLOSED'],
  ['announces a chunk without an end', [0x62, 0xff, 0xff, 0xff, 0xff], 'LINK_LIMIT'],
  ['holds what is no chunk', [0x6a, 0, 0, 0, 1, 0x7b], 'LINK_INVALID'],
])('a reader is told where what is supplied %s', async (_, body, code) => {
  const { requester, head } = await serve()
  const reading = requester.wanted.read('n-1', LOG, NEVER).next()
  const chunked = ['Expect: 100-continue', 'Transfer-Encoding: chunked']
  const socket = head('POST /link/v1/supply/n-1/1 HTTP/1.1', ...chunked)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1.1 100 Continue/)
  if (body.length > 0) {
    socket.write(`${body.length.toString(16)}\r\n`)
    socket.write(Buffer.from(body))
    socket.write('\r\n')
  }
  if (code === 'LINK_CLOSED') socket.end()
  await expect(reading).rejects.toMatchObject({ code })
})

test('a requester that is not there, and a program that is none, are told apart', async () => {
  const server = createServer((_request, response) => {
    response.end('<html>')
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const stranger = new HttpLink([await listen(server)])
  onTestFinished(() => stranger.close())
  await expect(stranger.heartbeat(HEARTBEAT)).rejects.toMatchObject({ code: 'LINK_GARBLED' })
  const gone = createServer()
  const base = await listen(gone)
  gone.close()
  await once(gone, 'close')
  const nobody = new HttpLink([base])
  onTestFinished(() => nobody.close())
  await expect(nobody.heartbeat(HEARTBEAT)).rejects.toMatchObject({
    code: 'LINK_CLOSED',
    message: expect.stringContaining('ECONNREFUSED') as string,
  })
})
