import assert from 'node:assert/strict'
import type {
  WireError,
  WireGetJobAnswer,
  WireHistory,
  WireNodeInfo,
  WirePage,
  WirePutJobAnswer,
} from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { noopJob, startTestNode } from '../../node-fixture.ts'

const JOBS = '/api/v1/orchestrator/jobs'
const by = (version: string): Record<string, string> => ({ 'x-bacalhau-git-version': version })

test('a name belongs to one job for clients that know so, and each submit of the others is a new job', async () => {
  const node = await startTestNode()
  const put = (job: object, version: string) =>
    node.request<WirePutJobAnswer & WireError>('PUT', JOBS, { Job: job }, by(version))
  const first = await put(noopJob({ Name: 'same' }), 'v1.9.3')
  await node.until(first.body.JobID, 'Completed')
  const unchanged = await put(noopJob({ Name: 'same' }), 'v1.8.0')
  assert.deepEqual([unchanged.status, unchanged.body.Code], [409, 'JobUnchanged'])
  assert.match(unchanged.body.Message, /^no changes detected for new job spec\. Job Name: 'same'/)
  const ids = [first.body.JobID]
  for (const version of ['', 'v1.4.0', 'v1.7.4']) {
    const { status, body } = await put(noopJob({ Name: 'same' }), version)
    assert.equal(status, 200)
    assert.ok(!ids.includes(body.JobID))
    ids.push(body.JobID)
    const own = `same-${body.JobID.slice(2)}`
    assert.match(String(body.Warnings), new RegExp(`the name same belongs .* named ${own}`))
    assert.equal((await node.until(body.JobID, 'Completed')).Job.Name, own)
  }
  const other = await put(noopJob({ Name: 'other' }), '')
  assert.equal(other.body.Warnings, null)
  const revised = await put(noopJob({ Name: 'same', Priority: 3 }), 'v1.9.3')
  assert.equal(revised.body.JobID, first.body.JobID)
})

test('a state that says nothing is none', async () => {
  const node = await startTestNode()
  for (const State of [
    { StateType: 'Undefined' },
    { StateType: 0 },
    { StateType: 'undefined', Message: '' },
    {},
    null,
  ]) {
    const { body } = await node.request<WirePutJobAnswer>('PUT', JOBS, { Job: noopJob({ State }) })
    assert.equal(body.Warnings, null)
  }
  const { body } = await node.request<WirePutJobAnswer>('PUT', JOBS, {
    Job: noopJob({ State: { StateType: 'Running' } }),
  })
  assert.deepEqual(body.Warnings, ['job state is ignored when submitting a job'])
})

test('what a submit would change is told, and nothing is stored', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob({ Name: 'kept', Labels: { a: 'b' } }))
  await node.until(id, 'Completed')
  const diff = async (job: object) =>
    (await node.request<{ Diff: string } & WireError>('PUT', `${JOBS}/diff`, { Job: job })).body
  assert.equal((await diff(noopJob({ Name: 'kept', Labels: { a: 'b' } }))).Diff, '')
  const changed = await diff(noopJob({ Name: 'kept', Labels: { c: 'd' }, Priority: 2 }, { DurationMs: 5 }))
  assert.deepEqual(changed.Diff.trimEnd().split('\n').sort(), [
    '+ Labels.c: "d"',
    '+ Priority: 2',
    '+ Tasks[0].Engine.Params.DurationMs: 5',
    '- Labels.a: "b"',
    '- Priority: 0',
  ])
  const none = await diff(noopJob({ Name: 'none' }))
  assert.deepEqual([none.Status, none.Message], [404, 'job name index not found: none:default'])
  assert.equal((await diff(noopJob())).Status, 400)
  assert.equal((await diff({ Name: 'kept', Type: 'cron' })).Status, 400)
  assert.equal((await node.request<WireGetJobAnswer>('GET', `${JOBS}/${id}`)).body.Job.Version, 1)
})

