import assert from 'node:assert/strict'
import {
  isReservedMeta,
  type WireError,
  type WireGetJobAnswer,
  type WireJob,
  type WirePage,
  type WirePutJobAnswer,
} from '@saltcod/bacalhau-records'
import { pino } from 'pino'
import { onTestFinished, test, vi } from 'vitest'
import { IS_LONG, testSeed } from '../../../../../test/seed.ts'
import { KnownPaths } from '../../../src/requester/api/known-paths.ts'
import { archiveFlags, noopJob, startTestNode } from '../../node-fixture.ts'

const JOBS = '/api/v1/orchestrator/jobs'
const INHERITED = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__']
const NUMBERS = ['-1', '0', '1', '999999999999', '9007199254740993', '1e3', 'NaN']
const TEXTS = ['\0', '\u001b[2J', '😀', "a'b", '%', '*', 'x'.repeat(3000), 'history,executions']
const token = (fields: object): string => Buffer.from(JSON.stringify(fields)).toString('base64url')
const TOKENS = [
  'null',
  token([]),
  ...INHERITED.map((orderBy) => token({ limit: 1, reverse: true, orderBy })),
  ...['created_at', 'modified_at', 'sequence', 'id'].flatMap((orderBy) =>
    [{ cursor: '__proto__' }, { cursor: '{}' }, { offset: Number.MAX_SAFE_INTEGER }, {}].map((place) =>
      token({ limit: Number.MAX_SAFE_INTEGER, reverse: false, orderBy, ...place }),
    ),
  ),
]
const VALUES = [...INHERITED, ...NUMBERS, ...TEXTS]
const AT_A_TIME = 16
/** Each address with each parameter and each value; in a short run, every eighth of them. */
const EVERY = IS_LONG ? 1 : 8
const SEED = testSeed()

/** Notes the routes that a node adds and the parameters that it asks requests for, so that a new one is tried too. */
function watchInterface(): { readonly routes: Set<string>; readonly parameters: Set<string> } {
  const routes = new Set<string>()
  const parameters = new Set<string>(['pretty'])
  const add = KnownPaths.prototype.add
  const get = URLSearchParams.prototype.get
  const getAll = URLSearchParams.prototype.getAll
  vi.spyOn(KnownPaths.prototype, 'add').mockImplementation(function (this: KnownPaths, path, methods) {
    if (methods.includes('GET')) routes.add(path)
    add.call(this, path, methods)
  })
  vi.spyOn(URLSearchParams.prototype, 'get').mockImplementation(function (this: URLSearchParams, name) {
    parameters.add(name)
    return get.call(this, name)
  })
  vi.spyOn(URLSearchParams.prototype, 'getAll').mockImplementation(function (this: URLSearchParams, name) {
    parameters.add(name)
    return getAll.call(this, name)
  })
  onTestFinished(() => {
    vi.restoreAllMocks()
  })
  return { routes, parameters }
}

test('no parameter of any address brings an internal error, whatever its value', async () => {
  const { routes, parameters } = watchInterface()
  const errors: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => void errors.push(line) })
  const node = await startTestNode(archiveFlags(), log)
  assert.ok([...routes].some((route) => route.includes('/archive')))
  const batch = await node.submit(noopJob())
  const service = await node.submit(noopJob({ Type: 'service', Name: 'served' }, { DurationMs: 60_000 }))
  await node.until(batch, 'Completed')
  await node.until(service, 'Running')
  const internal: string[] = []
  const ask = async (path: string): Promise<void> => {
    const answer = await fetch(`${node.url}${path}`)
    await answer.arrayBuffer()
    if (answer.status >= 500 && answer.status !== 503 && answer.status !== 507) {
      internal.push(`${answer.status} ${path.slice(0, 300)}`)
    }
  }
  const askAll = async (paths: readonly string[]): Promise<void> => {
    for (let at = 0; at < paths.length; at += AT_A_TIME) {
      await Promise.all(paths.slice(at, at + AT_A_TIME).map(ask))
    }
  }
  const addresses = [...routes].flatMap((route) => {
    if (!/:[a-z]+/.test(route)) return [route]
    return [batch, service].map((id) => route.replace(/:[a-z]+/, id))
  })
  const hostile = [...routes].flatMap((route) =>
    /:[a-z]+/.test(route)
      ? VALUES.map((value) => route.replace(/:[a-z]+/, () => encodeURIComponent(value)))
      : [],
  )
  await askAll(hostile)
  await askAll(addresses.flatMap((path) => [path, `${path}?include=history,executions`]))
  assert.ok(
    addresses.length > 15 && parameters.size > 12,
    `${addresses.length} and ${parameters.size} are few`,
  )
  const asked = addresses.flatMap((address) =>
    [...parameters].flatMap((name) =>
      [...VALUES, ...(name === 'next_token' ? TOKENS : [])].map(
        (value) => `${address}?include=history,executions&${name}=${encodeURIComponent(value)}`,
      ),
    ),
  )
  await askAll(asked.filter((_, index) => (index + SEED) % EVERY === 0))
  assert.deepEqual(internal, [], `seed ${SEED}`)
  assert.deepEqual(errors, [])
  const { status } = await node.request<WireError>('GET', '/api/v1/orchestrator/nodes?order_by=constructor')
  assert.equal(status, 400)
}, 240_000)

test('a type or a key of a job that every object inherits is one like any other', async () => {
  const node = await startTestNode()
  const map = JSON.parse('{"__proto__": "a", "constructor": "b", "plain": "c"}') as object
  for (const Type of INHERITED) {
    const Tasks = [
      {
        Name: 'main',
        Engine: { Type, Params: map },
        InputSources: [{ Source: { Type, Params: map }, Target: '/in' }],
      },
    ]
    const job = { Type: 'batch', Meta: map, Labels: map, Tasks }
    const { status, body } = await node.request<WirePutJobAnswer>('PUT', JOBS, { Job: job })
    assert.ok(status === 200 || status === 400, `${status} for ${Type}: ${JSON.stringify(body)}`)
  }
})

test('maps of a job keep every key, also __proto__', async () => {
  const node = await startTestNode()
  const map = JSON.parse('{"__proto__": "a", "constructor": "b", "plain": "c"}') as object
  const task = { Name: 'main', Engine: { Type: 'noop' }, Publisher: { Type: 's3', Params: map }, Meta: map }
  const id = await node.submit({ Type: 'batch', Labels: map, Meta: map, Tasks: [task] })
  const { body } = await node.request<WireGetJobAnswer>('GET', `${JOBS}/${id}`)
  const [kept] = body.Job.Tasks
  for (const got of [body.Job.Labels, body.Job.Meta, kept?.Meta, kept?.Publisher.Params]) {
    // An answer names the requester in the job's meta, too.
    const own = Object.entries(got ?? {}).filter(([name]) => !isReservedMeta(name))
    assert.deepEqual(own, Object.entries(map))
  }
  for (const selector of ['__proto__=a', 'constructor', '__proto__ in (x,a)']) {
    const found = await node.request<WirePage<WireJob>>(
      'GET',
      `${JOBS}?labels=${encodeURIComponent(selector)}`,
    )
    assert.deepEqual([found.body.Items.length, selector], [1, selector])
  }
})
