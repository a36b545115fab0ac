import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WireNodeState } from '@saltcod/bacalhau-records'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { LinkAnswer } from '../../src/local-api/local-api.ts'
import { noopJob, startTestNode, type TestNode } from '../node-fixture.ts'
import { type AccessNode, bearer, startAccessNode } from './access-node.ts'
import { HEARTBEAT, handshake, linkOf, sessionOf } from './shown-link.ts'

const SILENT = pino({ level: 'silent' })

async function startRequester(): Promise<AccessNode> {
  return await startAccessNode(['--node-type', 'requester'], SILENT, { onDisk: true, nodeId: 'n-requester' })
}

/** Makes a token to join with, in a file of its own. */
async function joinFile(requester: AccessNode): Promise<{ readonly id: string; readonly file: string }> {
  const { ID, Token } = await requester.token('node')
  const file = join(temporaryDirectory(), 'join.token')
  writeFileSync(file, `${Token}\n`, { mode: 0o600 })
  return { id: ID, file }
}

async function startCompute(
  { url }: TestNode,
  flags: readonly string[],
  directory = temporaryDirectory(),
): Promise<TestNode> {
  const role = ['--node-type', 'compute', '--orchestrators', url]
  return await startTestNode([...role, ...flags], SILENT, { onDisk: true, nodeId: 'n-1', directory })
}

async function standing(node: TestNode): Promise<LinkAnswer> {
  return (await node.request<LinkAnswer>('GET', '/api/v1/saltcod/link')).body
}

async function connected(node: TestNode): Promise<void> {
  await eventually('the node is connected', async () => (await standing(node)).State === 'CONNECTED')
}

async function refused(node: TestNode, reason: RegExp): Promise<void> {
  await eventually(`the node is refused: ${reason}`, async () => {
    const { State, Reason } = await standing(node)
    return State === 'REFUSED' && reason.test(Reason ?? '')
  })
}

/** How the requester shows whether it hears of the node. */
async function shownState({ operator, request }: AccessNode): Promise<unknown[]> {
  const path = '/api/v1/orchestrator/nodes'
  const { body } = await request<{ Nodes: WireNodeState[] }>('GET', path, undefined, bearer(operator))
  return body.Nodes.flatMap(({ Connection, Saltcod }) => [Connection, Saltcod?.State])
}

/** Has an operator do something about the node. */
async function decide(requester: AccessNode, Action: string): Promise<void> {
  const path = '/api/v1/orchestrator/nodes/n-1'
  assert.equal(await requester.status('PUT', path, requester.operator, { Action }), 200)
}

test('a node joins by a token, and goes on without it until it is rejected', async () => {
  const requester = await startRequester()
  const stranger = await startCompute(requester, [])
  await refused(stranger, /asks its nodes for a credential/)
  await stranger.stop()
  const { id, file } = await joinFile(requester)
  const { directory } = stranger
  const first = await startCompute(requester, ['--join-token', file], directory)
  await connected(first)
  const credential = join(directory, 'n-1-credential')
  assert.equal(statSync(credential).mode & 0o777, 0o600)
  const kept = readFileSync(credential, 'utf8')
  assert.match(kept, /^\{"credential":"saltcod1-node\.n-1\.[\w-]{43}","joined":true\}\n$/)
  const submitted = await requester.request<{ JobID: string }>(
    'PUT',
    '/api/v1/orchestrator/jobs',
    { Job: noopJob() },
    bearer(requester.operator),
  )
  await eventually('the job is done there', async () => {
    const path = `/api/v1/orchestrator/jobs/${submitted.body.JobID}`
    const { body } = await requester.request<{ Job: { State: { StateType: string } } }>(
      'GET',
      path,
      undefined,
      bearer(requester.operator),
    )
    return body.Job.State.StateType === 'Completed'
  })
  await first.stop()
  // The token ends, and the file is gone; its unit still names it.
  assert.equal(await requester.status('DELETE', `/api/v1/saltcod/tokens/${id}`, requester.operator), 200)
  rmSync(file)
  const second = await startCompute(requester, ['--join-token', file], directory)
  await connected(second)
  assert.equal(readFileSync(credential, 'utf8'), kept)
  await decide(requester, 'reject')
  await refused(second, /has ended|none that this requester knows/)
  // It is cut off, and is not shown as if it were there until its silence is noticed.
  assert.deepEqual(await shownState(requester), ['DISCONNECTED', 'lost'])
  // Approved again, it needs a token again.
  await decide(requester, 'approve')
  await refused(second, /none that this requester knows/)
  assert.deepEqual(await shownState(requester), ['DISCONNECTED', 'lost'])
  await second.stop()
  const again = await joinFile(requester)
  await connected(await startCompute(requester, ['--join-token', again.file], directory))
  assert.deepEqual(await shownState(requester), ['CONNECTED', 'connected'])
})

