import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type {
  WireError,
  WireGetJobAnswer,
  WireHistory,
  WireJob,
  WirePage,
  WirePutJobAnswer,
} from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { noopJob, startTestNode } from '../../node-fixture.ts'

const JOBS = '/api/v1/orchestrator/jobs'

test('a client follows the history of a job to its end and sees every entry once', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob({}, { DurationMs: 300 }))
  const seen: WireHistory[] = []
  let token = ''
  for (let polls = 0; ; polls++) {
    assert.ok(polls < 500, 'the history comes to an end')
    const { body } = await node.request<WirePage<WireHistory>>(
      'GET',
      `${JOBS}/${id}/history?event_type=all&limit=3${token === '' ? '' : `&next_token=${token}`}`,
    )
    seen.push(...body.Items)
    token = body.NextToken
    if (token === '') break
    if (body.Items.length === 0) await delay(20)
  }
  const numbers = seen.map((entry) => entry.SeqNum)
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  )
  assert.equal(seen[0]?.Event.Message, 'Job submitted')
  const last = seen.at(-1)
  assert.deepEqual(
    [last?.Type, last?.JobState?.New, last?.Event.Details?.['NewState']],
    ['JobLevel', 'Completed', 'Completed'],
  )
  for (const entry of seen) {
    if (entry.Type === 'ExecutionLevel') assert.ok(Number(entry.ExecutionState?.New) > 0 && entry.ExecutionID)
    assert.match(entry.Time, /^\d{4}-\d\d-\d\dT.*Z$/)
  }
})

test('numbers, names and times are what clients of each version read', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob())
  await node.until(id, 'Completed')
  const get = async (version: string): Promise<WireGetJobAnswer> => {
    const path = `${JOBS}/${id}?include=executions,history`
    return (
      await node.request<WireGetJobAnswer>('GET', path, undefined, { 'X-Bacalhau-Git-Version': version })
    ).body
  }
  const old = await get('v1.4.0')
  const latest = await get('v1.9.3')
  assert.equal(old.Executions?.Items[0]?.ComputeState.StateType, 7)
  assert.equal(latest.Executions?.Items[0]?.ComputeState.StateType, 9)
  assert.equal(old.Job.Tasks[0]?.Network.Type, 'Full')
  assert.equal(latest.Job.Tasks[0]?.Network.Type, 'Default')
  assert.equal(latest.Executions?.Items[0]?.DesiredState.StateType, 2)
  assert.deepEqual(latest.Job.State, { StateType: 'Completed', Message: '' })
  assert.ok(Number.isInteger(latest.Job.CreateTime) && latest.Job.CreateTime > 1e18)
  assert.deepEqual(latest.Job.Tasks[0]?.Publisher.Type, '')
  assert.equal(latest.History?.NextToken, '')
  assert.equal(((await get('nonsense')) as unknown as WireError).Code, 'BadRequest')
  assert.equal(((await get('v1.3.9')) as unknown as WireError).Code, 'Forbidden')
})

test('a submit with the same idempotency key gives the same job, and another job is refused', async () => {
  const node = await startTestNode()
  const put = (job: object, key: string) =>
    node.request<WirePutJobAnswer & WireError>('PUT', JOBS, { Job: job, IdempotencyToken: key })
  const first = await put(noopJob(), 'k-1')
  const again = await put(noopJob(), 'k-1')
  const other = await put(noopJob({ Priority: 7 }), 'k-1')
  assert.equal(first.body.JobID, again.body.JobID)
  assert.deepEqual([other.status, other.body.Code], [409, 'ResourceInUse'])
  const byHeader = await node.request<WirePutJobAnswer>(
    'POST',
    JOBS,
    { Job: noopJob() },
    { 'Idempotency-Key': 'k-1' },
  )
  assert.equal(byHeader.body.JobID, first.body.JobID)
})

