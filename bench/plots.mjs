import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { lineChart } from './line-chart.mjs'
import { OPERATIONS } from './store-turn.mjs'

const HELP = `Draws the plots of README.md into bench/plots from what the measurements print.

  node bench/run.mjs --json --callers 1,2,4,8,16,32,64,128 --only submit --only change --only get > callers.json
  node bench/growth.mjs --json --jobs 10000000 > growth.json
  node bench/plots.mjs callers.json growth.json
`
const SIDES = {
  ours: 'ours',
  peer: 'bbolt',
  sqlite: 'SQLite, each',
  'sqlite-group': 'SQLite, group',
}
const directory = new URL('./plots/', import.meta.url)
const paths = process.argv.slice(2)

if (paths.length === 0 || paths[0] === '--help') process.stdout.write(HELP)
else {
  mkdirSync(directory, { recursive: true })
  for (const path of paths) {
    const { results, sizes } = JSON.parse(readFileSync(path, 'utf8'))
    if (sizes !== undefined) drawGrowth(sizes)
    else for (const rows of familiesOf(results)) drawCallers(rows)
  }
}

/** The rows of each kind of work. */
function familiesOf(results) {
  const counted = results.filter(({ callers }) => callers !== null)
  const names = [...new Set(counted.map(nameOf))]
  return names.map((name) =>
    counted.filter((row) => nameOf(row) === name).sort((a, b) => a.callers - b.callers),
  )
}

function nameOf({ row, callers }) {
  return row.slice(0, -`-${callers}`.length)
}

function drawCallers(rows) {
  const series = Object.entries(SIDES).map(([side, name]) => ({
    name,
    points: rows.flatMap((row) => {
      const rate = row[side] ?? row.others.find((other) => other.side === side)?.value
      return rate === undefined || rate === null ? [] : [[row.callers, rate]]
    }),
  }))
  draw(nameOf(rows[0]), {
    title: rows[0].work.replace(/, \d+ callers?$/, ''),
    x: { name: 'callers', ticks: rows.map(({ callers }) => callers) },
    y: { name: 'a second' },
    series: series.filter(({ points }) => points.length > 0),
  })
}

function drawGrowth(sizes) {
  draw('growth', {
    title: 'time of an operation over the jobs in the store',
    x: { name: 'jobs in the store', ticks: sizes.map(({ jobs }) => jobs) },
    y: { name: 'ms' },
    series: OPERATIONS.map((operation) => ({
      name: operation,
      points: sizes.map((size) => [size.jobs, size[operation].ms]),
    })),
  })
}

function draw(name, chart) {
  writeFileSync(new URL(`${name}.svg`, directory), lineChart(chart))
}
