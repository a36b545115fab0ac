import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect as connectPlainly, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { trustOnly } from '../../src/tls/trust.ts'
import { ask, shake } from './ask.ts'
import { autoCertificate, listenSecurely, type SecureListeners } from './secure-listeners.ts'

const CONNECTIONS = 12
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
const ROUNDS = 8

async function serve(handshakeMs?: number): Promise<SecureListeners & { readonly proof: ConnectionOptions }> {
  const tls = await autoCertificate(temporaryDirectory())
  const listening = await listenSecurely(tls, {
    limits: { connections: CONNECTIONS, spare: 2 },
    // What waits is answered when its client has gone, so that a connection is busy for as long as a test wants.
    answer: (request, response) => {
      if (request.url !== '/wait') response.end('answered')
    },
    ...(handshakeMs === undefined ? {} : { handshakeMs }),
  })
  return { ...listening, proof: trustOnly(tls.proof) }
}

/** Opens a connection whose errors are nobody's concern. */
function silent(port: number): Socket {
  const socket = connectPlainly(port, '127.0.0.1').on('error', () => undefined)
  socket.resume()
  onTestFinished(() => void socket.destroy())
  return socket
}

/** Returns what a client says first. */
async function helloOf(): Promise<Buffer> {
  const hello: Buffer[] = []
  const server = createServer((socket) => void socket.on('data', (piece: Buffer) => void hello.push(piece)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
  await eventually('a hello', () => hello.length > 0)
  client.destroy()
  server.close()
  return Buffer.concat(hello)
}

/** Has each connection that may be there wait for an answer, and returns them. */
async function fill({
  url,
  proof,
}: {
  readonly url: string
  readonly proof: ConnectionOptions
}): Promise<TLSSocket[]> {
  const sockets: TLSSocket[] = []
  for (let at = 0; at < CONNECTIONS; at += 1) {
    const socket = await shake(url, { ...proof, rejectUnauthorized: true })
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => undefined)
    socket.write(REQUEST.replace('/ ', '/wait '))
    sockets.push(socket)
  }
  return sockets
}

test('connections that do not shake hands make way for those that do, and end in time', async () => {
  const served = await serve(400)
  const hello = await helloOf()
  const began = Array.from({ length: CONNECTIONS * 3 }, (_, at) => {
    const socket = silent(served.port)
    if (at % 2 === 0) socket.write(hello.subarray(0, at + 1))
    return socket
  })
  assert.equal((await ask(served.url, served.proof)).text, 'answered')
  await Promise.all(began.map(async (socket) => socket.closed || (await once(socket, 'close'))))
})

test('whatever ends a handshake takes nothing with it, and leaves no connection behind', async () => {
  const served = await serve()
  const hello = await helloOf()
  const { port, url } = served
  const attacks: readonly (() => Promise<void> | void)[] = [
    () => void silent(port).end(),
    () => void silent(port).end(REQUEST),
    () => void silent(port).end(hello.subarray(0, hello.length / 2)),
    () => void silent(port).end(hello),
    () => void silent(port).write(Buffer.alloc(70_000, 0x16)),
    async () => {
      const socket = silent(port)
      socket.write(hello)
      await once(socket, 'connect')
      await delay(Math.random() * 5)
      socket.resetAndDestroy()
    },
    async () => {
      const socket = await shake(url)
      socket.on('error', () => undefined)
      socket.write(REQUEST)
      socket.destroy()
    },
    async () => {
      // The one below it is reset in the middle of what is said.
      const below = silent(port)
      const socket = connect({ socket: below, rejectUnauthorized: false }).on('error', () => undefined)
      await once(socket, 'secureConnect')
      socket.write(REQUEST.slice(0, 10))
      below.resetAndDestroy()
    },
  ]
  for (let round = 0; round < ROUNDS; round += 1)
    await Promise.all(attacks.map(async (attack) => await attack()))
  assert.equal((await ask(url, served.proof)).text, 'answered')
  // Where one of them still counted, one of these would have no place, or not keep it.
  await eventually('all places are free', async () => {
    const sockets = await fill(served)
    await delay(50)
    const kept = sockets.filter(({ destroyed }) => !destroyed).length
    for (const socket of sockets) socket.destroy()
    return kept === CONNECTIONS
  })
})

test('no second handshake is made on a connection', async () => {
  const { url, proof } = await serve()
  const socket = await shake(url, { ...proof, maxVersion: 'TLSv1.2' })
  onTestFinished(() => void socket.destroy())
  const refused = new Promise<unknown>((resolve) => {
    socket.once('error', resolve)
    socket.renegotiate({}, (error) => {
      if (error !== null) resolve(error)
    })
  })
  assert.match(String(await refused), /no renegotiation|renegotiat/i)
  assert.equal((await ask(url, proof)).text, 'answered')
})