test('the same name is a new version of the job, and the same job again is refused without force', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob({ Name: 'mill' }))
  await node.until('mill', 'Completed')
  const same = await node.request<WireError>('PUT', JOBS, { Job: noopJob({ Name: 'mill' }) })
  assert.deepEqual(
    [same.status, same.body.Code, same.body.Message.startsWith('no changes detected')],
    [409, 'JobUnchanged', true],
  )
  assert.equal(await node.submit(noopJob({ Name: 'mill', Priority: 3 })), id)
  const { Job } = await node.until('mill', 'Completed')
  assert.deepEqual([Job.Version, Job.Priority], [2, 3])
  const versions = await node.request<WirePage<WireJob>>('GET', `${JOBS}/mill/versions`)
  assert.deepEqual(
    versions.body.Items.map((job) => [job.Version, job.Priority]),
    [
      [1, 0],
      [2, 3],
    ],
  )
})

test('a running job is stopped, once', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob({}, { DurationMs: 600_000 }))
  await node.until(id, 'Running')
  const stopped = await node.request<{ EvaluationID: string }>('DELETE', `${JOBS}/${id}?reason=None`, {})
  assert.match(stopped.body.EvaluationID, /^v-/)
  const { Job } = await node.until(id, 'Stopped')
  assert.equal(Job.State.Message, 'None')
  const again = await node.request<{ EvaluationID: string }>('DELETE', `${JOBS}/${id}`, { reason: 'x' })
  assert.deepEqual(again.body, { EvaluationID: '' })
  const states = async (): Promise<(number | undefined)[]> =>
    (await node.until(id, 'Stopped')).Executions?.Items.map(
      (execution) => execution.ComputeState.StateType,
    ) ?? []
  for (let polls = 0; (await states()).some((state) => Number(state) < 9); polls++) {
    assert.ok(polls < 500)
    await delay(20)
  }
})

test('a job that has completed cannot be stopped', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob())
  await node.until(id, 'Completed')
  const { status, body } = await node.request<WireError>('DELETE', `${JOBS}/${id}`, {})
  assert.deepEqual([status, body.Message], [409, 'cannot stop job in state Completed'])
})

test('a job of an engine that no node has fails and names the node and the engine', async () => {
  const node = await startTestNode()
  const id = await node.submit({
    Type: 'batch',
    Tasks: [{ Name: 'a', Engine: { Type: 'docker', Params: { Image: 'a' } } }],
  })
  const { Job } = await node.until(id, 'Failed')
  assert.match(Job.State.Message, /n-test: it has no engine docker/)
})

test('an ops job runs on the node, and a service runs until it is stopped', async () => {
  const node = await startTestNode()
  const ops = await node.submit(noopJob({ Type: 'ops', Count: 0 }))
  await node.until(ops, 'Completed')
  const service = await node.submit(noopJob({ Type: 'service' }, { DurationMs: 600_000 }))
  await node.until(service, 'Running')
  await node.request('DELETE', `${JOBS}/${service}`, {})
  await node.until(service, 'Stopped')
})

test('a job whose total timeout passes fails', async () => {
  const node = await startTestNode()
  const task = {
    Name: 'a',
    Engine: { Type: 'noop', Params: { DurationMs: 600_000 } },
    Timeouts: { TotalTimeout: 1 },
  }
  const id = await node.submit({ Type: 'batch', Tasks: [task] })
  const { Job } = await node.until(id, 'Failed')
  assert.match(Job.State.Message, /timed? ?out|time limit|deadline/i)
})

test('a job that has ended is run again as a new version', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob({}, { DurationMs: 1 }))
  await node.until(id, 'Completed')
  const { body } = await node.request<{ JobVersion: number; EvaluationID: string }>(
    'PUT',
    `${JOBS}/${id}/rerun`,
    {},
  )
  assert.equal(body.JobVersion, 2)
  assert.match(body.EvaluationID, /^v-/)
  const { Job, Executions } = await node.until(id, 'Completed')
  assert.equal(Job.Version, 2)
  assert.deepEqual(
    Executions?.Items.map((execution) => execution.JobVersion),
    [2],
  )
  const all = await node.request<WirePage<{ JobVersion: number }>>(
    'GET',
    `${JOBS}/${id}/executions?all_job_versions=true`,
  )
  assert.deepEqual(
    all.body.Items.map((execution) => execution.JobVersion),
    [1, 2],
  )
})
