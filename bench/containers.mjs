import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { Asking } from './asking.mjs'
import { BenchServer, IMAGE } from './container-server.mjs'
import { median } from './rounds.mjs'
import { ServedNode } from './served-node.mjs'

const HELP = `Runs containers on a real node beside podman itself, and many at once.

  --callers LIST   how many at a time (default 1,4)
  --seconds N      how long each turn (default 10)
  --rounds N       turns of each (default 3)
  --containers N   how many sleep at once (default 100)
  --watch N        for how many seconds what they cost is looked at (default 20)
  --dir DIR        where all of it works (default: a temporary directory)

First no-op containers, from submit to Completed, and by podman run --rm, by turns: how many a second, how long the median one took, and the processor
time of each: that of the node and all below it, that of podman. Then containers that sleep: the memory of the node, its processor time, and how
long its API takes to answer. Needs root, podman, runc and busybox-static. Build first.
`
const TICKS_PER_SECOND = 100
const MIB = 1024 * 1024
/**
 * What a job asks for that says nothing. Less would be measured as time: the kernel holds the start of a container to
 * it too.
 */
const USUAL = { CPU: '0.5', Memory: '32mb', Disk: '1mb' }
/** Asks for little, so that many run at a time. */
const LITTLE = { ...USUAL, CPU: '0.01' }
const ENDED = new Set(['Completed', 'Failed', 'Stopped'])
const CALLERS = 8