test('a node that joins is refused nothing, and one whose token is not good is refused for that', async () => {
  const lines: string[] = []
  const write = (line: string): void => {
    lines.push(line)
  }
  const log = pino({ level: 'warn', base: null, timestamp: false }, { write })
  const warnings = (): string[] => lines.filter((line) => line.includes('"level":40'))
  const flags = ['--node-type', 'requester']
  const requester = await startAccessNode(flags, log, { onDisk: true, nodeId: 'n-requester' })
  const { file } = await joinFile(requester)
  const node = await startCompute(requester, ['--join-token', file])
  await connected(node)
  await node.stop()
  assert.deepEqual(warnings(), [])
  const other = await joinFile(requester)
  const { operator } = requester
  assert.equal(await requester.status('DELETE', `/api/v1/saltcod/tokens/${other.id}`, operator), 200)
  const stranger = await startCompute(requester, ['--join-token', other.file])
  await refused(stranger, /was revoked/)
  assert.match(warnings()[0] ?? '', /refused: the token that the node shows to join was revoked/)
})

test('a deleted node comes again with a token that is good, by another credential than before', async () => {
  const requester = await startRequester()
  const { file } = await joinFile(requester)
  const node = await startCompute(requester, ['--join-token', file])
  await connected(node)
  const path = join(node.directory, 'n-1-credential')
  const { credential } = JSON.parse(readFileSync(path, 'utf8')) as { credential: string }
  await decide(requester, 'delete')
  await eventually('it has another credential', () => !readFileSync(path, 'utf8').includes(credential))
  await connected(node)
  // Whoever has a copy of the first one is nobody any more.
  const thief = linkOf(requester, credential)
  await expect(thief.heartbeat({ ...HEARTBEAT })).rejects.toMatchObject({ code: 'LINK_UNKNOWN' })
  await expect(thief.handshake(handshake('n-1'))).rejects.toMatchObject({ code: 'LINK_UNJOINED' })
  thief.close()
})

test('a node speaks for itself alone, whatever it has to show', async () => {
  const requester = await startRequester()
  const { Token } = await requester.token('node')
  const secret = (letter: string): string => letter.repeat(43)
  const own = linkOf(requester, `saltcod1-node.n-1.${secret('a')}`, Token)
  const other = linkOf(requester, `saltcod1-node.n-2.${secret('b')}`, Token)
  const taken = await own.handshake(handshake('n-1'))
  assert.ok('session' in (await other.handshake(handshake('n-2'))))
  // Another secret for an id that is taken, the id of the requester, and what is said for somebody else.
  const impostor = linkOf(requester, `saltcod1-node.n-1.${secret('c')}`, Token)
  await expect(impostor.handshake(handshake('n-1'))).rejects.toMatchObject({
    code: 'LINK_REFUSED',
    message: expect.stringMatching(/has joined with another credential.*node delete n-1/) as string,
  })
  const asRequester = linkOf(requester, `saltcod1-node.n-requester.${secret('d')}`, Token)
  await expect(asRequester.handshake(handshake('n-requester'))).rejects.toMatchObject({
    code: 'LINK_REFUSED',
  })
  const session = sessionOf(taken)
  const never = new AbortController().signal
  const forOther = [
    own.handshake(handshake('n-2')),
    own.heartbeat({ ...HEARTBEAT, nodeId: 'n-2', session }),
    own.poll({ nodeId: 'n-2', session, afterSequence: 0, limit: 1, waitMs: 0 }, never),
    own.acknowledge({ nodeId: 'n-2', session, upToSequence: 9 }),
    own.report({ nodeId: 'n-2', session, reports: [] }),
    own.demands({ nodeId: 'n-2', afterNumber: 0, waitMs: 0 }, never),
    own.supply({ nodeId: 'n-2', number: 1 }, async function* () {}, never),
  ]
  for (const call of forOther)
    await expect(call).rejects.toMatchObject({ code: 'LINK_REFUSED', message: /may not speak for n-2/ })
  await own.heartbeat({ ...HEARTBEAT, session })
  // Reports of an execution that another node was given change nothing.
  const placed = await requester.request<{ JobID: string }>(
    'PUT',
    '/api/v1/orchestrator/jobs',
    { Job: noopJob({ Constraints: [{ Key: 'name', Operator: '=', Values: ['n-2'] }] }) },
    bearer(requester.operator),
  )
  const path = `/api/v1/orchestrator/jobs/${placed.body.JobID}/executions`
  const executionOf = async () =>
    (
      await requester.request<{
        Items: { ID: string; NodeID: string; ComputeState: { StateType: string } }[]
      }>('GET', path, undefined, bearer(requester.operator))
    ).body.Items[0]
  await eventually('it is placed', async () => (await executionOf())?.NodeID === 'n-2')
  const execution = await executionOf()
  const report = { executionId: execution?.ID ?? '', revision: 7, state: 'Completed' as const }
  assert.deepEqual(await own.report({ nodeId: 'n-1', session, reports: [report] }), ['unknown'])
  assert.deepEqual(await executionOf(), execution)
  for (const link of [own, other, impostor, asRequester]) link.close()
})

