import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.mjs'
import { buildPeer, findSqlite } from './peer.mjs'
import { measureRow, SIDES } from './rounds.mjs'
import { rowsFor } from './rows.mjs'
import { formatMachine, formatResults } from './table.mjs'

const HELP = `Measures our stores beside the way that Bacalhau's Go code writes, and beside SQLite.

  --rounds N      pairs of measurements of each row (default 5)
  --seconds S     length of one measurement (default 2)
  --only NAME     only the rows whose name begins so; may be repeated
  --large N       size of our large stores (default 1000000)
  --peer-large N  size of the peer's large stores (default 20000)
  --backend FILE  measures another backend: a module with openJobStore and openExecutionStore, as the crash suite has it
  --side NAME     only this side: peer, sqlite, sqlite-group or ours; may be repeated
  --callers LIST  how many callers at a time, in the rows that count what is done (default 64,1)
  --dir DIR       where the stores are made; its disk is what is measured (default: a temporary directory)
  --json          prints one JSON document instead of the table
  --list          names the rows
`

const OPTIONS = {
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string', default: '2' },
  only: { type: 'string', multiple: true, default: [] },
  large: { type: 'string', default: '1000000' },
  'peer-large': { type: 'string', default: '20000' },
  backend: { type: 'string' },
  side: { type: 'string', multiple: true, default: SIDES },
  callers: { type: 'string', default: '64,1' },
  dir: { type: 'string', default: tmpdir() },
  json: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
}

const options = readOptions()
if (typeof options === 'string') {
  console.error(options)
  process.exitCode = 2
} else if (options.help) process.stdout.write(HELP)
else if (options.list) for (const row of options.rows) console.log(`${row.name.padEnd(20)} ${row.work}`)
else await main()

/** Returns the options with the rows that they choose, or a sentence that says what is wrong with them. */
function readOptions() {
  let values
  try {
    values = parseArgs({ options: OPTIONS }).values
  } catch (error) {
    return `${error.message} --help names the options.`
  }
  for (const name of ['rounds', 'seconds', 'large', 'peer-large']) {
    if (!(Number(values[name]) > 0)) return `--${name} ${values[name]}: it needs a number above 0.`
  }
  const strange = values.side.find((side) => !SIDES.includes(side))
  if (strange !== undefined) return `--side ${strange}: it is ${SIDES.join(' or ')}.`
  const callers = values.callers.split(',').map(Number)
  if (!callers.every((number) => Number.isInteger(number) && number > 0))
    return `--callers ${values.callers}: it needs numbers from 1, with commas between them.`
  const wanted = values.only.length === 0 ? [''] : values.only
  const chosen = rowsFor(callers).filter((row) => wanted.some((name) => row.name.startsWith(name)))
  if (chosen.length === 0) return `No row is called ${wanted.join(' or ')}; --list names them.`
  return { ...values, rows: chosen }
}

async function main() {
  mkdirSync(options.dir, { recursive: true })
  const directory = mkdtempSync(join(options.dir, 'saltcod-bench-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('SIGINT', () => {
    remove()
    process.exit(130)
  })
  try {
    const peer = await buildPeer(directory)
    if (peer.missing !== undefined) console.error(`Measured without bbolt: ${peer.missing}`)
    const sqlite = await findSqlite()
    if (sqlite.missing !== undefined) console.error(`Measured without SQLite: ${sqlite.missing}`)
    const programs = { peer: peer.binary && [peer.binary], sqlite: sqlite.each, 'sqlite-group': sqlite.group }
    const machine = await describeMachine(directory, { ...peer.versions, ...sqlite.versions })
    const results = []
    for (const row of options.rows) {
      console.error(`measuring ${row.name}`)
      results.push(
        await measureRow(row, {
          programs,
          sides: options.side.filter((side) => side === 'ours' || programs[side] !== undefined),
          directory: mkdtempSync(join(directory, `${row.name}-`)),
          rounds: Number(options.rounds),
          seconds: Number(options.seconds),
          backend: options.backend,
          large: Number(options.large),
          peerLarge: Number(options['peer-large']),
        }),
      )
    }
    if (options.json) console.log(JSON.stringify({ machine: Object.fromEntries(machine), results }, null, 2))
    else console.log(`\n${formatMachine(machine)}\n\n${formatResults(results)}`)
  } finally {
    remove()
  }
}
