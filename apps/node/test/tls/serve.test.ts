import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { COMMANDS, keptNode, type Served, serveNode } from '../cli/binary.ts'
import { ask, shake } from './ask.ts'

const ALIVE = '/api/v1/agent/alive'
const JOB = JSON.stringify({
  Name: 'hello',
  Type: 'batch',
  Tasks: [
    {
      Name: 'main',
      Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', 'echo hello; echo kept > out/x'] } },
      ResultPaths: [{ Name: 'out', Path: '/out' }],
      Publisher: { Type: 'local' },
    },
  ],
})

let session: ProgramSession
let node: Served
let authority: string
beforeAll(async () => {
  session = new ProgramSession(COMMANDS)
  node = await keptNode(['--tls', 'auto', '--allow-exec'])
  const printed = await session.run(['tls', 'authority'], { env: node.env })
  authority = printed.stdout
})
afterAll(async () => {
  await session.close()
  await node.end()
})

test('a node with an authority of its own is found and trusted by commands of its machine without a word', async () => {
  assert.match(node.url, /^https:/)
  assert.match(node.log(), /"listening at https:/)
  assert.doesNotMatch(node.log(), /http:/)
  const run = (...words: readonly string[]) => session.run(words, { env: node.env, input: JOB })
  const done = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...words)
    assert.equal(code, 0, `${words.join(' ')}: ${stderr}`)
    return stdout
  }
  await done('job', 'run', '--id-only', '-')
  assert.match(await done('job', 'list'), /hello/)
  assert.equal(await done('job', 'logs', 'hello'), 'hello\n')
  const place = join(temporaryDirectory(), 'got')
  await done('job', 'get', 'hello', '--output-dir', place)
  const described = JSON.parse(await done('job', 'describe', 'hello', '--output', 'json')) as {
    Job: { ID: string }
  }
  const { text: results } = await ask(`${node.url}/api/v1/orchestrator/jobs/${described.Job.ID}/results`, {
    ca: authority,
  })
  assert.match(results, new RegExp(`"URL":"${node.url}/api/v1/saltcod/results/`))
})

test('the days that certificates have left are in the metrics and the description of a node', async () => {
  const metrics = await ask(`${node.url}/metrics`, { ca: authority })
  assert.match(metrics.text, /^saltcod_tls_certificate_left_seconds\{certificate="server"\} 77\d{5}/m)
  assert.match(metrics.text, /^saltcod_tls_certificate_left_seconds\{certificate="authority"\} 315\d{6}/m)
  const described = await session.run(['node', 'describe'], { env: node.env })
  assert.match(
    described.stdout,
    /^Certificate {1}89 days left \(until 20\d\d-\d\d-\d\d [\d:]+\), of the requester$/m,
  )
  assert.match(described.stdout, /^Authority {3}365\d days left/m)
})

test('clients with its authority reach it by each name of the machine, others and other ways do not', async () => {
  const { port } = new URL(node.url)
  for (const name of ['127.0.0.1', 'localhost'])
    assert.equal((await ask(`https://${name}:${port}${ALIVE}`, { ca: authority })).status, 200, name)
  // It is told by whichever address it listens on.
  const named = { host: '127.0.0.1', ca: authority, servername: hostname() }
  assert.equal((await ask(`https://${hostname()}:${port}${ALIVE}`, named)).status, 200)
  await expect(ask(`${node.url}${ALIVE}`, {})).rejects.toMatchObject({ code: 'SELF_SIGNED_CERT_IN_CHAIN' })
  await expect(
    shake(node.url, { ca: authority, rejectUnauthorized: true, servername: 'example.org' }),
  ).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  // Nothing is answered to what is not encrypted.
  const plain = connect(Number(port), '127.0.0.1')
  plain.on('error', () => undefined)
  plain.write(`GET ${ALIVE} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  assert.doesNotMatch(await text(plain).catch(() => ''), /HTTP|OK/)
  await expect(
    shake(node.url, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
  ).rejects.toThrow(/protocol version/)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await shake(node.url, { minVersion: version, maxVersion: version })
    assert.equal(socket.getProtocol(), version)
    socket.destroy()
  }
})

test('a command of another machine is told what to do until it knows the authority', async () => {
  const directory = temporaryDirectory({ 'ca.pem': authority, 'none.pem': 'nothing' })
  const env = {
    BACALHAU_DIR: join(directory, 'repo'),
    BACALHAU_API_HOST: '127.0.0.1',
    BACALHAU_API_PORT: new URL(node.url).port,
  }
  const list = (...flags: readonly string[]) => session.run(['node', 'list', ...flags], { env })
  const plain = await list()
  assert.equal(plain.code, 3)
  assert.match(plain.stderr, /^Error: cannot reach a node at http:\S+: it closed the connection\nHint: /)
  assert.match(plain.stderr, /--use-tls/)
  const strange = await list('--use-tls')
  assert.equal(strange.code, 3)
  assert.match(
    strange.stderr,
    /: its certificate is of an authority that is not trusted here\nHint: .*--cacert/,
  )
  assert.equal((await list('--cacert', join(directory, 'ca.pem'))).code, 0)
  const none = await list('--cacert', join(directory, 'none.pem'))
  assert.deepEqual([none.code, /it holds no certificate\nHint: /.test(none.stderr)], [2, true])
  const other = await session.run(['tls', 'authority'], { env })
  assert.deepEqual(
    [other.code, /has no authority of its own\nHint: .*--tls auto/.test(other.stderr)],
    [1, true],
  )
})

test('a node that is started again without TLS leaves nothing of it for commands', async () => {
  node.signal('SIGTERM')
  assert.equal((await node.exited).code, 0)
  const plain = await serveNode(node.directory, ['--node-type', 'requester'])
  assert.match(plain.url, /^http:/)
  assert.equal((await session.run(['job', 'list'], { env: plain.env })).code, 0)
  assert.doesNotMatch(await (await fetch(`${plain.url}/metrics`)).text(), /^saltcod_tls_\w+\{/m)
})
