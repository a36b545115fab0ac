import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import type { WireBuildVersion, WireNodeState } from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { ApiClient } from '../../src/client/api-client.ts'
import { startTestNode, type TestNode } from '../node-fixture.ts'

/** What was said and answered at one address. */
interface Exchange {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly bodyBase64?: string
  readonly answer: { readonly answer: unknown }
}

interface Recording {
  readonly executionId: string
  readonly exchanges: readonly Exchange[]
}

type Answered = { readonly answer?: unknown; readonly error?: { readonly code: string } }

const RECORDING = JSON.parse(
  readFileSync(new URL('recorded-link-1.json', import.meta.url), 'utf8'),
) as Recording
const NODE = 'n-recorded'
const SCRIPT = 'echo hello from version one'

function recorded(name: string): readonly Exchange[] {
  return RECORDING.exchanges.filter(({ path }) => path.split('/')[3] === name)
}

async function say(node: TestNode, { path, headers }: Exchange, body: unknown): Promise<Answered> {
  const response = await fetch(`${node.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await response.json()) as Answered
}

/** Sends what was recorded as it was, but for the execution that it is about. */
async function repeat(node: TestNode, exchange: Exchange, executionId = ''): Promise<unknown> {
  const text = JSON.stringify(exchange.body).replaceAll(RECORDING.executionId, executionId)
  const { answer, error } = await say(node, exchange, JSON.parse(text))
  assert.equal(error, undefined)
  return answer
}

async function supply(node: TestNode, { headers, bodyBase64 }: Exchange, number: number): Promise<void> {
  const request = httpRequest(`${node.url}/link/v1/supply/${NODE}/${number}`, { method: 'POST', headers })
  request.on('continue', () => request.end(Buffer.from(bodyBase64 ?? '', 'base64')))
  request.flushHeaders()
  const status = await new Promise((resolve, reject) => {
    request.on('response', (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject)
  })
  assert.equal(status, 200)
}

test('a node of the version of the link before does its work for a requester of this one', async () => {
  const node = await startTestNode(['--node-type', 'requester'])
  const job = await node.submit({
    Type: 'batch',
    Count: 1,
    Tasks: [{ Name: 'main', Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', SCRIPT] } } }],
  })
  const [hello] = recorded('handshake')
  const [poll] = recorded('poll')
  const [acknowledge] = recorded('acknowledge')
  const [heartbeat] = recorded('heartbeat')
  const [demands] = recorded('demands')
  const [supplied] = recorded('supply')
  assert.ok(hello && poll && acknowledge && heartbeat && demands && supplied)

  // What has not shaken hands is sent to do so.
  assert.equal((await say(node, poll, poll.body)).error?.code, 'LINK_UNKNOWN')
  const greeted = (await repeat(node, hello)) as object
  for (const key of Object.keys(hello.answer.answer as object)) assert.ok(key in greeted, key)
  const deliveries = (await repeat(node, poll)) as readonly {
    readonly sequence: number
    readonly command: { readonly executionId: string }
  }[]
  const [first] = deliveries
  const [before] = poll.answer.answer as typeof deliveries
  assert.ok(first !== undefined && before !== undefined)
  for (const key of Object.keys(before.command)) assert.ok(key in first.command, key)
  const { executionId } = first.command
  for (const report of recorded('report'))
    assert.deepEqual(await repeat(node, report, executionId), report.answer.answer)
  await say(node, acknowledge, { nodeId: NODE, upToSequence: first.sequence })
  assert.deepEqual(Object.keys((await repeat(node, heartbeat)) as object), ['sequence'])
  const { Job, Executions } = await node.until(job, 'Completed', 'Failed')
  assert.equal(Job.State.StateType, 'Completed')
  assert.equal(Executions?.Items[0]?.NodeID, NODE)

  const lines: string[] = []
  const reading = (async () => {
    for await (const part of new ApiClient({ base: node.url }).readLog(job, { follow: true, tail: false }))
      lines.push(JSON.stringify(part))
  })()
  const [demand] = (await repeat(node, demands)) as readonly { readonly number: number }[]
  assert.ok(demand !== undefined)
  await supply(node, supplied, demand.number)
  await reading
  assert.match(lines.join('\n'), /hello from version one/)
})

test('a node is of the release that it says, and of none where it is too old to say', async () => {
  const node = await startTestNode(['--node-type', 'requester'])
  const [hello] = recorded('handshake')
  assert.ok(hello)
  const greet = async (release?: object): Promise<Partial<WireBuildVersion>> => {
    const body = hello.body as { readonly node: object }
    await say(node, hello, { ...body, versions: [2], node: { ...body.node, release } })
    const answer = await node.request<{ Node: WireNodeState }>('GET', `/api/v1/orchestrator/nodes/${NODE}`)
    return answer.body.Node.Info.BacalhauVersion
  }
  assert.equal((await greet()).GitVersion, '')
  const { Major, Minor, GitVersion, GOOS, GOARCH } = await greet({
    version: 'v9.8.7',
    os: 'plan9',
    arch: 'mips',
  })
  assert.deepEqual([Major, Minor, GitVersion, GOOS, GOARCH], ['9', '8', 'v9.8.7', 'plan9', 'mips'])
})

test('a node that speaks no version in common is told which side is to be upgraded', async () => {
  const node = await startTestNode(['--node-type', 'requester'])
  const [hello] = recorded('handshake')
  assert.ok(hello)
  const answer = await say(node, hello, { ...(hello.body as object), versions: [9] })
  assert.equal(answer.error?.code, 'LINK_VERSION')
  assert.match(
    JSON.stringify(answer.error),
    /speaks the versions 2 and 1 .* and the node 9: upgrade the older one/,
  )
})

test('what follows another handshake than the newest of a node is no part of what both sides know', async () => {
  const node = await startTestNode(['--node-type', 'requester'])
  const [hello] = recorded('handshake')
  const [poll] = recorded('poll')
  assert.ok(hello && poll)
  const greet = async (): Promise<string> => {
    const { answer } = await say(node, hello, { ...(hello.body as object), versions: [2] })
    const { version, session } = answer as { readonly version: number; readonly session: string }
    assert.equal(version, 2)
    return session
  }
  const ask = async (session?: string): Promise<Answered> =>
    await say(node, poll, { ...(poll.body as object), waitMs: 1, session })
  const first = await greet()
  assert.deepEqual((await ask(first)).answer, [])
  const second = await greet()
  assert.deepEqual((await ask(second)).answer, [])
  for (const session of [first, 'made up', undefined])
    assert.equal((await ask(session)).error?.code, 'LINK_UNKNOWN')
})

test('a web page of somebody else cannot speak as a node', async () => {
  const node = await startTestNode(['--node-type', 'requester'])
  const [hello] = recorded('handshake')
  assert.ok(hello)
  const headers = { ...hello.headers, origin: 'http://elsewhere.example' }
  assert.equal((await say(node, { ...hello, headers }, hello.body)).error?.code, 'LINK_REFUSED')
})
