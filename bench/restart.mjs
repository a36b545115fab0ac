import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { newId } from '@saltcod/store-core'
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import Table from 'cli-table3'
import { Asking } from './asking.mjs'
import { repeat } from './callers.mjs'
import { ServedNode } from './served-node.mjs'

const HELP = `Starts a real node with jobs that were in progress when an earlier one was killed, and with finished ones.

  --in-progress N   jobs with an execution that waits for its turn on the node (default 100000)
  --finished N      jobs that have ended (default 1000000)
  --seconds N       how long it is watched once its work is back (default 30)
  --starts N        how often it is killed and started (default 3)
  --dir DIR         where the stores are made (default: a temporary directory)

Prints after how long it answered, after how long its compute side had the work back, how long answers took from the
first one on, how many jobs had ended then, and the most memory it had. Exit code 1 where the first answer took more than 5 s. Build first.
`
const NODE_ID = 'n-start'
const CALLERS = 256
const PAGE = '/api/v1/orchestrator/jobs?limit=10'
const ASK_EVERY_MS = 10
const MOST_FIRST_MS = 5_000
const RESOURCES = { cpu: 0.1, memoryBytes: 1e6, diskBytes: 0, gpu: 0 }
const TASK = {
  Name: 'main',
  Engine: { Type: 'noop', Params: {} },
  Publisher: { Type: '', Params: {} },
  Env: {},
  Meta: {},
  InputSources: [],
  ResultPaths: [],
  Resources: { CPU: '0.1', Memory: '1mb', Disk: '', GPU: '' },
  Network: { Type: 'None', Domains: [], Ports: [] },
  Timeouts: { ExecutionTimeout: 0, QueueTimeout: 0, TotalTimeout: 0 },
}
const SPEC = { Constraints: [], Meta: { padding: 'x'.repeat(1_000) }, Tasks: [TASK] }

const { values } = parseArgs({
  options: {
    'in-progress': { type: 'string', default: '100000' },
    finished: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '30' },
    starts: { type: 'string', default: '3' },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  mkdirSync(values.dir, { recursive: true })
  const directory = mkdtempSync(join(values.dir, 'saltcod-restart-'))
  try {
    await fill(directory)
    const starts = []
    for (let at = 0; at < Number(values.starts); at += 1) starts.push(await start(directory))
    tell(starts)
    if (starts.some(({ firstMs }) => firstMs > MOST_FIRST_MS)) process.exitCode = 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function fill(directory) {
  const place = (side, file) => join(directory, `${NODE_ID}-${side}`, file)
  const jobs = await openLmdbJobStore({ path: place('requester', 'jobs.db'), nodeId: NODE_ID })
  const executions = await openLmdbExecutionStore({
    path: place('compute', 'executions.db'),
    nodeId: NODE_ID,
  })
  const submit = () => jobs.submitJob({ namespace: 'default', type: 'batch', spec: SPEC, evaluation: null })
  await repeat(Number(values.finished), CALLERS, async () => {
    const { job } = await submit()
    await jobs.transitionJob({ jobId: job.id, to: 'Completed' })
  })
  await repeat(Number(values['in-progress']), CALLERS, async () => {
    const { job } = await submit()
    const id = newId('e')
    const resources = RESOURCES
    await jobs.createExecution({ id, jobId: job.id, nodeId: NODE_ID, state: 'BidAccepted', resources })
    await jobs.transitionJob({ jobId: job.id, to: 'Running' })
    const { version, namespace, name, type, priority } = job
    const known = { id: job.id, version, namespace, name, type, priority, spec: SPEC }
    await executions.createExecution({
      id,
      requesterId: NODE_ID,
      state: 'BidAccepted',
      resources,
      job: known,
    })
  })
  await Promise.all([jobs.close(), executions.close()])
}

async function start(directory) {
  const port = await freePort()
  const beganMs = performance.now()
  const starting = ServedNode.start(directory, ['--node-id', NODE_ID, '--port', String(port)])
  const firstMs = await firstAnswer(`http://127.0.0.1:${port}${PAGE}`, beganMs)
  const asking = await Asking.begin(`http://127.0.0.1:${port}`, [PAGE])
  const node = await starting
  try {
    const broughtBackMs = performance.now() - beganMs
    await delay(Number(values.seconds) * 1_000)
    const answers = await asking.end()
    const ended = await endedJobs(node)
    const most = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${node.pid}/status`, 'utf8'))?.[1])
    return { firstMs, broughtBackMs, answers, ended, mostMiB: most / 1024 }
  } finally {
    await node.end('SIGKILL')
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function firstAnswer(url, beganMs) {
  for (;;) {
    const answer = await fetch(url).catch(() => null)
    if (answer?.status === 200) return performance.now() - beganMs
    await delay(ASK_EVERY_MS)
  }
}

async function endedJobs(node) {
  const metrics = await (await fetch(new URL('/metrics', node.url))).text()
  const completed = /^saltcod_jobs\{namespace="default",state="Completed"\} (\d+)$/m.exec(metrics)?.[1]
  return Number(completed ?? 0) - Number(values.finished)
}

function tell(starts) {
  const table = new Table({
    style: { head: [], border: [] },
    head: ['start', 'first answer, ms', 'brought back', 'answers, p50', 'p99', 'most', 'ended so far', 'MiB'],
  })
  for (const [at, { firstMs, broughtBackMs, answers, ended, mostMiB }] of starts.entries()) {
    const { p50, p99, most } = answers
    const times = [firstMs, broughtBackMs, p50, p99, most].map((ms) => ms.toFixed(0))
    table.push([at + 1, ...times, ended, mostMiB.toFixed(0)])
  }
  console.log(table.toString())
}
