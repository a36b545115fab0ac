import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { connectionLimits } from '../../../src/requester/api/connection-limits.ts'
import { Connections } from '../../../src/requester/api/connections.ts'
import { Listeners } from '../../../src/requester/api/listeners.ts'

const MOST = 64
const CONNECTIONS = 20
/** What one peer may take. */
const OF_A_PEER = { connections: 5, requests: 3, bodyBytes: 1_500, answerBytes: 50_000, logStreams: 2 }
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
const LAST_REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
const UPGRADE = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: words\r\n\r\n'

interface Served {
  readonly connections: Connections
  /** Opens a connection whose errors are nobody's concern. */
  connect(from?: string): Socket
}

async function serve(
  listenerOf: (connections: Connections) => RequestListener,
  onUpgrade: (socket: Duplex, connections: Connections) => void = (socket) => socket.destroy(),
  options: ConstructorParameters<typeof Connections>[2] = {},
): Promise<Served> {
  const limits = { ...connectionLimits(1_024, 0), connections: CONNECTIONS, perPeer: OF_A_PEER }
  const connections = new Connections(limits, 1_000, options)
  const server = new Listeners(connections).create(listenerOf(connections))
  server.on('upgrade', (_request, socket: Duplex) => onUpgrade(socket, connections))
  server.listen(0, '127.0.0.1')
  onTestFinished(async () => {
    server.close()
    await connections.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    connections,
    connect: (from = '127.0.0.1') =>
      connect({ port, host: '127.0.0.1', localAddress: from }).on('error', () => undefined),
  }
}

/** Sends so many requests at once on one connection; returns how many were handled when it was closed. */
async function handledOf(count: number): Promise<number> {
  let handled = 0
  const served = await serve(() => (_request, response) => {
    handled += 1
    // Answered later, as a store would.
    setImmediate(() => response.end())
  })
  const socket = served.connect()
  socket.write(REQUEST.repeat(count - 1))
  socket.end(LAST_REQUEST)
  socket.resume()
  await once(socket, 'close')
  return handled
}

test('as many requests at once as one connection may make are all handled', async () => {
  assert.equal(await handledOf(MOST), MOST)
})

test('of more requests at once than one connection may make nothing is handled once it is dropped', async () => {
  assert.ok((await handledOf(1_000)) <= MOST)
})

test('an upgraded connection makes way once nothing more is said on it', async () => {
  const upgraded: Duplex[] = []
  const served = await serve(
    (connections) => (request, response) => response.end(connections.overload(request) ?? 'served'),
    (socket, connections) => {
      connections.upgrade(socket)
      upgraded.push(socket)
      socket.write('welcome')
    },
  )
  const ask = async (): Promise<string> => {
    const socket = served.connect()
    socket.write(LAST_REQUEST)
    return await text(socket)
  }
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const socket = served.connect()
      socket.write(UPGRADE)
      await once(socket, 'data')
    }),
  )
  assert.match(await ask(), /all 20 connections are busy$/)
  const [first] = upgraded
  assert.ok(first !== undefined)
  served.connections.dismiss(first)
  assert.match(await ask(), /served$/)
  assert.ok(first.destroyed)
})

test('a peer that takes too much is refused alone, and told of; the others are served as before', async () => {
  const excesses = new Map<string, Set<string>>()
  const waiting: (() => void)[] = []
  const served = await serve(
    (connections) => (request, response) => {
      const overload = connections.overload(request)
      if (overload !== null || request.url === '/now') response.end(overload ?? 'served')
      else waiting.push(() => response.end('late'))
    },
    (socket, connections) => {
      connections.upgrade(socket)
      const excess = connections.excessOf(socket)
      // As a websocket does: its end is noticed, and answered.
      socket.resume().on('end', () => socket.end())
      if (excess === null) socket.write('read')
      else socket.end(excess)
    },
    {
      isFree: () => false,
      onExcess: (peer, what) => excesses.set(peer, (excesses.get(peer) ?? new Set()).add(what)),
    },
  )
  const [greedy, calm] = ['127.0.0.2', '127.0.0.3']
  const send = (from: string, words: string): Socket => {
    const socket = served.connect(from)
    socket.write(words)
    return socket
  }
  const now = 'GET /now HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  // Three requests in progress, and a fourth.
  const busy = [1, 2, 3].map(() => send(greedy, REQUEST))
  await eventually('they are in progress', () => waiting.length === 3)
  assert.match(await text(send(greedy, now)), /3 requests of 127\.0\.0\.2 are in progress$/)
  assert.match(await text(send(calm, now)), /served$/)
  // Five connections, and a sixth.
  const more = [1, 2].map(() => served.connect(greedy))
  await Promise.all(more.map((socket) => once(socket, 'connect')))
  const sixth = served.connect(greedy)
  sixth.resume()
  await once(sixth, 'close')
  assert.match(await text(send(calm, now)), /served$/)
  for (const answer of waiting) answer()
  for (const socket of [...busy, ...more]) socket.destroy()
  await eventually('they are gone', async () => / served$|served$/.test(await text(send(greedy, now))))
  // More of a body than one may be sending.
  const body = (length: number): string =>
    `PUT /now HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`
  const [first, second] = [
    send(greedy, `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n`),
    body(900),
  ]
  await eventually('it is being received', () => waiting.length === 4)
  assert.match(await text(send(greedy, second)), /too much of 127\.0\.0\.2 is being received$/)
  assert.match(await text(send(calm, body(900))), /served$/)
  first.destroy()
  // Two logs, and a third; another one where one of them is not read any more.
  const read = async (from: string): Promise<readonly [Socket, string]> => {
    const socket = send(from, UPGRADE)
    // While one that was refused is closed, no other one is taken.
    const [words = ''] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as unknown[]
    return [socket, String(words)]
  }
  const [log] = await read(greedy)
  assert.equal((await read(greedy))[1], 'read')
  assert.equal((await read(greedy))[1], '2 logs are read by 127.0.0.2')
  assert.equal((await read(calm))[1], 'read')
  log.destroy()
  await eventually('another one is read', async () => (await read(greedy))[1] === 'read')
  assert.deepEqual([...excesses.keys()], [greedy])
})

test('of the answers that a peer does not take its own oldest are given up, and nobody else loses one', async () => {
  const served = await serve(
    (connections) => (request, response) => {
      const overload = connections.overload(request)
      if (overload !== null) {
        response.end(overload)
        return
      }
      connections.send(response, 30_000)
      response.write('begun')
    },
    undefined,
    { isFree: () => false },
  )
  const begin = async (from: string): Promise<Socket> => {
    const socket = served.connect(from)
    socket.write(REQUEST)
    await once(socket, 'data')
    return socket.resume()
  }
  const [greedy, calm] = ['127.0.0.2', '127.0.0.3']
  const ofCalm = await begin(calm)
  const [first, second] = [await begin(greedy), await begin(greedy)]
  await once(first, 'close')
  const third = await begin(greedy)
  await once(second, 'close')
  for (const socket of [ofCalm, third]) assert.ok(!socket.destroyed)
})

test('peers of this machine are not bounded by themselves: behind a proxy everybody is one of them', async () => {
  const served = await serve((connections) => (request, response) => {
    response.end(connections.overload(request) ?? 'served')
  })
  const sockets = Array.from({ length: 10 }, () => served.connect())
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const last = served.connect()
  last.write(LAST_REQUEST)
  assert.match(await text(last), /served$/)
  for (const socket of sockets) socket.destroy()
})
