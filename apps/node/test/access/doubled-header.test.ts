import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { onTestFinished, test } from 'vitest'
import { type AccessNode, startAccessNode } from './access-node.ts'

/** Sends a head as it is, and returns the status of its answer. */
async function statusOf({ url }: AccessNode, first: string, ...lines: readonly string[]): Promise<number> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => {
    socket.destroy()
  })
  const all = [`${first} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...lines]
  socket.write(`${all.join('\r\n')}\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer.toString())?.[1])
}

test('of two headers of which one counts none is chosen', async () => {
  const node = await startAccessNode()
  const jobs = 'GET /api/v1/orchestrator/jobs'
  const shown = `Authorization: Bearer ${node.operator}`
  assert.equal(await statusOf(node, jobs, shown), 200)
  for (const second of ['Authorization: Bearer other', shown.toUpperCase(), 'HOST: elsewhere', 'host:'])
    assert.equal(await statusOf(node, jobs, shown, second), 403, second)
  assert.equal(await statusOf(node, 'POST /link/v1/handshake', shown, shown), 403)
  const socket = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
  const logs = 'GET /api/v1/orchestrator/jobs/none/logs'
  assert.equal(await statusOf(node, logs, ...socket, key, shown, shown), 404)
})
