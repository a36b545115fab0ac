import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StoreError } from '@saltcod/store-core'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { expect, onTestFinished, test } from 'vitest'
import { eventually, until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { httpLinkHandler } from '../../src/link/http-endpoint.ts'
import { HttpLink } from '../../src/link/http-link.ts'
import type { Link } from '../../src/link/link.ts'
import { jobOf, startComputeSide } from '../compute/fixture.ts'
import { TestRequester } from '../compute/test-requester.ts'
import { makeNode } from '../requester/scheduler/world.ts'

const NEVER = new AbortController().signal
const { description: node, load } = makeNode('n-1')
const STORE = { storeId: 's', durable: true, sequence: 1, openings: [] }
const REPORTS = { nodeId: 'n-1', reports: [{ executionId: 'e-1', revision: 1 }] }
const DEMANDS = { nodeId: 'n-1', afterNumber: 0, waitMs: 0 }

/** Every call of a link that is answered. */
const CALLS: Readonly<Record<string, (link: Link) => Promise<unknown>>> = {
  handshake: (link) => link.handshake({ node, load, store: STORE, executions: [] }),
  poll: (link) => link.poll({ nodeId: 'n-1', afterSequence: 0, limit: 1, waitMs: 0 }, NEVER),
  acknowledge: (link) => link.acknowledge({ nodeId: 'n-1', upToSequence: 1 }),
  report: (link) => link.report(REPORTS),
  heartbeat: (link) => link.heartbeat({ nodeId: 'n-1', load, sequence: 1 }),
  demands: (link) => link.demands(DEMANDS, NEVER),
}

const NO_ANSWERS: readonly string[] = [
  '<html>502 Bad Gateway</html>',
  '[]',
  '{"answer":5}',
  '{"answer":{"refusal":5}}',
  '{"answer":[null]}',
  '{"answer":[{}]}',
  '{"answer":[{"sequence":"1","command":null,"number":-1}]}',
  '{"answer":["applied","applied"]}',
  '{"error":null}',
  '{"error":{"name":5,"message":{}}}',
]

async function linkTo(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HttpLink> {
  const server = createServer(answer)
  server.on('checkContinue', answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const link = new HttpLink([`http://127.0.0.1:${(server.address() as AddressInfo).port}`])
  onTestFinished(() => {
    link.close()
    server.close()
    server.closeAllConnections()
  })
  return link
}

/** Answers as a proxy does whose requester is away. */
function refuseAsProxy(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  response.writeHead(502, { 'content-type': 'text/html' }).end('<html>502 Bad Gateway</html>')
}

test.each(NO_ANSWERS)('what answers %s is no requester, whatever it was asked', async (body) => {
  const link = await linkTo((request, response) => {
    request.resume()
    response.end(body)
  })
  for (const [name, call] of Object.entries(CALLS))
    await expect(call(link), name).rejects.toMatchObject({ code: 'LINK_GARBLED' })
})

test('a proxy for which a message is too large says so of that message', async () => {
  const link = await linkTo((request, response) => {
    request.resume()
    response.writeHead(413).end('<html>413 Request Entity Too Large</html>')
  })
  await expect(link.report(REPORTS)).rejects.toMatchObject({ code: 'LINK_LIMIT' })
})

test('what ends while a proxy answers for the requester is told when that is back, and nothing is set aside', async () => {
  const requester = new TestRequester()
  const served = httpLinkHandler(requester)
  let isAway = false
  let refused = 0
  const link = await linkTo((request, response) => {
    if (!isAway) return served(request, response)
    if (request.url?.endsWith('/report') === true) refused += 1
    refuseAsProxy(request, response)
  })
  const side = await startComputeSide({
    store: await openMemoryExecutionStore(),
    link,
    dataDir: temporaryDirectory(),
  })
  requester.ask('e-1', jobOf('noop', {}), { approved: true })
  const { poll } = requester
  requester.poll = async (request, signal) => {
    const deliveries = await poll.call(requester, request, signal)
    // The order arrives, and nothing else passes.
    if (deliveries.length > 0) isAway = true
    return deliveries
  }
  await eventually('the report was refused', () => refused >= 2)
  isAway = false
  await until(
    () => requester.known('e-1').state,
    (state) => state === 'Completed',
  )
  assert.deepEqual(await side.listRefused(), [])
})

test.each(['poll', 'report', 'demands', 'acknowledge', 'handshake'] as const)(
  'a node outlives that the store of its requester fails, as %s says, and works for it again',
  async (name) => {
    const requester = new TestRequester()
    const told = Reflect.get(requester, name) as (...args: readonly unknown[]) => Promise<unknown>
    let failures = 0
    Reflect.set(requester, name, async (...args: readonly unknown[]) => {
      failures += 1
      if (failures <= 2) throw new StoreError('STORE_FAILED', 'the store of the requester failed')
      return await told.apply(requester, [...args])
    })
    const side = await startComputeSide({
      store: await openMemoryExecutionStore(),
      link: requester,
      dataDir: temporaryDirectory(),
    })
    const failed: unknown[] = []
    void side.failed.then((error) => failed.push(error))
    requester.ask('e-1', jobOf('noop', {}), { approved: true })
    await eventually('it has failed', () => failures > 2)
    requester.ask('e-2', jobOf('noop', {}), { approved: true })
    for (const id of ['e-1', 'e-2'])
      await until(
        () => requester.known(id).state,
        (state) => state === 'Completed',
      )
    assert.deepEqual(failed, [])
  },
)
