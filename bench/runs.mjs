import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { median } from './rounds.mjs'
import { ServedNode } from './served-node.mjs'

const HELP = `Runs jobs on a real node, from submit to Completed: no-op WebAssembly, the program true, and jobs that run nothing, by turns.

  --connections LIST   how many callers at a time (default 1,8,64)
  --seconds N          how long each turn (default 5)
  --rounds N           turns of each (default 3)
  --dir DIR            where the node works (default: a temporary directory)

Prints jobs a second, the time of the median job, the processor time that the node and all below it took for each job, and the rate beside that of
jobs that run nothing. Each caller submits a job, follows its history until it has ended, and submits the next. Build first.
`
/** A module whose entrypoint does nothing: `(module (memory (export "memory") 1) (func (export "_start")))`. */
const NOTHING = Buffer.from(
  '0061736d01000000010401600000030201000503010001071302066d656d6f7279020006' + '5f737461727400000a040102000b',
  'hex',
)
const ENGINES = {
  noop: { Engine: { Type: 'noop', Params: {} } },
  wasm: {
    Engine: { Type: 'wasm', Params: { EntryModule: '/m.wasm' } },
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
/** Asks for little, so that many run at a time. */
const RESOURCES = { CPU: '0.01', Memory: '1mb' }
const TICKS_PER_SECOND = 100

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1,8,64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  const directory = mkdtempSync(join(values.dir, 'saltcod-runs-'))
  const node = await ServedNode.start(directory, ['--allow-exec'])
  try {
    for (const type of Object.keys(ENGINES)) await turn(node, type, 1, 1_000)
    const table = new Table({
      head: ['connections', 'engine', 'jobs/s', 'median ms', 'CPU ms/job', 'beside noop'],
      style: { head: [], border: [] },
    })
    for (const connections of values.connections.split(',').map(Number)) {
      const results = Object.fromEntries(Object.keys(ENGINES).map((type) => [type, []]))
      for (let round = 0; round < Number(values.rounds); round += 1) {
        for (const type of Object.keys(ENGINES)) {
          results[type].push(await turn(node, type, connections, Number(values.seconds) * 1_000))
        }
      }
      const rate = (type) => median(results[type].map((result) => result.perSecond))
      for (const [type, turns] of Object.entries(results)) {
        table.push([
          connections,
          type,
          rate(type).toFixed(1),
          median(turns.map((result) => result.medianMs)).toFixed(1),
          median(turns.map((result) => result.cpuMs)).toFixed(1),
          (rate(type) / rate('noop')).toFixed(2),
        ])
      }
    }
    process.stdout.write(`${table.toString()}\n`)
  } finally {
    await node.end('SIGTERM')
    rmSync(directory, { recursive: true, force: true })
  }
}

/** So many callers for a time; what has begun by then is waited for and counted. */
async function turn(node, type, connections, milliseconds) {
  const cpuBefore = processorMs(node.pid)
  const beganMs = performance.now()
  const times = []
  const caller = async () => {
    while (performance.now() - beganMs < milliseconds) {
      const startMs = performance.now()
      await oneJob(node, type)
      times.push(performance.now() - startMs)
    }
  }
  await Promise.all(Array.from({ length: connections }, caller))
  const seconds = (performance.now() - beganMs) / 1_000
  return {
    perSecond: times.length / seconds,
    medianMs: median(times),
    cpuMs: (processorMs(node.pid) - cpuBefore) / times.length,
  }
}

async function oneJob(node, type) {
  const Tasks = [{ Name: 'main', Resources: RESOURCES, ...ENGINES[type] }]
  const job = { Name: `j-${Math.random().toString(36).slice(2)}`, Type: 'batch', Count: 1, Tasks }
  const { JobID } = await node.call('PUT', '/api/v1/orchestrator/jobs', { Job: job })
  for (let waitMs = 1; ; waitMs = Math.min(waitMs * 1.6, 100)) {
    const { Job } = await node.call('GET', `/api/v1/orchestrator/jobs/${JobID}`)
    const state = Job.State.StateType
    if (state === 'Completed') return
    if (state === 'Failed' || state === 'Stopped') throw new Error(`a job of ${type} ended as ${state}`)
    await delay(waitMs)
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
