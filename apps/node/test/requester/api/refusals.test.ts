import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect } from 'node:net'
import type { WireError, WireGetJobAnswer, WirePutJobAnswer } from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { noopJob, startTestNode } from '../../node-fixture.ts'

const JOBS = '/api/v1/orchestrator/jobs'

test('bad input is refused with an error object, and the node goes on', async () => {
  const node = await startTestNode()
  const put = (body: unknown) => node.request<WireError>('PUT', JOBS, body)
  const expect = async (body: unknown, status: number, message: RegExp): Promise<void> => {
    const answer = await put(body)
    assert.equal(answer.status, status, answer.body.Message)
    assert.match(answer.body.Message, message)
    assert.equal(answer.body.Status, status)
    assert.ok(answer.body.Code !== '' && answer.body.Component !== '' && answer.body.RequestID !== '')
  }
  await expect('{"Job": {', 400, /not JSON/)
  await expect(Buffer.from('{"Job": "caf\xe9"}', 'latin1'), 400, /^the body is not UTF-8$/)
  await expect('', 400, /empty\/nil job/)
  await expect([], 400, /empty\/nil job/)
  await expect({ Job: {} }, 400, /missing job type\nmissing job tasks/)
  await expect({ Job: { Type: 'cron', Tasks: [] } }, 400, /invalid job type: "cron"/)
  await expect({ Job: noopJob({ Count: -1 }) }, 400, /count must be >= 0/)
  await expect({ Job: noopJob({ Count: 'two' }) }, 400, /^Job\.Count must be a whole number$/)
  await expect({ Job: noopJob({ Priority: 1.5 }) }, 400, /^Job\.Priority must be a whole number$/)
  await expect({ Job: noopJob({ Type: 7 }) }, 400, /^Job\.Type must be a text$/)
  await expect({ Job: noopJob({ Tasks: {} }) }, 400, /^Job\.Tasks must be a list$/)
  const task = (fields: object): object => noopJob({ Tasks: [{ Engine: { Type: 'noop' }, ...fields }] })
  await expect({ Job: task({ Name: 'a', Resources: { CPU: true } }) }, 400, /CPU must be a text or a number$/)
  await expect(
    { Job: task({ Name: 'a', Network: { Type: 'x' } }) },
    400,
    /Network\.Type must be one of .*, not "x"/,
  )
  await expect({ Job: task({}) }, 400, /^task validation failed: missing task name$/)
  await expect({ Job: noopJob({ Type: 'ops', Count: 2 }) }, 400, /cannot specify count > 1/)
  await expect({ Job: noopJob({ Labels: { a: 1 } }) }, 400, /Labels/)
  await expect({ Job: noopJob({ Name: 'x'.repeat(5000) }) }, 400, /name/i)
  await expect({ Job: noopJob({ Labels: { ['k'.repeat(5000)]: 'v' } }) }, 400, /label/i)
  await expect({ Job: noopJob({ Tasks: [{ Name: 'a', Engine: { Type: ' ' } }] }) }, 400, /missing spec type/)
  await expect({ Job: noopJob({ Meta: { big: 'x'.repeat(1_100_000) } }) }, 413, /bytes/)
  const id = await node.submit(noopJob())
  await node.until(id, 'Completed')
})

test('fifty megabytes are answered with 413 before they are read', async () => {
  const node = await startTestNode()
  const { hostname, port } = new URL(node.url)
  const socket = connect(Number(port), hostname)
  const head = `PUT ${JOBS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 52428800\r\n\r\n{"Job"`
  const answer = await new Promise<string>((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.includes('PayloadTooLarge')) resolve(text)
    })
    socket.on('error', reject)
    socket.on('end', () => resolve(text))
    socket.write(head)
  })
  socket.destroy()
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.match(answer, /PayloadTooLarge/)
})

