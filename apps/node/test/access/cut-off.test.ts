import assert from 'node:assert/strict'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { ApiClient } from '../../src/client/api-client.ts'
import type { ReceivedPart } from '../../src/client/log-stream.ts'
import { fixedTrust } from '../../src/link/link-trust.ts'
import { serveNode } from '../cli/binary.ts'
import { RunningCommand } from '../cli/running-command.ts'
import { type GuardedNode, serveGuarded } from './guarded-node.ts'
import { HEARTBEAT, handshake, linkOf, sessionOf } from './shown-link.ts'

/** A log that is read to its end, whichever that is. */
function following(client: ApiClient, id: string) {
  let text = ''
  let isOpen = true
  const end = new AbortController()
  onTestFinished(() => end.abort())
  const read = async (parts: AsyncIterable<ReceivedPart>): Promise<string> => {
    try {
      for await (const part of parts) text += part.text
      return 'whole'
    } catch (error) {
      return (error as Error).message
    } finally {
      isOpen = false
    }
  }
  const ended = read(client.readLog(id, { follow: true, tail: false, signal: end.signal }))
  return { ended, text: () => text, isOpen: () => isOpen }
}

/** Submits a job whose log grows by what is written to a file, and never ends by itself. */
async function growingJob({
  client,
}: GuardedNode): Promise<{ readonly id: string; grow(line: string): void }> {
  const source = join(temporaryDirectory(), 'source')
  writeFileSync(source, 'first\n')
  const Engine = { Type: 'exec', Params: { Command: 'tail', Arguments: ['-n', '+1', '-f', source] } }
  const { JobID } = await client.submitJob({ Type: 'batch', Count: 1, Tasks: [{ Name: 'main', Engine }] })
  return { id: JobID, grow: (line) => appendFileSync(source, `${line}\n`) }
}

/** Follows a log with a token that ends by itself, and so late that some of the log is read before. */
async function followedToItsEnd(node: GuardedNode, id: string): Promise<ReturnType<typeof following>> {
  for (let ms = 2_000; ; ms *= 2) {
    const log = following(node.clientWith((await node.token('reader', ms)).Token), id)
    const ended = await log.ended
    if (log.text() !== '') return log
    assert.match(ended, /has expired/)
  }
}

test('what is read with a token over TLS is cut off with it, by an end as by a revocation, and nothing else', {
  timeout: 300_000,
}, async () => {
  const node = await serveGuarded(temporaryDirectory(), ['--allow-exec'])
  const job = await growingJob(node)
  const [revoked, kept] = [await node.token('reader'), await node.token('reader')]
  const file = join(temporaryDirectory(), 'reader.token')
  writeFileSync(file, revoked.Token)
  const env = { ...node.env, BACALHAU_DIR: temporaryDirectory() }
  const trust = ['--cacert', join(node.directory, 'tls/authority-cert.pem')]
  const command = new RunningCommand(['job', 'logs', '--follow', job.id, '--token', file, ...trust], env)
  const ofRevoked = following(node.clientWith(revoked.Token), job.id)
  const ofKept = following(node.clientWith(kept.Token), job.id)
  for (const log of [ofRevoked, ofKept])
    await eventually('the log is read', () => log.text().includes('first'))
  await eventually(
    () => `the command reads it: ${command.stdout}${command.stderr}`,
    () => command.stdout.includes('first'),
  )
  await node.client.revokeToken(revoked.ID)
  assert.match(await ofRevoked.ended, /was lost while its log was read/)
  // It looks for the log where it was, and hears why it is gone.
  assert.equal(await command.exited, 1)
  assert.match(command.stderr, /the token that was shown was revoked/)
  const again = following(node.clientWith(revoked.Token), job.id)
  assert.match(await again.ended, /the token that was shown was revoked/)
  const brief = await followedToItsEnd(node, job.id)
  assert.match(await brief.ended, /was lost while its log was read/)
  // The job is the same, and so is who may read it.
  job.grow('second')
  await eventually('the other one reads on', () => ofKept.text().includes('second'))
  assert.ok(ofKept.isOpen())
  assert.ok(!ofRevoked.text().includes('second') && !command.stdout.includes('second'))
})

test('what a joined node has open over TLS is cut off with its credential: what it waits for and what it sends', {
  timeout: 300_000,
}, async () => {
  const requester = await serveGuarded(temporaryDirectory(), ['--node-type', 'requester'])
  const { Token } = await requester.token('node')
  const file = join(temporaryDirectory(), 'join.token')
  writeFileSync(file, Token, { mode: 0o600 })
  const role = ['--node-type', 'compute', '--node-id', 'n-1', '--allow-exec']
  const compute = await serveNode(temporaryDirectory(), [
    ...role,
    ...['--orchestrators', requester.url, '--join-token', file],
  ])
  const standing = async (): Promise<string> =>
    await (await fetch(`${compute.url}/api/v1/saltcod/link`)).text()
  await eventually('it is connected', async () => (await standing()).includes('"CONNECTED"'))
  const job = await growingJob(requester)
  await eventually('the job runs', async () => {
    const { Job } = await requester.client.getJob(job.id)
    return Job.State.StateType === 'Running'
  })
  const log = following(requester.client, job.id)
  await eventually('its log comes', () => log.text().includes('first'))
  // Another node, of which each wait can be told apart.
  const credential = `saltcod1-node.n-2.${'a'.repeat(43)}`
  const other = linkOf(requester, credential, Token, fixedTrust(requester.secure))
  onTestFinished(() => other.close())
  const session = sessionOf(await other.handshake(handshake('n-2')))
  const never = new AbortController().signal
  const wait = { nodeId: 'n-2', waitMs: 30_000 }
  const waits = [
    other.poll({ ...wait, session, afterSequence: 0, limit: 1 }, never),
    other.demands({ ...wait, afterNumber: 0 }, never),
  ].map((call) =>
    call.then(
      () => 'answered',
      (error: unknown) => String(error),
    ),
  )
  await other.heartbeat({ ...HEARTBEAT, nodeId: 'n-2', session })
  await requester.client.changeNode('n-2', { Action: 'reject' })
  for (const wait of waits) assert.match(await wait, /was lost/)
  await assert.rejects(other.heartbeat({ ...HEARTBEAT, nodeId: 'n-2', session }), { code: 'LINK_UNKNOWN' })
  job.grow('second')
  await eventually('nothing of the other node was cut', () => log.text().includes('second'))
  await requester.client.changeNode('n-1', { Action: 'reject' })
  // The node itself does not know yet, and would send it.
  job.grow('third')
  // The reader is not the one who was rejected: it hears that nothing more comes.
  assert.notEqual(await log.ended, 'whole')
  assert.ok(!log.text().includes('third'), log.text())
  await eventually('it is refused', async () => (await standing()).includes('"REFUSED"'))
})