test('tokens that are no tokens to join are told apart, and nothing is taken in', async () => {
  const requester = await startRequester()
  const credential = `saltcod1-node.n-1.${'a'.repeat(43)}`
  const { ID, Token } = await requester.token('node')
  const reader = (await requester.token('reader')).Token
  await requester.status('DELETE', `/api/v1/saltcod/tokens/${ID}`, requester.operator)
  const wrong: [string, RegExp][] = [
    [Token, /was revoked/],
    [reader, /none of the role node/],
    [requester.operator, /none of the role node/],
    [`saltcod1.nobody.${'s'.repeat(43)}`, /none of this requester/],
  ]
  for (const [token, message] of wrong) {
    const link = linkOf(requester, credential, token)
    await expect(link.handshake(handshake('n-1')), String(message)).rejects.toMatchObject({
      code: 'LINK_REFUSED',
      message,
    })
    link.close()
  }
  const nodes = await requester.request<{ Nodes: WireNodeState[] }>(
    'GET',
    '/api/v1/orchestrator/nodes',
    undefined,
    bearer(requester.operator),
  )
  assert.deepEqual(nodes.body.Nodes, [])
  assert.ok(!existsSync(join(requester.directory, 'n-1-credential')))
})

test('what a token or a credential has open is cut off with it, and nothing else', async () => {
  const requester = await startRequester()
  const { Token } = await requester.token('node')
  const own = linkOf(requester, `saltcod1-node.n-1.${'a'.repeat(43)}`, Token)
  const taken = await own.handshake(handshake('n-1'))
  const session = sessionOf(taken)
  const other = linkOf(requester, `saltcod1-node.n-2.${'b'.repeat(43)}`, Token)
  const kept = await other.handshake(handshake('n-2'))
  const otherSession = sessionOf(kept)
  const never = new AbortController().signal
  const wait = { afterSequence: 0, limit: 1, waitMs: 30_000 }
  const polling = own.poll({ nodeId: 'n-1', session, ...wait }, never).catch((error: Error) => error.message)
  const demanding = own.demands({ nodeId: 'n-1', afterNumber: 0, waitMs: 30_000 }, never).catch(() => 'cut')
  const calm = new AbortController()
  let isCut = false
  const undisturbed = other.poll({ nodeId: 'n-2', session: otherSession, ...wait }, calm.signal).catch(() => {
    isCut = true
  })
  await own.heartbeat({ ...HEARTBEAT, session })
  await decide(requester, 'reject')
  assert.match(String(await polling), /was lost/)
  assert.equal(await demanding, 'cut')
  await expect(own.heartbeat({ ...HEARTBEAT, session })).rejects.toMatchObject({ code: 'LINK_UNKNOWN' })
  assert.ok(!isCut)
  calm.abort()
  await undisturbed
  for (const link of [own, other]) link.close()
})