test('however much is wrong with a body, the answer is short', async () => {
  const node = await startTestNode()
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`key-${index}`, 1]))
  const bodies = [
    ['PUT', JOBS, { Job: noopJob({ Labels: many }) }],
    ['POST', '/api/v1/saltcod/gc', many],
  ] as const
  for (const [method, path, body] of bodies) {
    const refused = await node.request<WireError>(method, path, body)
    assert.equal(refused.status, 400, path)
    assert.ok(refused.body.Message.length < 5_000, `${path}: ${refused.body.Message.length}`)
  }
})

test('what is not there is a 404 with an error object', async () => {
  const node = await startTestNode()
  const paths = [
    '/nonsense',
    '/api/v1/orchestrator/nonsense',
    `${JOBS}/..%2F..%2Fetc%2Fpasswd`,
    `${JOBS}/%00`,
    `${JOBS}/${'j'.repeat(3000)}`,
    `${JOBS}/${'j'.repeat(10_000)}/executions`,
    `${JOBS}/j-00000000-0000-4000-8000-000000000000/executions`,
    '/api/v1/orchestrator/nodes/..%2Fx',
    '/api/v1/auth/password',
  ]
  for (const path of paths) {
    const { status, body } = await node.request<WireError>('GET', path)
    assert.deepEqual([status, body.Status, body.Code], [404, 404, 'NotFound'], path)
    assert.ok(body.Message.length < 100, body.Message)
  }
  const undecodable = await node.request<WireError>('GET', `${JOBS}/%E0%A4%A`)
  assert.deepEqual([undecodable.status, undecodable.body.Status], [400, 400])
  assert.equal(undecodable.body.Message, 'the address of the request cannot be decoded')
})

test('a method that a known address does not take is a 405 with those that it takes', async () => {
  const node = await startTestNode()
  const cases = [
    ['PATCH', JOBS, 'GET, POST, PUT'],
    ['POST', `${JOBS}/j-1?include=history`, 'DELETE, GET'],
    ['DELETE', `${JOBS}/j-1/history/`, 'GET'],
    ['GET', '/api/v1/saltcod/gc', 'POST'],
  ] as const
  for (const [method, path, allow] of cases) {
    const { status, body, headers } = await node.request<WireError>(method, path)
    assert.deepEqual([status, body.Status, body.Code], [405, 405, 'MethodNotAllowed'], path)
    assert.equal(headers.get('allow'), allow)
  }
})

test('bad parameters of a listing are a 400', async () => {
  const node = await startTestNode()
  for (const query of [
    'limit=-1',
    'limit=x',
    'reverse=perhaps',
    'next_token=%7B%7D',
    'labels=a%20b%20c',
    'order_by=size',
    'state=Asleep',
  ]) {
    const { status, body } = await node.request<WireError>('GET', `${JOBS}?${query}`)
    assert.deepEqual([status, body.Code], [400, 'BadRequest'], query)
  }
})

test('a web page of somebody else cannot command the node', async () => {
  const node = await startTestNode()
  const { status, body } = await node.request<WireError>(
    'PUT',
    JOBS,
    { Job: noopJob() },
    { Origin: 'http://evil.example' },
  )
  assert.deepEqual([status, body.Code], [403, 'Forbidden'])
})

test('a job with several tasks is refused, not cut to one', async () => {
  const node = await startTestNode()
  const tasks = ['one', 'two'].map((Name) => ({ Name, Engine: { Type: 'noop' } }))
  const { status, body } = await node.request<WireError>('PUT', JOBS, { Job: noopJob({ Tasks: tasks }) })
  assert.deepEqual([status, /a job has one task, not 2/.test(body.Message)], [400, true])
  const { body: list } = await node.request<{ Items: unknown[] }>('GET', JOBS)
  assert.deepEqual(list.Items, [])
})

