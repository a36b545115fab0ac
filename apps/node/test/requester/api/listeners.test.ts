import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { onTestFinished, test } from 'vitest'
import { connectionLimits } from '../../../src/requester/api/connection-limits.ts'
import { Connections } from '../../../src/requester/api/connections.ts'
import { Listeners } from '../../../src/requester/api/listeners.ts'

const MOST = 64
const CONNECTIONS = 20
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
const LAST_REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
const UPGRADE = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: words\r\n\r\n'

interface Served {
  readonly connections: Connections
  /** Opens a connection whose errors are nobody's concern. */
  connect(): Socket
}

async function serve(
  listenerOf: (connections: Connections) => RequestListener,
  onUpgrade: (socket: Duplex, connections: Connections) => void = (socket) => socket.destroy(),
): Promise<Served> {
  const limits = { ...connectionLimits(1_024, 0), connections: CONNECTIONS }
  const connections = new Connections(limits, 1_000)
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
    connect: () => connect(port, '127.0.0.1').on('error', () => undefined),
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
