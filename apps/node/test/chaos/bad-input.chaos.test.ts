import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { WireError } from '@saltcod/bacalhau-records'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { sharedDirectory, temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { COMMANDS, type Ran } from '../cli/binary.ts'
import { AttackedNode } from './attacked-node.ts'
import { noopJob } from './chaos-jobs.ts'

const HUGE_BYTES = 50_000_000

/** Serves a node for one test. */
async function serve(): Promise<AttackedNode> {
  const node = new AttackedNode(join(temporaryDirectory(), 'repo'))
  await node.start()
  return node
}

/** Proves that a node still takes and completes work, and has not been started anew. */
async function goesOn(node: AttackedNode): Promise<void> {
  await node.until(await node.submit(noopJob('batch', '', 0)), 'Completed')
  expect(node.log).not.toMatch(/"level":(50|60)/)
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
}

async function send(
  node: AttackedNode,
  method: string,
  path: string,
  body?: string,
): Promise<[number, WireError]> {
  const response = await fetch(`${await node.url()}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  })
  return [response.status, (await response.json()) as WireError]
}

/**
 * Announces a body and waits for the answer before sending any of it: the node refuses by the length alone and
 * closes, so a client that goes on writing may lose the answer.
 */
async function announce(
  node: AttackedNode,
  method: string,
  path: string,
  bytes: number,
): Promise<[number, WireError]> {
  const headers = { 'content-type': 'application/json', 'content-length': bytes }
  const sending = request(`${await node.url()}${path}`, { method, headers })
  sending.flushHeaders()
  const [response] = (await once(sending, 'response')) as [IncomingMessage]
  const answer = JSON.parse(await text(response)) as WireError
  sending.on('error', () => undefined)
  sending.destroy()
  return [response.statusCode ?? 0, answer]
}

const JOBS = '/api/v1/orchestrator/jobs'
const labels = (count: number, length: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`label-${at}`.padEnd(length, 'x'), 'v']))
const noop = { Name: 'main', Engine: { Type: 'noop', Params: {} } }
const put = (job: object): string => JSON.stringify({ Job: { Type: 'batch', Tasks: [noop], ...job } })

const REQUESTS: readonly (readonly [
  name: string,
  status: number,
  says: RegExp,
  path: string,
  body?: string,
])[] = [
  ['a body that is no JSON', 400, /JSON/i, JOBS, '{"Job": '],
  ['an empty body', 400, /./, JOBS, ''],
  ['a job that is a list', 400, /Job/, JOBS, '{"Job":[]}'],
  ['no job at all', 400, /Job/i, JOBS, '{}'],
  ['a job without a task', 400, /missing job tasks/, JOBS, put({ Tasks: [] })],
  ['a type that is none', 400, /invalid job type.*"dream"/, JOBS, put({ Type: 'dream' })],
  ['a count that is a word', 400, /Count/, JOBS, put({ Count: 'many' })],
  ['a count below zero', 400, /count/, JOBS, put({ Count: -1 })],
  ['a name over its limit', 400, /name.*longer than 256 bytes/, JOBS, put({ Name: 'n'.repeat(257) })],
  [
    'a namespace over its limit',
    400,
    /namespace.*longer than 256 bytes/,
    JOBS,
    put({ Namespace: 'n'.repeat(257) }),
  ],
  ['a name with a control character', 400, /name.*control/, JOBS, put({ Name: 'a\nb' })],
  ['too many labels', 400, /65 labels.*at most 64/, JOBS, put({ Labels: labels(65, 10) })],
  ['a label over its limit', 400, /label.*longer than 256 bytes/, JOBS, put({ Labels: labels(1, 257) })],
  [
    'a label value over its limit',
    400,
    /label.*longer than 256/,
    JOBS,
    put({ Labels: { a: 'v'.repeat(257) } }),
  ],
  ['a specification of 2 MB', 413, /./, JOBS, put({ Meta: { a: 'x'.repeat(2_000_000) } })],
]

const READS: readonly (readonly [name: string, status: number, path: string])[] = [
  ['an id with ../', 404, `${JOBS}/${encodeURIComponent('../../etc/passwd')}`],
  ['an id with a NUL', 404, `${JOBS}/%00`],
  ['an id of 10,000 characters', 404, `${JOBS}/${'j'.repeat(10_000)}`],
  ['an id that is no UTF-8', 400, `${JOBS}/%ff%fe`],
  ['a limit that is none', 400, `${JOBS}?limit=-1`],
  ['a token that is none', 400, `${JOBS}?next_token=zzz`],
  ['a path that is none', 404, '/api/v1/orchestrator/jobs/x/y/z'],
]

test('bad requests are answered with an error object, and the node goes on', async () => {
  const node = await serve()
  for (const [name, status, says, path, body] of REQUESTS) {
    const [answered, error] = await send(node, 'PUT', path, body)
    expect([answered, error.Status], `${name}: ${JSON.stringify(error)}`).toEqual([status, status])
    expect(error.Message, name).toMatch(says)
    expect(error.Message, name).not.toMatch(/\n {4}at /)
    expect(error.Message.length, name).toBeLessThan(1_000)
    expect(error.RequestID, name).not.toBe('')
  }
  // Whoever says no version of a client gets a job of its own each time.
  const named = put({ Name: 'named' })
  const twice = [await send(node, 'PUT', JOBS, named), await send(node, 'PUT', JOBS, named)]
  expect(twice.map(([answered]) => answered)).toEqual([200, 200])
  const [refused, tooLarge] = await announce(node, 'PUT', JOBS, HUGE_BYTES)
  expect([refused, tooLarge.Status]).toEqual([413, 413])
  expect(tooLarge.Message).toMatch(/larger than/)
  for (const [name, status, path] of READS) {
    const [answered, error] = await send(node, 'GET', path)
    expect([answered, error.Status], `${name}: ${JSON.stringify(error)}`).toEqual([status, status])
    expect(error.Message, name).not.toBe('')
    expect(error.Message.length, name).toBeLessThan(1_000)
  }
  await goesOn(node)
})

const directory = sharedDirectory()
let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

test('bad input to the commands is one clear error each, and the node goes on', async () => {
  const node = await serve()
  const env = { BACALHAU_DIR: node.repository, BACALHAU_API_PORT: new URL(await node.url()).port }
  const run = (name: string, content: string | object): Promise<Ran> => {
    const file = join(directory, name)
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    return session.run(['job', 'run', file], { env })
  }
  const wasm = {
    Type: 'wasm',
    Params: { EntryModule: '/m.wasm' },
  }
  const from = (Type: string, Params: object): object => ({
    Type: 'batch',
    Tasks: [{ Name: 'main', Engine: wasm, InputSources: [{ Source: { Type, Params }, Target: '/m.wasm' }] }],
  })
  const missing = join(directory, 'missing.wasm')
  const cases: readonly (readonly [string, string | object, RegExp])[] = [
    ['malformed.yaml', 'type: [batch', /malformed\.yaml.*neither YAML nor JSON/],
    ['empty.yaml', '', /empty/],
    ['binary.yaml', Buffer.alloc(1_000, 0xfe).toString('latin1'), /binary\.yaml/],
    ['bomb.yaml', bomb(), /bomb\.yaml/],
    ['huge.yaml', `name: ${'x'.repeat(HUGE_BYTES)}`, /huge\.yaml.*larger than/],
    ['labels.json', { Type: 'batch', Labels: labels(65, 10), Tasks: [noop] }, /65 labels/],
    ['name.json', { Type: 'batch', Name: 'n'.repeat(300), Tasks: [noop] }, /name.*longer than 256 bytes/],
    ['engine.json', { Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'quantum' } }] }, /quantum/],
    ['two.json', { Type: 'batch', Tasks: [noop, noop] }, /a job has one task, not 2/],
    ['type.json', { Type: 'weird', Tasks: [noop] }, /invalid job type: "weird"/],
    ['missing.json', from('local', { SourcePath: missing }), /missing\.wasm|does not lie under/],
    ['address.json', from('urlDownload', { URL: 'http://127.0.0.1:1/m.wasm' }), /127\.0\.0\.1/],
    ['source.json', from('carrier-pigeon', {}), /carrier-pigeon/],
    ['garbage.json', from('inline', { URL: 'data:,nonsense' }), /WebAssembly|module/i],
  ]
  for (const [name, content, says] of cases) {
    const ran = await run(name, content)
    expect(ran.code, `${name}: ${ran.stdout}${ran.stderr}`).toBe(1)
    expect(ran.stderr, name).toMatch(says)
    expect(ran.stderr, name).toMatch(/^Error: [^\n]+\n(?: {2}• [^\n]+\n)*(?:Hint: [^\n]+\n)?$/)
    expect(ran.stderr.length, name).toBeLessThan(2_000)
  }
  for (const verb of ['describe', 'history', 'executions', 'logs', 'stop']) {
    const ran = await session.run(['job', verb, '../../etc/passwd'], { env })
    expect([ran.code, ran.stdout], verb).toEqual([1, ''])
    expect(ran.stderr, verb).toMatch(/^Error: [^\n]*not found[^\n]*\n(Hint: [^\n]+\n)?$/)
  }
  await goesOn(node)
})

/** A small text that YAML aliases blow up to gigabytes. */
function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 12; level++) {
    const aliases = Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')
    lines.push(`a${level}: &a${level} [${aliases}]`)
  }
  return lines.join('\n')
}