test('what a client may not set is left out with a warning', async () => {
  const node = await startTestNode()
  const job = noopJob({
    ID: 'j-mine',
    State: { StateType: 'Completed' },
    Version: 9,
    CreateTime: 1,
    Meta: { 'bacalhau.org/requester.id': 'me', 'saltcod/hold': 'me', mine: 'yes' },
  })
  const { body } = await node.request<WirePutJobAnswer>('PUT', JOBS, { Job: job })
  assert.deepEqual(body.Warnings, [
    'job state is ignored when submitting a job',
    'job version is ignored when submitting a job',
    'job create time is ignored when submitting a job',
    'job ID is ignored when submitting a batch job',
    'job meta key "bacalhau.org/requester.id" is reserved and will be ignored',
    'job meta key "saltcod/hold" is reserved and will be ignored',
  ])
  const { body: kept } = await node.request<WireGetJobAnswer>('GET', `${JOBS}/${body.JobID}`)
  assert.deepEqual(kept.Job.Meta, {
    mine: 'yes',
    'bacalhau.org/orchestrator.id': 'n-test',
    'bacalhau.org/requester.id': 'n-test',
  })
  assert.notEqual(kept.Job.ID, 'j-mine')
})

test('keys that nothing reads are named in warnings, and those of free maps are not', async () => {
  const node = await startTestNode()
  const put = async (job: object): Promise<readonly string[] | null> => {
    const { status, body } = await node.request<WirePutJobAnswer>('PUT', JOBS, { Credential: null, Job: job })
    assert.equal(status, 200)
    return body.Warnings
  }
  const misspelt = {
    type: 'batch',
    cuont: 3,
    tasks: [
      {
        name: 'a',
        engine: { type: 'noop', parms: {}, params: { durationms: 1, DurationSecs: 1 } },
        InputSources: [
          { Source: { Type: 'inline', Params: { Url: 'data:,x', Path: '/' } }, Target: '/in', Traget: '/' },
        ],
        ResultPaths: [{ Name: 'out', Path: '/out', Paht: '/' }],
        Resources: { Cpus: '1' },
        Timeouts: { ExecutionTimeot: 5 },
      },
    ],
  }
  assert.deepEqual(
    await put(misspelt),
    [
      'cuont is ignored; did you mean Count?',
      'Tasks[0].Engine.parms is ignored; did you mean Params?',
      'Tasks[0].InputSources[0].Traget is ignored; did you mean Target?',
      'Tasks[0].ResultPaths[0].Paht is ignored; did you mean Path?',
      'Tasks[0].Resources.Cpus is ignored; did you mean CPU?',
      'Tasks[0].Timeouts.ExecutionTimeot is ignored; did you mean ExecutionTimeout?',
      'Tasks[0].Engine.Params.DurationSecs is ignored; did you mean DurationMs?',
      'Tasks[0].InputSources[0].Source.Params.Path is ignored',
    ].map((warning) => `unknown key ${warning}`),
  )
  const free = { anything: 'goes' }
  const Engine = { Type: 'docker', Params: { Image: 'a' } }
  const Publisher = { Type: 's3', Params: { Qubits: 3 } }
  const Tasks = [{ Name: 'a', Engine, Publisher, Meta: free, Env: { ANYTHING: 'goes' } }]
  assert.equal(await put({ Type: 'batch', Meta: free, Labels: free, Tasks }), null)
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`Key${index}`, 1]))
  const warnings = await put(noopJob(many))
  assert.deepEqual([warnings?.length, warnings?.at(-1)], [21, '80 more unknown keys are ignored'])
})

test('a web page of somebody else commands no node through a browser', async () => {
  const node = await startTestNode()
  const { port } = new URL(node.url)
  const statusFor = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const call = request(`${node.url}${JOBS}`, { headers }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      call.on('error', reject)
      call.end()
    })
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'node.localhost', 'node']) {
    assert.equal(await statusFor({ host }), 200, host)
    assert.equal(await statusFor({ host, origin: `http://${host}` }), 200, host)
    assert.equal(await statusFor({ host, origin: 'http://page.example' }), 403, host)
  }
  // A name that its owner has pointed at the loopback address: the page has the same origin then.
  assert.equal(await statusFor({ host: `page.example:${port}` }), 403)
  assert.equal(await statusFor({ host: 'page.example', origin: 'http://page.example' }), 403)
})