test('a node has the labels that jobs of all releases ask for, and its own are stronger', async () => {
  const node = await startTestNode()
  const { body } = await node.request<WireNodeInfo>('GET', '/api/v1/agent/node')
  const { os_type: type, os_arch: arch, name, ...older } = body.Labels
  assert.deepEqual([type, name], ['linux', 'n-test'])
  assert.deepEqual([older['Operating-System'], older['Architecture']], [type, arch])
  const Constraints = [{ Key: 'os_type', Operator: '=', Values: ['linux'] }]
  await node.until(await node.submit(noopJob({ Constraints })), 'Completed')
})

test('executions hold their job where the client knows it, and only as much as an answer can bear', async () => {
  const node = await startTestNode()
  const small = await node.submit(noopJob({ Name: 'small' }))
  await node.until(small, 'Completed')
  const executions = async (id: string, version: string) =>
    (await node.request<WireGetJobAnswer>('GET', `${JOBS}/${id}?include=executions`, undefined, by(version)))
      .body
  const { Job, Executions } = await executions(small, 'v1.9.3')
  assert.deepEqual(Executions?.Items[0]?.Job, Job)
  assert.equal(Job.Meta['bacalhau.org/requester.id'], 'n-test')
  assert.equal((await executions(small, 'v1.4.0')).Executions?.Items[0]?.Job, undefined)
  const Meta = { text: 'x'.repeat(900_000) }
  const large = await node.submit(noopJob({ Count: 8, Meta }))
  const held = (await node.until(large, 'Completed')).Executions?.Items.filter(
    ({ Job: own }) => own !== undefined,
  )
  assert.equal(held?.length, 4)
})

test('errors have the shape that the client knows', async () => {
  const node = await startTestNode()
  const get = async (version: string) =>
    await node.request<Record<string, unknown>>('GET', `${JOBS}/none`, undefined, by(version))
  assert.equal((await get('v1.5.0')).body['Message'], 'job not found: none')
  const { status, body } = await get('v1.4.0')
  assert.equal(status, 404)
  assert.deepEqual(Object.keys(body), ['error', 'message'])
  assert.match(String(body['error']), /^code=404, message=job not found: none/)
})

test('probes of old and new clients are answered', async () => {
  const node = await startTestNode()
  const text = async (path: string): Promise<string> => (await fetch(`${node.url}${path}`)).text()
  for (const prefix of ['', '/api/v1']) {
    assert.equal(await text(`${prefix}/livez`), 'OK')
    assert.equal(await text(`${prefix}/id`), 'n-test')
    const { FreeSpace } = JSON.parse(await text(`${prefix}/healthz`)) as {
      FreeSpace: { tmp: { Free: number } }
    }
    assert.ok(FreeSpace.tmp.Free > 0)
  }
  for (const path of ['/', '/version']) assert.match(await text(path), /"GitVersion"/)
  const { body } = await node.request<{ Nodes: object }>('GET', '/api/v1/agent/debug')
  assert.deepEqual(Object.keys(body.Nodes), ['n-test'])
  const id = await node.submit(noopJob())
  const { Executions } = await node.until(id, 'Completed')
  const history = (execution: string) =>
    node.request<WirePage<WireHistory>>('GET', `${JOBS}/${id}/history?execution_id=${execution}`)
  assert.equal((await history('e-none')).status, 404)
  const own = await history(Executions?.Items[0]?.ID.slice(0, 10) ?? '')
  assert.ok(own.status === 200 && own.body.Items.length > 0)
})

test('clients that know of versions follow the newest one, and others all', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob({ Name: 'twice' }))
  await node.until(id, 'Completed')
  await node.request('PUT', `${JOBS}/${id}/rerun`, {})
  const endsOf = async (version: string, query: string) => {
    const path = `${JOBS}/${id}/history?event_type=job${query}`
    const { body } = await node.request<WirePage<WireHistory>>('GET', path, undefined, by(version))
    return body.Items.map(({ JobVersion }) => JobVersion)
  }
  await node.until(id, 'Completed')
  assert.deepEqual([...new Set(await endsOf('v1.9.3', ''))], [2])
  assert.deepEqual([...new Set(await endsOf('v1.9.3', '&job_version=1'))], [1])
  for (const [version, query] of [
    ['v1.9.3', '&all_job_versions=true'],
    ['v1.4.0', ''],
  ] as const) {
    assert.deepEqual([...new Set(await endsOf(version, query))], [1, 2])
  }
})
