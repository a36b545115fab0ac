import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { LogBench } from './log-bench.mjs'
import { ServedNode } from './served-node.mjs'

const HELP = `Lets jobs write much to their logs on a real node: one that writes 1 GB, then 100 that write 10 MB each at once.

  --large MB     what the one job writes (default 1000)
  --jobs N       how many write at once (default 100)
  --small MB     what each of these writes (default 10)
  --dir DIR      where the node works (default: a temporary directory)

Once where all of that is kept, and read again through the API, and once with the limit that a node has by default. Beside all of it a client asks
the API 50 times a second. Ends with exit code 1 where something is lost that should have been kept, the 99th percentile of the answers beside
writing jobs is 20 ms or more, or the node or its keeper takes more than 64 MiB beyond what it took before. Build first.
`
const MB = 1_000_000
const MIB = 1024 * 1024
const MOST_P99_MS = 20
const MOST_GROWTH = 64 * MIB
const DEFAULT_LIMIT = 10 * MB
const IDLE_MS = 5_000

const { values } = parseArgs({
  options: {
    large: { type: 'string', default: '1000' },
    jobs: { type: 'string', default: '100' },
    small: { type: 'string', default: '10' },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  const [large, small] = [Number(values.large) * MB, Number(values.small) * MB]
  const table = new Table({
    head: ['', 's', 'MB/s', 'API p50, ms', 'p99', 'most', 'node: before, most, after, MiB', 'keeper', 'lost'],
    style: { head: [], border: [] },
  })
  await withNode('Quota: { OutputSize: 2GB }\n', async (bench) => {
    table.push(row('no job', await bench.phase(0, () => delay(IDLE_MS))))
    const one = await bench.write(1, large)
    table.push(row('one job', one, await bench.lost(one.jobs, large)))
    table.push(
      row('read again', await bench.phase(large, () => bench.read(one.jobs[0].id)), undefined, false),
    )
    const many = await bench.write(Number(values.jobs), small)
    table.push(row(`${values.jobs} jobs`, many, await bench.lost(many.jobs, small)))
  })
  await withNode('', async (bench) => {
    const one = await bench.write(1, large)
    table.push(row('one job, beyond the limit', one, await bench.lost(one.jobs, large)))
    const many = await bench.write(Number(values.jobs), small)
    table.push(row(`${values.jobs} jobs, up to the limit`, many, await bench.lost(many.jobs, small)))
  })
  process.stdout.write(`${table.toString()}\n`)
}

function row(name, { seconds, bytes, asking, node, keeper }, lost, judged = true) {
  const mib = ({ before, most, after }) =>
    [before, most, after].map((size) => (size / MIB).toFixed(0)).join(', ')
  const grows = [node, keeper].some(({ before, most }) => most - before > MOST_GROWTH)
  if (lost > 0 || (judged && (asking.p99 >= MOST_P99_MS || grows))) process.exitCode = 1
  const ms = [asking.p50, asking.p99, asking.most].map((time) => time.toFixed(1))
  return [
    name,
    seconds.toFixed(1),
    (bytes / MB / seconds).toFixed(0),
    ...ms,
    mib(node),
    mib(keeper),
    lost ?? '',
  ]
}

async function withNode(settings, use) {
  const directory = mkdtempSync(join(values.dir, 'saltcod-logs-'))
  const node = await ServedNode.start(directory, ['--allow-exec'], settings)
  try {
    const bench = new LogBench(node, directory, settings === '' ? DEFAULT_LIMIT : Number.POSITIVE_INFINITY)
    await bench.warm()
    await use(bench)
  } finally {
    await node.end('SIGTERM')
    rmSync(directory, { recursive: true, force: true })
  }
}
