import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, onTestFinished, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import type { CompactionReport, CompactionStatus } from '../../src/compaction/compaction-report.ts'
import { storePaths } from '../chaos/stores-of.ts'
import { COMMANDS, jobUntil, PROGRAM, type Served, serveNode, temporaryDirectory } from './binary.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

const JOBS = 25
const PADDING = 'x'.repeat(100_000)

async function paddedJobs(url: string): Promise<void> {
  const job = {
    Type: 'batch',
    Count: 1,
    Meta: { PADDING },
    Tasks: [{ Name: 'main', Engine: { Type: 'noop' } }],
  }
  const ids = await Promise.all(
    Array.from({ length: JOBS }, async () => {
      const response = await fetch(`${url}/api/v1/orchestrator/jobs`, {
        method: 'PUT',
        body: JSON.stringify({ Job: job }),
      })
      return ((await response.json()) as { JobID: string }).JobID
    }),
  )
  for (const id of ids) await jobUntil(url, id, 'Completed')
}

async function logged(node: Served, text: string): Promise<void> {
  const endMs = Date.now() + 50_000
  while (!node.log().includes(text)) {
    assert.ok(Date.now() < endMs, `the log says ${text}: ${node.log().slice(-2_000)}`)
    await delay(20)
  }
}

function numberOf(metrics: string, name: string): number {
  const value = metrics.split('\n').find((line) => line.startsWith(`${name} `))
  assert.ok(value !== undefined, `${name} is among the metrics`)
  return Number(value.slice(name.length + 1))
}

test('what removed jobs took goes back to the disk: by hand, and by rule at the start', async () => {
  const directory = temporaryDirectory()
  const config = join(directory, 'saltcod.yaml')
  writeFileSync(config, 'Compaction: { Rewrite: { AtStart: false } }\n')
  const node = await serveNode(directory)
  const { env, url } = node
  await paddedJobs(url)
  const removed = await session.run(['gc', '--max-count', '0'], { env })
  assert.match(removed.stdout, new RegExp(`^Removed ${JOBS} jobs`))
  const { jobs } = storePaths(directory)
  const bytes = statSync(jobs).size
  const ran = await session.run(['compact', '--output', 'json'], { env })
  assert.equal(ran.code, 0, ran.stderr)
  const report = JSON.parse(ran.stdout) as CompactionReport
  assert.equal(report.stores[0]?.bytesBefore, bytes)
  assert.ok(report.bytesAfter < report.bytesBefore, ran.stdout)
  assert.equal(report.stores[0]?.bytesAfter, statSync(jobs).size)
  assert.deepEqual(
    [report.pauseMs, report.durationMs].map(
      (ms) => ms >= 0 && ms < 600_000 && /^\d+(?:\.\d)?$/.test(String(ms)),
    ),
    [true, true],
  )
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.equal(numberOf(metrics, 'saltcod_rewrites_total{store="jobs"}'), 1)
  assert.equal(numberOf(metrics, 'saltcod_retention_removed_jobs_total'), JOBS)
  assert.equal(numberOf(metrics, 'saltcod_retention_overdue_seconds'), 0)
  assert.equal(numberOf(metrics, 'saltcod_store_file_bytes{store="jobs"}'), report.stores[0]?.bytesAfter)
  assert.equal(numberOf(metrics, 'saltcod_store_quarantined_records{store="executions"}'), 0)
  assert.ok(numberOf(metrics, 'saltcod_store_dead_share{store="jobs"}') < 0.5)
  await logged(node, 'a store was rewritten')

  await paddedJobs(url)
  await session.run(['gc', '--max-count', '0'], { env })
  node.signal('SIGTERM')
  await node.exited
  writeFileSync(config, 'Compaction: { Rewrite: { DeadShare: 0.1, MinSize: 100kB } }\n')
  const again = await serveNode(directory)
  await logged(again, 'a store was rewritten')
  const status = (await (await fetch(`${again.url}/api/v1/saltcod/compact`)).json()) as CompactionStatus
  assert.deepEqual([status.run, status.error], [1, null])
  await jobUntil(again.url, await oneJob(again.url), 'Completed')
}, 120_000)

async function oneJob(url: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/orchestrator/jobs`, {
    method: 'PUT',
    body: JSON.stringify({ Job: { Type: 'batch', Tasks: [{ Name: 'main', Engine: { Type: 'noop' } }] } }),
  })
  return ((await response.json()) as { JobID: string }).JobID
}

test('a node in memory has nothing to rewrite', async () => {
  const memory = ['--compute-execution-store-type', 'memory', '--requester-job-store-type', 'memory']
  const { env } = await serveNode(temporaryDirectory(), memory)
  const ran = await session.run(['compact'], { env })
  assert.deepEqual(
    [ran.code, ran.stdout],
    [0, 'jobs: left alone (in memory).\nexecutions: left alone (in memory).\n'],
  )
  const stopped = await session.run(['compact', '--stop'], { env })
  assert.equal(stopped.stdout, 'None was going on.\n')
}, 60_000)

// A rewrite of a test's size is over before a signal could reach the command, so what answers here is no node.
test('Ctrl-C ends the waiting, and says that the node goes on', async () => {
  const status: CompactionStatus = { run: 1, running: true, progress: null, report: null, error: null }
  const asked = { times: 0 }
  const server = createServer((_request, response) => {
    asked.times += 1
    response.setHeader('content-type', 'application/json').end(JSON.stringify(status))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const child = spawn(process.execPath, [PROGRAM, 'compact', '--port', String(port)], {
    env: { PATH: process.env['PATH'] ?? '', BACALHAU_DIR: temporaryDirectory() },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = once(child, 'close')
  const endMs = Date.now() + 30_000
  while (asked.times < 2) {
    assert.ok(Date.now() < endMs, 'the command asks how far it is')
    await delay(10)
  }
  child.kill('SIGINT')
  const [code] = (await ended) as [number | null]
  assert.equal(code, 130)
  assert.match(
    stderr,
    /^Error: no longer waiting: the node goes on with the compaction\nHint: .*compact --stop/,
  )
}, 60_000)
