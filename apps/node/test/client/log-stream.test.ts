import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { type ReceivedPart, readLog } from '../../src/client/log-stream.ts'

test('a server that is no node is named, and does not end the program', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  await once(server, 'listening')
  server.on('connection', (client) => client.send('<html>'))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const reading = async (): Promise<ReceivedPart[]> => {
    const parts: ReceivedPart[] = []
    for await (const part of readLog({ base }, 'j-1', { follow: true, tail: false })) parts.push(part)
    return parts
  }
  await expect(reading()).rejects.toMatchObject({ exitCode: 1, message: expect.stringMatching(/no log/) })
})
