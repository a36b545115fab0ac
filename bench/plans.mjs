import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { PLACES, PlayedNetwork } from './played-network.mjs'

const HELP = `Has a requester with many full nodes and many jobs that wait for room make plans. The requester and its store are real, on disk; the
nodes are played in the same process: they shake hands, take their orders, and report.

  --nodes N      nodes, each with room for four of the jobs (default 1000)
  --jobs N       jobs that wait, at any time (default 100000)
  --kinds N      so many different needs the jobs have (default 20)
  --ends N       so many jobs are submitted, and so many executions end, at most 64 at a time (default 5000)
  --dir DIR      where the store is made (default: a temporary directory)

Prints how many plans were written, and how many of them a second, for how many executions there was room, and how many
jobs were woken for it. Exit code 1 where fewer than 500 plans a second were written, or more than a hundredth of the woken found no room.
Build first.
`
const LEAST_PLANS = 500

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    jobs: { type: 'string', default: '100000' },
    kinds: { type: 'string', default: '20' },
    ends: { type: 'string', default: '5000' },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  mkdirSync(values.dir, { recursive: true })
  const directory = mkdtempSync(join(values.dir, 'saltcod-plans-'))
  const [nodes, jobs, kinds, ends] = ['nodes', 'jobs', 'kinds', 'ends'].map((name) => Number(values[name]))
  const places = nodes * PLACES
  console.error('making the store')
  const network = await PlayedNetwork.start(join(directory, 'jobs.mdb'), jobs + places, kinds)
  console.error('measuring')
  try {
    const rows = [
      await network.measure('the nodes come', places, () => network.join(nodes)),
      await network.measure('jobs come, and none has room', 0, () => network.submit(ends, kinds)),
      await network.measure('executions end', ends, () => network.end(ends)),
      await network.measure('one more node comes', PLACES, () => network.join(1)),
    ]
    tell(rows)
    const isWasteful = rows.some(({ woken, begun, room }) => woken > begun * 1.01 || woken > room * 1.02)
    const isSlow = rows.slice(0, 3).some(({ plansPerSecond }) => plansPerSecond < LEAST_PLANS)
    if (isSlow || isWasteful) process.exitCode = 1
  } finally {
    await network.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

function tell(rows) {
  const head = ['what', 'plans', 'seconds', 'plans/s', 'places free', 'woken', 'begun', 'waiting then']
  const table = new Table({ head, style: { head: [], border: [] } })
  for (const { what, plans, seconds, plansPerSecond, room, woken, begun, waiting } of rows)
    table.push([what, plans, seconds.toFixed(1), Math.round(plansPerSecond), room, woken, begun, waiting])
  console.log(table.toString())
}
