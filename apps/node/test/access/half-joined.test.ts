import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { type AccessNode, bearer, startAccessNode } from './access-node.ts'
import { HEARTBEAT, handshake, linkOf, sessionOf } from './shown-link.ts'

const CREDENTIAL = `saltcod1-node.n-1.${'a'.repeat(43)}`
const OTHER = `saltcod1-node.n-1.${'b'.repeat(43)}`

/** Begins to shake hands, and leaves out the last bytes of what it says. */
async function beginToJoin(
  { url }: AccessNode,
  {
    credential,
    token,
    length,
  }: { readonly credential: string; readonly token: string; readonly length?: number },
): Promise<{ readonly socket: Socket; readonly rest: string }> {
  const body = JSON.stringify(handshake('n-1'))
  const { port, host } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => undefined)
  onTestFinished(() => {
    socket.destroy()
  })
  const head = [
    'POST /link/v1/handshake HTTP/1.1',
    `Host: ${host}`,
    `Authorization: Bearer ${credential}`,
    `X-Saltcod-Join: ${token}`,
    `Content-Length: ${length ?? Buffer.byteLength(body)}`,
    // The node says so once it has let the head in.
    'Expect: 100-continue',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  assert.match(answer.toString(), /^HTTP\/1\.1 100 /)
  socket.write(body.slice(0, -10))
  return { socket, rest: body.slice(-10) }
}

test.each(['revoked', 'expired'] as const)(
  'whoever is about to join with a token that is %s meanwhile does not',
  async (end) => {
    const requester = await startAccessNode(['--node-type', 'requester'])
    const { ID, Token } = await requester.token('node', end === 'expired' ? 3_000 : undefined)
    const { socket, rest } = await beginToJoin(requester, { credential: CREDENTIAL, token: Token })
    const tokens = '/api/v1/saltcod/tokens'
    if (end === 'revoked') await requester.status('DELETE', `${tokens}/${ID}`, requester.operator)
    else
      await eventually('it has expired', async () => {
        const { body } = await requester.request<{ readonly Items: readonly { readonly State: string }[] }>(
          'GET',
          tokens,
          undefined,
          bearer(requester.operator),
        )
        return body.Items.some(({ State }) => State === 'EXPIRED')
      })
    const isOver = new Promise((resolve) => {
      for (const event of ['data', 'close']) socket.once(event, resolve)
    })
    if (!socket.destroyed) {
      socket.write(rest)
      await isOver
    }
    const path = '/api/v1/orchestrator/nodes'
    const { body } = await requester.request('GET', path, undefined, bearer(requester.operator))
    assert.deepEqual(body, { NextToken: '', Nodes: [] })
  },
)

test('whoever has a token to join with uses up nothing of what a node may have in progress', async () => {
  const requester = await startAccessNode(['--node-type', 'requester'])
  const { Token } = await requester.token('node')
  const link = linkOf(requester, CREDENTIAL, Token)
  const session = sessionOf(await link.handshake(handshake('n-1')))
  const length = 128 * 1024 * 1024
  for (let count = 0; count < 2; count += 1)
    await beginToJoin(requester, { credential: OTHER, token: Token, length })
  assert.equal(typeof (await link.heartbeat({ ...HEARTBEAT, session })).sequence, 'number')
  link.close()
})
