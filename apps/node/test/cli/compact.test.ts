import assert from 'node:assert/strict'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { CompactionReport, CompactionStatus } from '../../src/compaction/compaction-report.ts'
import { storePaths } from '../chaos/stores-of.ts'
import { COMMANDS, closedPort, jobUntil, type Served, serveNode } from './binary.ts'
import { RunningCommand } from './running-command.ts'

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

/** Says that a compaction goes on, the seventh since its start. */
async function compactingServer(): Promise<{
  readonly port: string
  asked(): number
  kill(): Promise<void>
}> {
  const status: CompactionStatus = { run: 7, running: true, progress: null, report: null, error: null }
  let times = 0
  const server = createServer((_request, response) => {
    times += 1
    response.setHeader('content-type', 'application/json').end(JSON.stringify(status))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const kill = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  onTestFinished(kill)
  return { port: String((server.address() as AddressInfo).port), asked: () => times, kill }
}

// A rewrite of a test's size is over before a signal could reach the command, so what answers here is no node.
test('Ctrl-C ends the waiting, and says that the node goes on', async () => {
  const compacting = await compactingServer()
  const command = new RunningCommand(['compact', '--port', compacting.port], {
    BACALHAU_DIR: temporaryDirectory(),
  })
  await eventually('the command asks how far it is', () => compacting.asked() >= 2)
  command.signal('SIGINT')
  assert.equal(await command.exited, 130)
  assert.match(
    command.stderr,
    /^Error: no longer waiting: the node goes on with the compaction\nHint: .*compact --stop/,
  )
}, 60_000)

test('a compaction whose node was lost is begun again when that is back', async () => {
  const directory = temporaryDirectory()
  const compacting = await compactingServer()
  const { port } = compacting
  const command = new RunningCommand(['compact', '--port', port, '--output', 'json'], {
    BACALHAU_DIR: directory,
  })
  await eventually('the command asks how far it is', () => compacting.asked() >= 2)
  await compacting.kill()
  await eventually('it waits', () =>
    command.stderr.includes('waiting for it up to 1m, the stores stay as they are'),
  )
  await serveNode(directory, ['--port', port])
  assert.equal(await command.exited, 0, command.stderr)
  assert.match(
    command.stderr,
    /The node is back\.\nNote: the node was started anew, and the compaction is begun again\n/,
  )
  assert.equal((JSON.parse(command.stdout) as CompactionReport).stores.length, 2)
}, 60_000)

test.each([
  ['compact', 'the compaction is begun again when it is back', /^jobs: .* before/],
  ['gc', 'the rest is removed when it is back', /^Removed 3 jobs/],
])(
  '%s goes on when its node is killed before it answers, and started again',
  async (verb, says, ends) => {
    const directory = temporaryDirectory()
    const port = await closedPort()
    const node = await serveNode(directory, ['--port', port])
    for (const id of await Promise.all([1, 2, 3].map(() => oneJob(node.url)))) {
      await jobUntil(node.url, id, 'Completed')
    }
    // Whoever sleeps answers nobody; the system takes what comes for it.
    node.signal('SIGSTOP')
    const more = verb === 'gc' ? ['--max-count', '0'] : []
    const command = new RunningCommand([verb, ...more], node.env)
    await eventually('the command has reached the node', () => command.isConnectedTo(port))
    node.signal('SIGKILL')
    await node.exited
    await eventually('it waits', () => command.stderr.includes(says))
    await serveNode(directory, ['--port', port])
    assert.equal(await command.exited, 0, command.stderr)
    assert.match(command.stdout, ends)
    assert.match(
      command.stderr,
      /^Warning: cannot reach a node at http:\S+: it closed the connection; waiting for it up to 1m/,
    )
    if (verb === 'gc')
      assert.match(command.stderr, /Note: what the node removed before it was lost is not counted\n$/)
  },
  60_000,
)

test.each(['compact', 'gc'])(
  '%s does not wait for a node that never was there, and not for long',
  async (verb) => {
    const port = await closedPort()
    const none = await session.run([verb, '--port', port], { env: { BACALHAU_DIR: temporaryDirectory() } })
    assert.deepEqual([none.code, none.stdout], [3, ''])
    assert.match(
      none.stderr,
      /^Error: cannot reach a node at http:\S+: nothing listens there\nHint: start one/,
    )
    const node = await serveNode(temporaryDirectory())
    node.signal('SIGSTOP')
    const command = new RunningCommand([verb, '--wait-for-node', '200ms'], node.env)
    await eventually('the command has reached the node', () => command.isConnectedTo(new URL(node.url).port))
    node.signal('SIGKILL')
    assert.equal(await command.exited, 3)
    assert.match(
      command.stderr,
      /waiting for it up to 200ms[^\n]*\nError: [^\n]*\nHint: [^\n]*run it again when the node is started\n$/,
    )
  },
  60_000,
)

test('Ctrl-C ends gc at once, whatever its node does', async () => {
  const node = await serveNode(temporaryDirectory())
  node.signal('SIGSTOP')
  const command = new RunningCommand(['gc', '--max-count', '0'], node.env)
  await eventually('the command has reached the node', () => command.isConnectedTo(new URL(node.url).port))
  command.signal('SIGINT')
  assert.equal(await command.exited, 130)
  assert.match(
    command.stderr,
    /^Error: no longer waiting: the node ends what it has begun to remove\nHint: saltcod gc/,
  )
}, 60_000)
