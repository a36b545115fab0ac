import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { median } from './rounds.mjs'
import { ServedNode } from './served-node.mjs'

const HELP = `Runs jobs on a real node, from submit to Completed: no-op WebAssembly, the program true, and jobs that run nothing, by turns; the
WebAssembly also on a real Bacalhau node, where one is there.

  --connections LIST   how many callers at a time (default 1,8,64)
  --seconds N          how long each turn (default 5)
  --rounds N           turns of each (default 3)
  --dir DIR            where the nodes work (default: a temporary directory)
  --peer PROGRAM       what starts Bacalhau: PROGRAM 1.9.3 serve ... (default: shared/tools/official beside the project)

Prints jobs a second, the time from submission to the moment that the node says the job ended and that of the answer to the submission (of the median
job, and of the hundredth that took longest), the processor time that the node and all below it took for each job, and the rate beside that of jobs
that run nothing. Each caller submits a job, waits for as long as those before it took, asks for it until it has ended, and submits the next. Then how
long a GET takes beside as many callers as there were at most, and how long the event loop of the node is held up. With a peer all is done in a network namespace, since Bacalhau calls others. Build first.
`
/**
 * A module whose entrypoint does nothing: `(module (memory (export "memory") 1) (func (export "_start")))`, with the
 * section of names that Bacalhau wants.
 */
const NOTHING = Buffer.from(
  '0061736d01000000010401600000030201000503010001071302066d656d6f7279020006' +
    '5f737461727400000a040102000b000b046e616d65010401000161',
  'hex',
)
const ENGINES = {
  noop: { Engine: { Type: 'noop', Params: {} } },
  wasm: {
    Engine: { Type: 'wasm', Params: { EntryModule: '/m.wasm', Entrypoint: '_start' } },
    InputSources: [
      {
        Source: {
          Type: 'inline',
          Params: { URL: `data:application/wasm;base64,${NOTHING.toString('base64')}` },
        },
        Target: '/m.wasm',
      },
    ],
  },
  exec: { Engine: { Type: 'exec', Params: { Command: 'true' } } },
}
/** What runs where: the first word names the node. */
const TURNS = [
  ['saltcod', 'noop'],
  ['saltcod', 'wasm'],
  ['saltcod', 'exec'],
]
const PEER_TURN = ['bacalhau', 'wasm']
/** Asks for little, so that many run at a time. */
const RESOURCES = { CPU: '0.01', Memory: '1mb' }
const TICKS_PER_SECOND = 100
const FIRST_GUESS_MS = 20
const GET_EVERY_MS = 20

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1,8,64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    dir: { type: 'string', default: tmpdir() },
    peer: {
      type: 'string',
      default: fileURLToPath(new URL('../../shared/tools/official', import.meta.url)),
    },
    // Says that this process is in a network namespace already.
    inside: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else if (values.inside || !existsSync(values.peer)) await main()
else process.exitCode = inNamespace()

/** Does all of it in a network namespace of its own, and returns the exit code; without one there is no peer. */
function inNamespace() {
  const user = process.getuid() === 0 ? [] : ['--user', '--map-root-user']
  const own = [process.execPath, ...process.argv.slice(1), '--inside']
  const shell = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
  return spawnSync('unshare', [...user, '--net', ...shell, ...own], { stdio: 'inherit' }).status ?? 1
}

async function main() {
  const directory = mkdtempSync(join(values.dir, 'saltcod-runs-'))
  const nodes = { saltcod: await ServedNode.start(directory, ['--allow-exec']) }
  try {
    const turns = [...TURNS]
    if (values.inside) {
      nodes.bacalhau = await ServedNode.startBacalhau(directory, values.peer)
      turns.push(PEER_TURN)
    } else process.stdout.write(`Bacalhau is not measured: ${values.peer} is not there\n`)
    for (const [where, type] of turns) await turn(nodes[where], type, 1, 1_000)
    const table = new Table({
      head: [
        'connections',
        'node',
        'engine',
        'jobs/s',
        'median ms',
        'p99',
        'submit ms',
        'p99',
        'CPU ms/job',
        'beside noop',
      ],
      style: { head: [], border: [] },
    })
    for (const connections of values.connections.split(',').map(Number)) {
      const results = turns.map(() => [])
      for (let round = 0; round < Number(values.rounds); round += 1) {
        for (const [index, [where, type]] of turns.entries())
          results[index].push(await turn(nodes[where], type, connections, Number(values.seconds) * 1_000))
      }
      const rates = results.map((all) => median(all.map((result) => result.perSecond)))
      for (const [index, [where, type]] of turns.entries()) {
        table.push([
          connections,
          where,
          type,
          rates[index].toFixed(1),
          ...['medianMs', 'worstMs', 'submitMs', 'worstSubmitMs'].map((name) =>
            median(results[index].map((result) => result[name])).toFixed(1),
          ),
          median(results[index].map((result) => result.cpuMs)).toFixed(1),
          (rates[index] / rates[0]).toFixed(2),
        ])
      }
    }
    process.stdout.write(`${table.toString()}\n`)
    await beside(nodes.saltcod, Math.max(...values.connections.split(',').map(Number)))
  } finally {
    for (const node of Object.values(nodes)) await node.end('SIGTERM')
    rmSync(directory, { recursive: true, force: true })
  }
}

