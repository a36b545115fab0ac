import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { isUnanswered, SocketApi } from '../../../src/engines/docker/socket-api.ts'
import { playedServer } from './played-server.ts'

const PATIENCE_MS = 200
/** More than a server is asked for at once. */
const QUESTIONS = 40

/** Answers every question with some bytes, and then with others again and again, without an end. */
async function unending(first: string, then = ''): Promise<SocketApi> {
  const path = join(temporaryDirectory(), 's')
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(first)
      const timer = setInterval(() => socket.write(then), PATIENCE_MS / 10)
      socket.on('close', () => clearInterval(timer))
    })
  })
  server.listen(path)
  await once(server, 'listening')
  const api = new SocketApi(path, PATIENCE_MS)
  onTestFinished(() => {
    api.close()
    for (const socket of open) socket.destroy()
    server.close()
  })
  return api
}

const BODY = 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n'

test.each([
  ['says nothing', '', ''],
  ['goes on with the beginning', 'HTTP/1.1 200 OK\r\nx: ', 'a'],
  ['has the question continue for ever', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['begins and says nothing more', BODY, ''],
  ['goes on and on', BODY, ' '],
  ['leaves out what is wrong', BODY.replace('200 OK', '500 No'), ''],
  ['goes on with what is wrong', BODY.replace('200 OK', '500 No'), ' '],
])('a server that %s does not answer, and holds up no other question', async (_, first, then) => {
  const api = await unending(first, then)
  const asked = Array.from({ length: QUESTIONS }, async () => await api.ask({ path: '/' }))
  for (const one of await Promise.allSettled(asked))
    expect([one.status, isUnanswered((one as PromiseRejectedResult).reason)]).toEqual(['rejected', true])
})

test('one that may begin whenever it likes comes to its end all the same', async () => {
  const api = await unending(BODY, ' ')
  const asking = api.ask({ path: '/', waits: true }).catch((error: unknown) => error)
  expect(isUnanswered(await asking)).toBe(true)
})

test('a stream of which nothing more comes breaks off, unless it may pause', async () => {
  const api = await unending(`${BODY}abc`)
  const broken = await api.open({ path: '/' })
  const error: unknown = await broken.toArray().catch((reason: unknown) => reason)
  expect(isUnanswered(error)).toBe(true)
  const paused = await api.open({ path: '/', waits: true, pauses: true })
  let isOver = false
  paused.on('close', () => {
    isOver = true
  })
  await expect(api.ask({ path: '/' })).rejects.toThrow('does not answer')
  expect(isOver).toBe(false)
  paused.destroy()
})

test('nothing is done where a server sends somewhere else', async () => {
  const api = await playedServer((_, answer) => void answer.writeHead(301, { location: '/v9' }).end())
  await expect(api.ask({ method: 'DELETE', path: '/containers/c' })).rejects.toMatchObject({ status: 301 })
})
