import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.mjs'
import { buildPeer } from './peer.mjs'
import { measureRow } from './rounds.mjs'
import { rows } from './rows.mjs'
import { formatMachine, formatResults } from './table.mjs'

const HELP = `Measures our stores beside the way that Bacalhau's Go code writes.

  --rounds N      pairs of measurements of each row (default 5)
  --seconds S     length of one measurement (default 2)
  --only NAME     only the rows whose name begins so; may be repeated
  --large N       size of our large stores (default 1000000)
  --peer-large N  size of the peer's large stores (default 20000)
  --side NAME     only one side: peer or ours
  --dir DIR       where the stores are made; its disk is what is measured (default: a temporary directory)
  --json          prints one JSON document instead of the table
  --list          names the rows
`

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', multiple: true, default: [] },
    large: { type: 'string', default: '1000000' },
    'peer-large': { type: 'string', default: '20000' },
    side: { type: 'string' },
    dir: { type: 'string', default: tmpdir() },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const chosen = rows.filter(
  (row) => options.only.length === 0 || options.only.some((name) => row.name.startsWith(name)),
)
if (options.help) process.stdout.write(HELP)
else if (options.list) for (const row of chosen) console.log(`${row.name.padEnd(20)} ${row.work}`)
else if (chosen.length === 0) {
  console.error(`No row is called ${options.only.join(' or ')}; --list names them.`)
  process.exitCode = 2
} else await main()

async function main() {
  mkdirSync(options.dir, { recursive: true })
  const directory = mkdtempSync(join(options.dir, 'saltcod-bench-'))
  try {
    const peer = await buildPeer(directory)
    if (peer.missing !== undefined) console.error(`No peer, ours alone: ${peer.missing}`)
    const sides = ['peer', 'ours'].filter((side) => options.side === undefined || side === options.side)
    const machine = await describeMachine(directory, peer.versions)
    const results = []
    for (const row of chosen) {
      console.error(`measuring ${row.name}`)
      results.push(
        await measureRow(row, {
          binary: peer.binary,
          sides: peer.binary === undefined ? sides.filter((side) => side === 'ours') : sides,
          directory: mkdtempSync(join(directory, `${row.name}-`)),
          rounds: Number(options.rounds),
          seconds: Number(options.seconds),
          large: Number(options.large),
          peerLarge: Number(options['peer-large']),
        }),
      )
    }
    if (options.json) console.log(JSON.stringify({ machine: Object.fromEntries(machine), results }, null, 2))
    else console.log(`\n${formatMachine(machine)}\n\n${formatResults(results)}`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