/** So many callers for a time; what has begun by then is waited for and counted. */
async function turn(node, type, connections, milliseconds) {
  const cpuBefore = processorMs(node.pid)
  const beganMs = performance.now()
  const jobs = []
  const usual = { ms: FIRST_GUESS_MS }
  const caller = async () => {
    while (performance.now() - beganMs < milliseconds) {
      jobs.push(await oneJob(node, type, usual))
    }
  }
  await Promise.all(Array.from({ length: connections }, caller))
  const seconds = (performance.now() - beganMs) / 1_000
  const [times, submits] = [jobs.map(({ ms }) => ms), jobs.map(({ submitMs }) => submitMs)]
  return {
    perSecond: jobs.length / seconds,
    medianMs: median(times),
    worstMs: worstOf(times),
    submitMs: median(submits),
    worstSubmitMs: worstOf(submits),
    cpuMs: (processorMs(node.pid) - cpuBefore) / jobs.length,
  }
}

/** Asks for something small beside so many callers, and prints how long that takes. */
async function beside(node, connections) {
  const times = []
  await node.loopDelay()
  const work = turn(node, 'noop', connections, Number(values.seconds) * 1_000)
  const isOver = work.then(() => true)
  while (!(await Promise.race([isOver, delay(GET_EVERY_MS)]))) {
    const beganMs = performance.now()
    await node.call('GET', '/api/v1/agent/alive')
    times.push(performance.now() - beganMs)
  }
  const loop = await node.loopDelay()
  process.stdout.write(
    `a GET beside ${connections} connections: median ${median(times).toFixed(1)} ms, p99 ${worstOf(times).toFixed(1)} ms; ` +
      `the event loop is held up for ${loop.p50.toFixed(1)} ms, p99 ${loop.p99.toFixed(1)}, at most ${loop.most.toFixed(1)}\n`,
  )
}

/** The 99th percentile. */
function worstOf(times) {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0
}

/**
 * Resolves with how long a job took, as the clock of the machine says, and the answer to its submission. What is asked
 * while it is not over costs the node as much as a part of a job, so it is first asked for when it should be.
 */
async function oneJob(node, type, usual) {
  const Tasks = [{ Name: 'main', Resources: RESOURCES, ...ENGINES[type] }]
  const job = { Name: `j-${Math.random().toString(36).slice(2)}`, Type: 'batch', Count: 1, Tasks }
  const startMs = performance.timeOrigin + performance.now()
  const { JobID } = await node.call('PUT', '/api/v1/orchestrator/jobs', { Job: job })
  const submitMs = performance.timeOrigin + performance.now() - startMs
  await delay(Math.max(0, usual.ms * 1.1 - submitMs))
  for (;;) {
    const { Job } = await node.call('GET', `/api/v1/orchestrator/jobs/${JobID}`)
    const state = Job.State.StateType
    if (state === 'Completed') {
      const ms = Job.ModifyTime / 1e6 - startMs
      usual.ms += (ms - usual.ms) / 20
      return { ms, submitMs }
    }
    if (state === 'Failed' || state === 'Stopped') throw new Error(`a job of ${type} ended as ${state}`)
    await delay(Math.max(2, usual.ms / 6))
  }
}

/** The processor time of a process with all that it waited for, and the same of all below it. */
function processorMs(pid) {
  let ticks = 0
  const queue = [pid]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    try {
      const text = readFileSync(`/proc/${next}/stat`, 'latin1')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      for (const field of [11, 12, 13, 14]) ticks += Number(fields[field])
      queue.push(
        ...readFileSync(`/proc/${next}/task/${next}/children`, 'latin1')
          .split(' ')
          .filter(Boolean)
          .map(Number),
      )
    } catch {
      // Ended meanwhile; whoever started it counts it.
    }
  }
  return (ticks * 1_000) / TICKS_PER_SECOND
}
