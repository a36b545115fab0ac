import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { turn } from './job-turn.mjs'
import { inNamespace } from './namespace.mjs'
import { median } from './rounds.mjs'
import { ServedNode } from './served-node.mjs'

const HELP = `Runs jobs through the link, on a requester with compute nodes of its own, beside one node with both roles, and beside an
orchestrator and compute nodes of Bacalhau 1.9.3, by turns.

  --nodes N         how many compute nodes (default 3)
  --clients N       how many callers at a time (default 64)
  --seconds N       how long each turn (default 5)
  --rounds N        turns of each (default 3)
  --dir DIR         where the nodes work (default: a temporary directory)
  --peer PROGRAM    what starts Bacalhau: PROGRAM 1.9.3 serve ... (default: shared/tools/official beside the project)

Prints jobs a second, the time of the median job and of the hundredth that took longest, the processor time of all processes of the nodes for each job,
and the rate beside that of the node with both roles in the same run. With a peer all is done in a network namespace, since Bacalhau calls others.
Build first.
`
const TURNS = [
  ['both roles', 'noop'],
  ['network', 'noop'],
  ['both roles', 'wasm'],
  ['network', 'wasm'],
]
const PEER_TURN = ['Bacalhau', 'wasm']
const WARM_UP_MS = 1_000

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    clients: { type: 'string', default: '64' },
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
  const directory = mkdtempSync(join(values.dir, 'saltcod-network-'))
  const place = (name) => {
    const path = join(directory, name)
    mkdirSync(path)
    return path
  }
  const computes = Number(values.nodes)
  const nodes = {}
  try {
    nodes['both roles'] = await ServedNode.start(place('both'), [])
    nodes['network'] = await ServedNode.startNetwork(place('network'), computes, [])
    if (values.inside)
      nodes['Bacalhau'] = await ServedNode.startBacalhau(place('peer'), values.peer, computes)
    const turns = values.inside ? [...TURNS, PEER_TURN] : TURNS
    const clients = Number(values.clients)
    for (const [where, type] of turns) await turn(nodes[where], type, clients, WARM_UP_MS)
    const results = turns.map(() => [])
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const [index, [where, type]] of turns.entries())
        results[index].push(await turn(nodes[where], type, clients, Number(values.seconds) * 1_000))
    }
    tell(turns, results)
  } finally {
    for (const node of Object.values(nodes)) await node.end('SIGTERM')
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The ratio is the median of those of the rounds, since what else the machine does changes with time. */
function tell(turns, results) {
  const table = new Table({
    head: ['nodes', 'engine', 'jobs/s', 'median ms', 'p99', 'CPU ms/job', 'beside both roles'],
    style: { head: [], border: [] },
  })
  const rateOf = ({ perSecond }) => perSecond
  for (const [index, [where, type]] of turns.entries()) {
    const both = results[turns.findIndex(([name, other]) => name === 'both roles' && other === type)]
    const ratios = results[index].map((result, round) => rateOf(result) / rateOf(both[round]))
    table.push([
      where === 'both roles' ? where : `${where}, ${values.nodes}`,
      type,
      median(results[index].map(rateOf)).toFixed(1),
      ...['medianMs', 'worstMs', 'cpuMs'].map((name) =>
        median(results[index].map((result) => result[name])).toFixed(1),
      ),
      median(ratios).toFixed(2),
    ])
  }
  if (!values.inside)
    table.push([`Bacalhau, ${values.nodes}`, 'wasm', `not measured: ${values.peer} is not there`])
  process.stdout.write(`${table.toString()}\n`)
}