const { values } = parseArgs({
  options: {
    callers: { type: 'string', default: '1,4' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    containers: { type: 'string', default: '100' },
    watch: { type: 'string', default: '20' },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  const directory = mkdtempSync(join(values.dir, 'saltcod-containers-'))
  const server = await BenchServer.start(directory)
  try {
    const node = await ServedNode.start(directory, [], `Engines: { Docker: { Socket: ${server.socket} } }\n`)
    try {
      await rates(node, server)
      await crowd(node, server)
    } finally {
      await node.end('SIGKILL')
    }
  } finally {
    await server.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function rates(node, server) {
  const ways = {
    saltcod: () => oneJob(node, ['true']),
    'podman run': () => server.runBeside(['run', '--rm', '--network', 'none', IMAGE, 'true']),
  }
  const table = new Table({
    head: ['callers', 'by', 'containers/s', 'median ms', 'CPU ms: node', 'server', 'podman run'],
    style: { head: [], border: [] },
  })
  for (const callers of values.callers.split(',').map(Number)) {
    const results = Object.fromEntries(Object.keys(ways).map((way) => [way, []]))
    for (let round = 0; round < Number(values.rounds); round += 1)
      for (const [way, run] of Object.entries(ways)) results[way].push(await turn(node, server, callers, run))
    for (const [way, all] of Object.entries(results)) {
      const middle = (name) => median(all.map((result) => result[name])).toFixed(1)
      table.push([callers, way, ...['perSecond', 'medianMs', 'nodeMs', 'serverMs', 'ownMs'].map(middle)])
    }
  }
  process.stdout.write(`${table.toString()}\n`)
}

async function turn(node, server, callers, run) {
  const before = processorMs(node, server)
  const beganMs = performance.now()
  const times = []
  const caller = async () => {
    while (performance.now() - beganMs < Number(values.seconds) * 1_000) {
      const startMs = performance.now()
      await run()
      times.push(performance.now() - startMs)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const after = processorMs(node, server)
  const perRun = (name) => (after[name] - before[name]) / times.length
  return {
    perSecond: (times.length * 1_000) / (performance.now() - beganMs),
    medianMs: median(times),
    ...Object.fromEntries(['nodeMs', 'serverMs', 'ownMs'].map((name) => [name, perRun(name)])),
  }
}

async function crowd(node, server) {
  const count = Number(values.containers)
  const table = new Table({
    head: ['', 'node MiB', 'keeper MiB', 'cores: node', 'server', 'GET ms: median', 'p99', 'most'],
    style: { head: [], border: [] },
  })
  const row = async (name, work) => {
    const asking = await Asking.begin(node.url, ['/api/v1/agent/alive', '/api/v1/orchestrator/jobs?limit=10'])
    const before = processorMs(node, server)
    const beganMs = performance.now()
    await work()
    const cores = (part) => (processorMs(node, server)[part] - before[part]) / (performance.now() - beganMs)
    const used = ['nodeMs', 'serverMs'].map((part) => cores(part).toFixed(2))
    const { p50, p99, most } = await asking.end()
    const [own = 0, ...below] = memoryOf(node.pid)
    const memory = [own, below.reduce((sum, bytes) => sum + bytes, 0)].map((bytes) =>
      (bytes / MIB).toFixed(1),
    )
    table.push([name, ...memory, ...used, ...[p50, p99, most].map((ms) => ms.toFixed(1))])
  }
  const watch = () => delay(Number(values.watch) * 1_000)
  await row('idle', watch)
  const jobs = []
  await row(`${count} begin`, async () => {
    const caller = async () => {
      while (jobs.length < count) {
        const at = jobs.push(undefined) - 1
        jobs[at] = await submit(node, ['sleep', '3600'], LITTLE)
        await untilState(node, jobs[at], (state) => state === 'Running')
      }
    }
    await Promise.all(Array.from({ length: CALLERS }, caller))
  })
  await row(`${count} sleep`, watch)
  await row('still', watch)
  await row(`${count} are stopped`, async () => {
    await Promise.all(jobs.map((id) => node.call('DELETE', `/api/v1/orchestrator/jobs/${id}`, {})))
    for (const id of jobs) await untilState(node, id, (state) => ENDED.has(state))
    while (String(server.run(['ps', '--all', '--quiet'])).trim() !== '') await delay(200)
  })
  process.stdout.write(`${table.toString()}\n`)
}

async function oneJob(node, command) {
  await untilState(node, await submit(node, command, USUAL), (state) => state === 'Completed')
}

async function submit(node, command, Resources) {
  const task = {
    Name: 'main',
    Engine: { Type: 'docker', Params: { Image: IMAGE, Entrypoint: command } },
    Network: { Type: 'None' },
    Resources,
  }
  const Name = `j-${Math.random().toString(36).slice(2)}`
  const Job = { Name, Type: 'batch', Count: 1, Tasks: [task] }
  const { JobID } = await node.call('PUT', '/api/v1/orchestrator/jobs', { Job })
  return JobID
}

async function untilState(node, id, isWanted) {
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 1.3, 200)) {
    const { Job } = await node.call('GET', `/api/v1/orchestrator/jobs/${id}`)
    const { StateType } = Job.State
    if (isWanted(StateType)) return StateType
    if (ENDED.has(StateType)) throw new Error(`a job ended as ${StateType}: ${Job.State.Message}`)
    await delay(waitMs)
  }
}

/** The processor time of the node and all below it, of the server and its children, and of ours that have ended. */
function processorMs(node, server) {
  return {
    nodeMs: below(node.pid).reduce((sum, pid) => sum + ticksOf(pid, [0, 1]), 0),
    serverMs: ticksOf(server.pid, [0, 1, 2, 3]),
    ownMs: ticksOf(process.pid, [2, 3]),
  }
}

/** User and system time, and those of children that have ended, in milliseconds. */
function ticksOf(pid, which) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return which.reduce((sum, at) => sum + (Number(fields[11 + at]) * 1_000) / TICKS_PER_SECOND, 0)
  } catch {
    return 0
  }
}

/** A process and all below it. */
function below(pid) {
  const parents = new Map()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const [, parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      parents.set(Number(parent), [...(parents.get(Number(parent)) ?? []), Number(name)])
    } catch {
      // It has ended.
    }
  }
  const all = [pid]
  for (const one of all) all.push(...(parents.get(one) ?? []))
  return all
}

/** What a process and each of those below it has for itself, in bytes. */
function memoryOf(pid) {
  return below(pid).map((one) => {
    try {
      const text = readFileSync(`/proc/${one}/smaps_rollup`, 'utf8')
      return Number(/^Pss: +(\d+)/m.exec(text)?.[1] ?? 0) * 1024
    } catch {
      return 0
    }
  })
}
