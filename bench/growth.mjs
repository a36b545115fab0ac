import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import Table from 'cli-table3'
import { describeMachine } from './machine.mjs'
import { median } from './rounds.mjs'
import { measureStore, OPERATIONS } from './store-turn.mjs'
import { formatMachine } from './table.mjs'

const HELP = `Measures how long a store takes for what it does all the time, in stores of 1,000, 10,000, ... jobs of a small
specification by turns, and beside the time in the smallest.

  --jobs N       size of the largest store (default 1000000; 10000000 take about 20 GiB and half an hour)
  --max-gib N    a file that has grown to this takes no more jobs (default 55)
  --rounds N     turns of each store, behind one to warm up (default 5)
  --dir DIR      where the stores are made, and stay: those that are there are taken as they are (default: a temporary
                 directory)
  --json         prints one JSON document instead of the table

Build first.
`
const run = promisify(execFile)
const fill = fileURLToPath(new URL('./growth-fill-process.mjs', import.meta.url))
const SMALLEST = 1_000

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000000' },
    'max-gib': { type: 'string', default: '55' },
    rounds: { type: 'string', default: '5' },
    dir: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  if (values.dir !== undefined) mkdirSync(values.dir, { recursive: true })
  const directory = values.dir ?? mkdtempSync(join(tmpdir(), 'saltcod-growth-'))
  try {
    const stores = await filledStores(directory)
    const machine = await describeMachine(directory)
    for (let round = 0; round <= Number(values.rounds); round += 1) {
      for (const store of round % 2 === 0 ? stores : stores.toReversed()) {
        const times = await measureStore(store.path)
        if (round > 0) store.turns.push(times)
      }
    }
    const sizes = stores.map((store) => ({
      jobs: store.jobs,
      fileBytes: store.fileBytes,
      ...Object.fromEntries(
        OPERATIONS.map((operation) => [operation, growthOf(operation, store, stores[0])]),
      ),
    }))
    if (values.json) console.log(JSON.stringify({ machine: Object.fromEntries(machine), sizes }, null, 2))
    else console.log(`\n${formatMachine(machine)}\n\n${formatSizes(sizes)}`)
  } finally {
    if (values.dir === undefined) rmSync(directory, { recursive: true, force: true })
  }
}

async function filledStores(directory) {
  const stores = []
  for (let size = SMALLEST; size <= Number(values.jobs); size *= 10) {
    const path = join(directory, `jobs-${size}.db`)
    if (!existsSync(path)) {
      console.error(`filling a store with ${size} jobs`)
      // It takes long, and whoever has something to do meanwhile goes first.
      const command = [
        process.execPath,
        fill,
        path,
        String(size),
        String(Number(values['max-gib']) * 2 ** 30),
      ]
      await run('nice', ['-n', '19', ...command])
    }
    const store = await openLmdbJobStore({ path })
    const counts = await store.counts({ kind: 'job' })
    const jobs = counts.reduce((sum, { records }) => sum + records, 0)
    stores.push({ path, jobs, fileBytes: store.capabilities.statistics().fileBytes, turns: [] })
    await store.close()
  }
  return stores
}

/** The median time, and the median of its ratios to that of the smallest store in the same round. */
function growthOf(operation, store, smallest) {
  const timesMs = store.turns.map((times) => times[operation])
  const ratios = timesMs.map((ms, round) => ms / smallest.turns[round][operation])
  return { ms: median(timesMs), ratio: median(ratios) }
}

function formatSizes(sizes) {
  const table = new Table({
    head: ['jobs', 'file, MiB', ...OPERATIONS.flatMap((operation) => [`${operation}, ms`, 'ratio'])],
    style: { head: [], border: [], compact: true },
  })
  for (const { jobs, fileBytes, ...size } of sizes) {
    const cells = OPERATIONS.flatMap((operation) => [
      size[operation].ms.toFixed(3),
      size[operation].ratio.toFixed(2),
    ])
    table.push([jobs.toLocaleString('en'), (fileBytes / 2 ** 20).toFixed(0), ...cells])
  }
  return table.toString()
}
