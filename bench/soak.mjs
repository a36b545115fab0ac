import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { median } from './rounds.mjs'
import { startWatched } from './soak/watch.mjs'

const HELP = `Runs a store as a queue for a long time and watches the processes: one writes, the others read.

  --minutes N         how long (default 30)
  --callers N         jobs under way at a time (default 64)
  --keep N            finished jobs that retention leaves (default 2000)
  --rewrite-every N   minutes between two online rewrites; 0 for none (default 5)
  --readers N         reading processes (default 2)
  --dir DIR           where the store is made (default: a temporary directory)

Exit code 1 where a process ended by itself, the check at the end found something, or the last third of the
time needed more than a fifth more memory or file than the second third.
`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    callers: { type: 'string', default: '64' },
    keep: { type: 'string', default: '2000' },
    'rewrite-every': { type: 'string', default: '5' },
    readers: { type: 'string', default: '2' },
    dir: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main() {
  mkdirSync(values.dir, { recursive: true })
  const directory = mkdtempSync(join(values.dir, 'saltcod-soak-'))
  try {
    const path = join(directory, 'jobs.db')
    const writer = startWatched('writer', path, values.callers, values.keep, values['rewrite-every'])
    while (writer.watched.report === null && writer.watched.ended === null) await seconds(0.2)
    const readers = Array.from({ length: Number(values.readers) }, () => startWatched('reader', path))
    const files = await watch(writer, readers)
    const endedEarly = [writer, ...readers].some(({ watched }) => watched.ended !== null)
    for (const reader of readers) await reader.stop()
    await writer.stop()
    tell(writer.watched, readers, files, endedEarly)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Samples until the time is over or a process has ended; returns the sizes of the file. */
async function watch(writer, readers) {
  const end = Date.now() + Number(values.minutes) * 60_000
  const files = []
  let toldAt = 0
  while (Date.now() < end) {
    for (const process of [writer, ...readers]) process.sample()
    if ([writer, ...readers].some(({ watched }) => watched.ended !== null)) return files
    const { report, samples } = writer.watched
    files.push(report.fileBytes)
    if (Date.now() - toldAt >= 60_000) {
      toldAt = Date.now()
      console.error(
        `${new Date().toISOString()} finished ${report.finishedJobs}, removed ${report.removedJobs}, folded ${report.folded}, overdue at most ${report.mostOverdueSeconds.toFixed(1)} s, used ${mebibytes(report.usedBytes)}, file ${mebibytes(report.fileBytes)}, memory ${mebibytes(samples.at(-1))}`,
      )
    }
    await seconds(2)
  }
  return files
}

function tell(writer, readers, files, endedEarly) {
  const table = new Table({
    head: ['', 'second third', 'last third', 'growth', 'ended'],
    style: { head: [], border: [] },
  })
  const growths = []
  const row = (name, samples, ended) => {
    const [middle, last] = [thirdOf(samples, 1), thirdOf(samples, 2)]
    growths.push(last / middle)
    table.push([name, mebibytes(middle), mebibytes(last), `${(last / middle).toFixed(2)} x`, ended])
  }
  row('file', files, '')
  row('writer memory', writer.samples, writer.ended)
  for (const { watched } of readers) row('reader memory', watched.samples, watched.ended)
  console.log(table.toString())
  console.log(
    JSON.stringify({ writer: writer.report, readers: readers.map(({ watched }) => watched.report) }),
  )
  const failed = [writer, ...readers.map(({ watched }) => watched)].some(
    ({ ended }) => ended !== 'exit code 0',
  )
  if (endedEarly || failed || growths.some((growth) => !(growth <= 1.2))) process.exitCode = 1
}

function thirdOf(samples, third) {
  const length = Math.floor(samples.length / 3)
  return median(samples.slice(third * length, (third + 1) * length))
}

function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

function seconds(count) {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000))
}
