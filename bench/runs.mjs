import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { turn, worstOf } from './job-turn.mjs'
import { inNamespace } from './namespace.mjs'
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
/** What runs where: the first word names the node. */
const TURNS = [
  ['saltcod', 'noop'],
  ['saltcod', 'wasm'],
  ['saltcod', 'exec'],
]
const PEER_TURN = ['bacalhau', 'wasm']
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
