import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { onTestFinished, test } from 'vitest'
import { connectionLimits } from '../../../src/requester/api/connection-limits.ts'
import { Connections } from '../../../src/requester/api/connections.ts'
import { Listeners } from '../../../src/requester/api/listeners.ts'

const MOST = 64
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

/** Sends so many requests at once on one connection; returns how many were handled when it was closed. */
async function handledOf(count: number): Promise<number> {
  let handled = 0
  const listeners = new Listeners(new Connections(connectionLimits(1_024, 0), 1_000))
  const server = listeners.create((_request, response) => {
    handled += 1
    // Answered later, as a store would.
    setImmediate(() => response.end())
  })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.close()
  })
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(REQUEST.repeat(count - 1))
  socket.end(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
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
