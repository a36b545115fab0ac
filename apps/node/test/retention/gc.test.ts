import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireError, WireJob, WirePage } from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import type { GcReport } from '../../src/retention/gc-report.ts'
import { noopJob, startTestNode, type TestNode } from '../node-fixture.ts'

async function gc(node: TestNode, request: object): Promise<GcReport> {
  const { status, body } = await node.request<GcReport>('POST', '/api/v1/saltcod/gc', request)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

async function jobIds(node: TestNode): Promise<string[]> {
  const { body } = await node.request<WirePage<WireJob>>('GET', '/api/v1/orchestrator/jobs?limit=100')
  return body.Items.map(({ ID }) => ID).sort()
}

/** Names of all that the executions of a node left on disk. */
function filesOf(node: TestNode): string[] {
  return readdirSync(node.directory, { recursive: true, encoding: 'utf8' })
}

async function threeJobs(node: TestNode): Promise<[string, string, string]> {
  const ids = await Promise.all([
    node.submit(noopJob({ Name: 'one' })),
    node.submit(noopJob({ Name: 'two' })),
    node.submit(noopJob({ Name: 'three', Namespace: 'science' })),
  ])
  for (const id of ids) await node.until(id, 'Completed')
  return ids
}

test('ended jobs go when they are asked to, held ones and running ones stay', async () => {
  const node = await startTestNode()
  const [one, two, three] = await threeJobs(node)
  const running = await node.submit(noopJob({ Name: 'long' }, { DurationMs: 600_000 }))
  await node.until(running, 'Running')
  const hold = await node.request('POST', `/api/v1/saltcod/jobs/${one}/hold`, { Reason: 'audit' })
  assert.deepEqual([hold.status, hold.body], [200, { JobID: one, Hold: 'audit', HeldBefore: null }])

  const nothing = await gc(node, {})
  assert.equal(nothing.removedJobs, 0)
  const plan = await gc(node, { dryRun: true, maxAgeMs: 0 })
  assert.deepEqual([plan.removedJobs, plan.heldJobs, plan.dryRun], [2, 1, true])
  assert.ok(plan.removedBytes > 500)
  assert.deepEqual(await jobIds(node), [one, two, three, running].sort())

  const there = await gc(node, { maxAgeMs: 0, namespace: 'science' })
  assert.equal(there.removedJobs, 1)
  assert.deepEqual(await jobIds(node), [one, two, running].sort())
  const rest = await gc(node, { maxCount: 0 })
  assert.deepEqual([rest.removedJobs, rest.heldJobs, rest.overdueSeconds, rest.complete], [1, 1, 0, true])
  const release = await node.request('POST', `/api/v1/saltcod/jobs/one/release`)
  assert.deepEqual([release.status, release.body], [200, { JobID: one, Hold: null, HeldBefore: 'audit' }])
  assert.equal((await gc(node, { maxCount: 0 })).removedJobs, 1)
  assert.deepEqual(await jobIds(node), [running])
  const gone = await node.request<WireError>('GET', `/api/v1/orchestrator/jobs/${two}`)
  assert.equal(gone.status, 404)
})

test('what the executions of a removed job left on disk goes with it', async () => {
  const node = await startTestNode(['--allow-exec'])
  const job = {
    Type: 'batch',
    Count: 1,
    Name: 'words',
    Tasks: [
      {
        Name: 'main',
        Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', 'echo words'] } },
        Publisher: { Type: 'local' },
      },
    ],
  }
  const id = await node.submit(job)
  const { Executions } = await node.until(id, 'Completed', 'Failed')
  const execution = Executions?.Items[0]?.ID ?? 'none'
  assert.ok(
    filesOf(node).some((name) => name.includes(execution)),
    'the execution left something',
  )
  const endMs = Date.now() + 30_000
  let removed = 0
  // The requester's acknowledgement may be a moment behind the end of the job.
  for (;;) {
    removed += (await gc(node, { maxCount: 0 })).removedExecutions
    if (removed > 0) break
    assert.ok(Date.now() < endMs, 'the execution goes')
    await delay(50)
  }
  assert.equal(removed, 1)
  assert.deepEqual(
    filesOf(node).filter((name) => name.includes(execution)),
    [],
  )
})

test('nonsense is refused and removes nothing', async () => {
  const node = await startTestNode()
  const [one] = await threeJobs(node)
  for (const body of [{ maxAgeMs: -1 }, { maxCount: 'all' }, { dryrun: true }, '[]', { maxCount: 1.5 }]) {
    const { status } = await node.request<WireError>('POST', '/api/v1/saltcod/gc', body)
    assert.equal(status, 400, JSON.stringify(body))
  }
  for (const [path, body] of [
    [`${one}/hold`, {}],
    [`${one}/hold`, { Reason: ' ' }],
  ] as const) {
    assert.equal((await node.request('POST', `/api/v1/saltcod/jobs/${path}`, body)).status, 400)
  }
  assert.equal((await node.request('POST', '/api/v1/saltcod/jobs/none/hold', { Reason: 'x' })).status, 404)
  assert.equal((await jobIds(node)).length, 3)
})
