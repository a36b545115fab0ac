import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { COUNTERS, GAUGES } from '../../src/metrics/definitions.ts'
import { noopJob, startTestNode, type TestNode } from '../node-fixture.ts'

async function read(node: TestNode, path = '/metrics'): Promise<Map<string, number>> {
  const response = await fetch(`${node.url}${path}`)
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const values = new Map<string, number>()
  for (const line of (await response.text()).split('\n')) {
    if (line === '' || line.startsWith('# ')) continue
    const match = /^([a-z_]+(?:\{(?:[a-z_]+="[^"]*",?)*\})?) (\S+)$/.exec(line)
    assert.ok(match?.[1] !== undefined, `a line as Prometheus reads it: ${line}`)
    values.set(match[1], Number(match[2]))
  }
  return values
}

test('the numbers of a node follow what happens, and what is gone counts no more', async () => {
  const directory = temporaryDirectory({
    'config.yaml': 'Node: { Requester: { Archive: { Directory: archive } } }\n',
  })
  const config = join(directory, 'config.yaml')
  const node = await startTestNode(['--config', config])
  const job = noopJob({ Name: 'one', Namespace: 'science' })
  await node.until(await node.submit(job), 'Completed')
  const running = await node.submit(noopJob({ Name: 'two' }, { DurationMs: 600_000 }))
  await node.until(running, 'Running')
  const during = await read(node, '/api/v1/metrics?pretty')
  assert.equal(during.get('saltcod_jobs{namespace="science",state="Completed"}'), 1)
  assert.equal(during.get('saltcod_jobs{namespace="default",state="Running"}'), 1)
  assert.equal(during.get('saltcod_executions{store="executions",namespace="science",state="Completed"}'), 1)
  const known = [...during].filter(([name]) =>
    name.startsWith('saltcod_executions{store="jobs",namespace="default",'),
  )
  assert.deepEqual(
    known.map(([, value]) => value),
    [1],
  )
  assert.ok((during.get('saltcod_evaluations{namespace="science",status="complete"}') ?? 0) >= 1)
  assert.ok((during.get('saltcod_store_sequence{store="jobs"}') ?? 0) > 5)
  assert.ok((during.get('saltcod_feed_lag_seconds') ?? -1) >= 0)

  await node.request('POST', '/api/v1/saltcod/gc', { dryRun: true, maxCount: 0 })
  await node.request('POST', '/api/v1/saltcod/gc', { maxCount: 0 })
  const after = await read(node)
  assert.equal(after.get('saltcod_jobs{namespace="science",state="Completed"}'), undefined)
  assert.equal(after.get('saltcod_retention_runs_total'), 1)
  assert.equal(after.get('saltcod_retention_removed_jobs_total'), 1)
  assert.equal(after.get('saltcod_retention_archived_jobs_total'), 1)
  assert.ok((after.get('saltcod_retention_removed_bytes_total') ?? 0) > 300)
  assert.equal(after.get('saltcod_archive_jobs'), 1)
  assert.equal(after.get('saltcod_archive_segments'), 1)
  assert.equal(after.get('saltcod_retention_suspended'), 0)
  const names = new Set([...after.keys()].map((key) => key.replace(/\{.*/, '')))
  const missing = [...GAUGES, ...COUNTERS].map(([name]) => name).filter((name) => !names.has(name))
  assert.equal(after.get('saltcod_link_connected'), 1)
  // All was confirmed, nobody was refused, nothing went over a network, and nothing is encrypted. No native job is
  // allowed here, a store in memory is never rewritten, and nothing here is old enough to be folded.
  assert.deepEqual(
    missing.filter(
      (name) => !/^saltcod_(rewrite|folded|exec_isolation|link_bytes|link_report_lag|refused|tls)/.test(name),
    ),
    [],
  )
})
