import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { HttpLink } from '../../src/link/http-link.ts'
import type { Chunk, Demand, DemandBody } from '../../src/link/link.ts'
import { Demands } from '../../src/requester/demands.ts'
import { noopJob, startTestNode } from '../node-fixture.ts'
import { makeNode } from './scheduler/world.ts'

const NODE = 'n-1'
const NEVER = new AbortController().signal
const LOG = { kind: 'log', executionId: 'e-1', follow: false, tail: false, from: null } as const
const ARCHIVE = { kind: 'archive', executionId: 'e-1' } as const
const RESULTS = { kind: 'results', executionId: 'e-1', tag: 't', from: 0, to: 5 } as const
const EXECUTION = { kind: 'execution', executionId: 'e-1' } as const
const POSITION = { attempt: 1, stdout: 0, stderr: 0 }
const KNOWN = {
  state: 'Running',
  stateMessage: '',
  stateSinceMs: 1,
  endReason: null,
  attempt: 1,
  revision: 1,
}

async function read(demand: DemandBody, chunks: readonly unknown[]): Promise<unknown[]> {
  const demands = new Demands()
  const found: unknown[] = []
  const reading = (async () => {
    for await (const chunk of demands.read(NODE, demand, NEVER)) found.push(chunk)
  })()
  const taken = demands.take({ nodeId: NODE, number: 1 }, async function* () {
    await Promise.resolve()
    for (const chunk of chunks) yield chunk as Chunk
  })
  await Promise.all([reading, taken])
  return found
}

test.each<readonly [DemandBody, readonly unknown[]]>([
  [LOG, [null]],
  [LOG, [5]],
  [LOG, [{ text: 5, stream: 'stdout', position: POSITION }]],
  [LOG, [{ text: '', stream: 'other', position: POSITION }]],
  [LOG, [{ text: '', stream: 'stdout', position: { ...POSITION, stdout: -1 } }]],
  [LOG, [Buffer.from('text')]],
  [ARCHIVE, [{ bytes: -5, tag: 't' }]],
  [ARCHIVE, [{ bytes: '5', tag: 't' }]],
  [ARCHIVE, [{ bytes: 1e300, tag: 't' }]],
  [ARCHIVE, [{ bytes: 5, tag: 't"\r\nX-Other: 1' }]],
  [RESULTS, [{ text: 'hello' }]],
  [RESULTS, [Buffer.from('hello'), Buffer.from('!')]],
  [RESULTS, [Buffer.from('hell')]],
  [RESULTS, []],
  [EXECUTION, [{ ...KNOWN, state: '__proto__' }]],
  [EXECUTION, [{ ...KNOWN, stateSinceMs: 1e300 }]],
])('what a node supplies is refused where it is not what was demanded: %j %j', async (demand, chunks) => {
  await expect(read(demand, chunks)).rejects.toMatchObject({ code: 'LINK_GARBLED' })
})

test.each<readonly [DemandBody, readonly unknown[]]>([
  [LOG, [{ text: 'a\n', stream: 'stderr', position: POSITION }]],
  [ARCHIVE, [{ bytes: 5, tag: 'a1' }]],
  [RESULTS, [Buffer.from('he'), Buffer.from('llo')]],
  [EXECUTION, [KNOWN]],
])('what a node supplies is read where it is what was demanded: %j %j', async (demand, chunks) => {
  assert.deepEqual(await read(demand, chunks), chunks)
})

/** Sends requests on one connection, and resolves with what came when it was closed. */
async function answersTo(url: string, ...requests: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => {
    socket.destroy()
  })
  socket.write(requests.join(''))
  let text = ''
  for await (const piece of socket as AsyncIterable<Buffer>) text += piece.toString('latin1')
  return text
}

test.each([
  ['more', ['hello', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsmuggle']],
  ['less', ['he']],
])(
  'a node that supplies %s than it promised answers nobody else on the connection of a reader',
  async (_, pieces) => {
    const requester = await startTestNode(['--node-type', 'requester'])
    const link = new HttpLink([requester.url])
    onTestFinished(() => link.close())
    const { description: node, load } = makeNode(NODE)
    const store = { storeId: 's', durable: true, sequence: 1, openings: [] }
    const greeted = await link.handshake({ versions: [2], node, load, store, executions: [] })
    assert.ok('session' in greeted)
    const own = { nodeId: NODE, ...(greeted.session === undefined ? {} : { session: greeted.session }) }
    const job = await requester.submit(noopJob())
    const [order] = await link.poll({ ...own, afterSequence: 0, limit: 1, waitMs: 30_000 }, NEVER)
    assert.ok(order?.command.kind === 'ask-for-bid')
    const { executionId } = order.command
    const patch = { publishedResult: { Type: 'local', Params: {} } }
    await link.report({ ...own, reports: [{ executionId, revision: 2, state: 'Completed', patch }] })
    await requester.until(job, 'Completed')
    const supply = async ({ number, kind }: Demand): Promise<void> => {
      const open = async function* (): AsyncGenerator<Chunk> {
        await Promise.resolve()
        if (kind === 'archive') yield { bytes: 5, tag: 't' }
        else for (const piece of pieces) yield Buffer.from(piece)
      }
      await link.supply({ nodeId: NODE, number }, open, NEVER)
    }
    const supplied = (async () => {
      for (let afterNumber = 0, kind = ''; kind !== 'results'; ) {
        const demands = await link.demands({ nodeId: NODE, afterNumber, waitMs: 30_000 }, NEVER)
        for (const demand of demands) {
          afterNumber = demand.number
          kind = demand.kind
          await supply(demand).catch(() => undefined)
        }
      }
    })()
    const { body } = await requester.request<{
      readonly Items: readonly { readonly Params: { readonly URL: string } }[]
    }>('GET', `/api/v1/orchestrator/jobs/${job}/results`)
    const { pathname, search } = new URL(body.Items[0]?.Params.URL ?? '')
    const answered = await answersTo(
      requester.url,
      `GET ${pathname}${search} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
      'GET /api/v1/agent/alive HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
    )
    await supplied
    assert.match(answered, /content-length: 5\r\n/)
    assert.doesNotMatch(answered, /smuggle|"Status":"OK"/)
  },
)
