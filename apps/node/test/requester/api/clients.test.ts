import assert from 'node:assert/strict'
import type {
  WireBuildVersion,
  WireExecution,
  WireJob,
  WireLogMessage,
  WireNodeInfo,
  WireNodeState,
  WirePage,
  WirePutJobAnswer,
  WireSpecConfig,
} from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { WebSocket } from 'ws'
import { noopJob, startTestNode } from '../../node-fixture.ts'

const JOBS = '/api/v1/orchestrator/jobs'

test('a client that knows no token gets one', async () => {
  const node = await startTestNode()
  const { body } = await node.request<{
    Methods: Record<string, { type: string; params: { InputPhrase: string } }>
  }>('GET', '/api/v1/auth')
  assert.deepEqual(Object.keys(body.Methods), ['clientkey'])
  assert.equal(body.Methods['clientkey']?.type, 'challenge')
  assert.notEqual(body.Methods['clientkey']?.params.InputPhrase, '')
  const { body: granted } = await node.request<{ Authentication: { success: boolean; token: string } }>(
    'POST',
    '/api/v1/auth/clientkey',
    { Name: 'clientkey', MethodData: 'e30=' },
  )
  assert.ok(granted.Authentication.success && granted.Authentication.token !== '')
  const stale = await node.request<WirePage<WireJob>>('GET', JOBS, undefined, {
    Authorization: 'Bearer of-yesterday',
  })
  assert.equal(stale.status, 200)
})

test('the agent tells what it is', async () => {
  const node = await startTestNode()
  assert.deepEqual((await node.request('GET', '/api/v1/agent/alive')).body, { Status: 'OK' })
  const version = await node.request<WireBuildVersion>('GET', '/api/v1/agent/version')
  assert.match(version.body.GitVersion, /^v\d+\.\d+\.\d+/)
  assert.equal(version.headers.get('x-bacalhau-git-version'), version.body.GitVersion)
  const agent = (await node.request<WireNodeInfo & WireNodeState>('GET', '/api/v1/agent/node')).body
  assert.deepEqual([agent.NodeID, agent.Info.NodeID, agent.Connection], ['n-test', 'n-test', 'CONNECTED'])
  const { body } = await node.request<{ Nodes: WireNodeState[] }>(
    'GET',
    '/api/v1/orchestrator/nodes?limit=0&order_by=',
  )
  assert.ok(body.Nodes[0]?.Info.ComputeNodeInfo?.ExecutionEngines.includes('noop'))
  const one = await node.request<{ Node: WireNodeState }>('GET', '/api/v1/orchestrator/nodes/n-te')
  assert.equal(one.body.Node.Info.NodeID, 'n-test')
})

test('jobs as Go and Python clients send them are understood', async () => {
  const node = await startTestNode()
  const go = {
    Namespace: '',
    Credential: null,
    IdempotencyToken: '',
    Job: {
      ID: '',
      Name: '',
      Namespace: 'default',
      Type: 'batch',
      Priority: 0,
      Count: 1,
      Constraints: null,
      Meta: null,
      Labels: null,
      Tasks: [
        {
          Name: 'main',
          Engine: { Type: 'noop', Params: { DurationMs: 1 } },
          Publisher: null,
          Env: null,
          Meta: null,
          InputSources: null,
          ResultPaths: null,
          Resources: { CPU: '', Memory: ' 100 MB ', Disk: '', GPU: '' },
          Network: { Type: 'none', Domains: null },
          Timeouts: { TotalTimeout: 1800 },
        },
      ],
      State: { StateType: 'Undefined', Message: '' },
      Version: 0,
      Revision: 0,
      CreateTime: 0,
      ModifyTime: 0,
    },
    Force: false,
  }
  const loose = { job: { TYPE: 'Batch', tasks: [{ name: 'm', ENGINE: { type: 'noop' }, publisher: {} }] } }
  for (const body of [go, loose]) {
    const { body: answer } = await node.request<WirePutJobAnswer>('PUT', JOBS, body)
    const { Job } = await node.until(answer.JobID, 'Completed')
    assert.equal(Job.Count, 1)
    assert.equal(Job.Name, Job.ID)
    assert.equal(Job.Tasks[0]?.Resources.CPU, '500m')
  }
  const listing = await node.request<WirePage<WireExecution>>(
    'GET',
    `${JOBS}?limit=5&next_token=&reverse=False&order_by=created_at`,
  )
  assert.equal(listing.body.Items.length, 2)
})

