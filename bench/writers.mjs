import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { preloadLibrary, SLOW_DISK } from '@saltcod/store-testing/crash'
import Table from 'cli-table3'
import { describeMachine } from './machine.mjs'
import { median } from './rounds.mjs'
import { formatMachine } from './table.mjs'

const HELP = `Looks how long the event loop of a process is held up that has a store, in which callers create jobs with their first evaluation.

  --callers N      how many (default 64)
  --seconds S      length of one measurement (default 3)
  --rounds N       measurements of each kind, by turns (default 3)
  --slower MS,MS   so much longer a sync takes (default 0,5,50); needs gcc
  --dir DIR        where the store is made (default: a temporary directory)

By turns with commits on the event loop, in a thread, where the store decides, and with the whole store in a thread that is asked by
messages. A store that is asked for a job every 5 ms meanwhile tells how long others wait. Build first.
`
const PROGRAM = fileURLToPath(new URL('./writers-process.mjs', import.meta.url))
const PLACES = ['never', 'always', 'auto', 'store']
const SHOWN = ['perSecond', 'loopP50', 'loopP99', 'loopMost', 'waitP99', 'mebibytes']

const { values } = parseArgs({
  options: {
    callers: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    slower: { type: 'string', default: '0,5,50' },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  const directory = mkdtempSync(join(values.dir, 'saltcod-writers-'))
  try {
    process.stdout.write(`${formatMachine(await describeMachine(directory))}\n`)
    const library = preloadLibrary(SLOW_DISK, directory)
    const table = new Table({
      head: ['a sync, ms longer', 'a thread', '/s', 'loop p50, ms', 'p99', 'most', 'late p99, ms', 'MiB'],
      style: { head: [], border: [] },
    })
    for (const slower of values.slower.split(',')) {
      if (slower !== '0' && library === undefined) throw new Error('there is no gcc')
      const results = PLACES.map(() => [])
      for (let round = 0; round < Number(values.rounds); round += 1)
        for (const [at, place] of PLACES.entries())
          results[at].push(
            await measure(join(directory, `${slower}-${place}-${round}`), place, slower, library),
          )
      for (const [at, place] of PLACES.entries())
        table.push([
          slower,
          place,
          ...SHOWN.map((name) => median(results[at].map((one) => one[name])).toFixed(1)),
        ])
    }
    process.stdout.write(`${table.toString()}\n`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(path, place, slower, library) {
  const env = slower === '0' ? process.env : { ...process.env, LD_PRELOAD: library, SLOW_DISK_MS: slower }
  const args = [PROGRAM, path, place, values.callers, values.seconds]
  return JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout)
}