test('listings are paged both ways and filtered', async () => {
  const node = await startTestNode()
  const ids: string[] = []
  for (let number = 0; number < 23; number++) {
    const Labels = number % 2 === 0 ? { kind: 'even', bacalhau_canary: 'true' } : { kind: 'odd' }
    ids.push(await node.submit(noopJob({ Labels, Namespace: number < 20 ? 'main' : 'other' })))
  }
  const pages = async (query: string): Promise<string[]> => {
    const found: string[] = []
    let token = ''
    do {
      const path = token === '' ? `${JOBS}?${query}` : `${JOBS}?${query}&next_token=${token}`
      const { status, body } = await node.request<WirePage<WireJob>>('GET', path)
      assert.equal(status, 200)
      found.push(...body.Items.map((job) => job.ID))
      token = body.NextToken
    } while (token !== '')
    return found
  }
  assert.deepEqual(await pages('limit=10'), ids)
  assert.deepEqual(await pages('limit=10&reverse=true'), ids.toReversed())
  assert.deepEqual(await pages('limit=7&namespace=main'), ids.slice(0, 20))
  assert.deepEqual(await pages('limit=0&namespace=*'), ids)
  const odd = ids.filter((_, index) => index % 2 === 1)
  assert.deepEqual(await pages('limit=10&labels=bacalhau_canary%21%3Dtrue'), odd)
  assert.deepEqual(await pages('limit=4&labels=kind+in+(odd,none)'), odd)
  for (const id of ids) await node.until(id, 'Completed')
  assert.deepEqual((await pages('limit=5&order_by=modified_at')).toSorted(), ids.toSorted())
  assert.deepEqual(await pages('limit=5&state=Failed'), [])
})

test('logs come over a websocket that closes normally, also when there is an error', async () => {
  const node = await startTestNode(['--allow-exec'])
  const Params = { Command: 'sh', Arguments: ['-c', 'echo one; echo two >&2; printf three'] }
  const id = await node.submit({ Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'exec', Params } }] })
  await node.until(id, 'Completed')
  const read = async (path: string): Promise<{ code: number; messages: WireLogMessage[] }> => {
    const socket = new WebSocket(`${node.url.replace('http', 'ws')}${path}`)
    const messages: WireLogMessage[] = []
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as WireLogMessage))
    const code = await new Promise<number>((resolve, reject) => {
      socket.on('close', resolve)
      socket.on('error', reject)
    })
    return { code, messages }
  }
  const { code, messages } = await read(`${JOBS}/${id}/logs?follow=true`)
  assert.equal(code, 1000)
  const text = (type: number): string =>
    messages
      .filter(({ value }) => value?.Type === type)
      .map(({ value }) => value?.Line)
      .join('')
  assert.equal(text(1).trimEnd(), 'one\nthree')
  assert.equal(text(2), 'two\n')
  const missing = await read(`${JOBS}/j-00000000/logs`)
  assert.equal(missing.code, 1000)
  assert.match(missing.messages[0]?.error ?? '', /not found/)
})

test('what a job wrote stands in its execution', async () => {
  const node = await startTestNode(['--allow-exec'])
  const Params = { Command: 'sh', Arguments: ['-c', 'echo out; echo err >&2; exit 3'] }
  const id = await node.submit({ Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'exec', Params } }] })
  const { Executions } = await node.until(id, 'Completed')
  assert.deepEqual(Executions?.Items[0]?.RunOutput, {
    Stdout: 'out\n',
    StdoutTruncated: false,
    stderr: 'err\n',
    StderrTruncated: false,
    ExitCode: 3,
    ErrorMsg: '',
  })
  assert.equal(Executions.Items[0]?.AllocatedResources.Tasks['a']?.CPU, 0.5)
})

test('what a job left as results is listed', async () => {
  const node = await startTestNode(['--allow-exec'])
  const task = {
    Name: 'a',
    Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', 'echo kept > outputs/file'] } },
    Publisher: { Type: 'local' },
    ResultPaths: [{ Name: 'out', Path: '/outputs' }],
  }
  const id = await node.submit({ Type: 'batch', Tasks: [task] })
  const { Executions } = await node.until(id, 'Completed')
  const { body } = await node.request<WirePage<WireSpecConfig>>('GET', `${JOBS}/${id}/results`)
  assert.equal(body.Items.length, 1)
  const { URL: url, ...params } = { URL: '', ...body.Items[0]?.Params }
  assert.deepEqual({ Type: 'local', Params: params }, Executions?.Items[0]?.PublishedResult)
  assert.equal(body.Items[0]?.Type, 'urlDownload')
  assert.match(url, /\.tar\.gz\?/)
  const service = await node.submit(noopJob({ Type: 'service' }, { DurationMs: 600_000 }))
  assert.equal((await node.request('GET', `${JOBS}/${service}/results`)).status, 400)
})
