import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { lineChart } from './line-chart.mjs'
import { median } from './rounds.mjs'
import { OPERATIONS } from './store-turn.mjs'

const HELP = `Draws the plots of README.md into bench/plots from what the measurements print.

  node bench/run.mjs --json --callers 1,2,4,8,16,32,64,128 --only submit --only change --only get > callers.json
  node bench/growth.mjs --json --jobs 10000000 > growth.json
  node bench/plots.mjs callers.json growth.json

Of several files of callers the median is drawn: how fast a disk is changes from one row to the next, and less so from
one run to the next.
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
  const documents = paths.map((path) => JSON.parse(readFileSync(path, 'utf8')))
  for (const { sizes } of documents) if (sizes !== undefined) drawGrowth(sizes)
  for (const rows of familiesOf(documents.flatMap(({ results = [] }) => results))) drawCallers(rows)
}

/** The rows of each kind of work, of all runs. */
function familiesOf(results) {
  const counted = results.filter(({ callers }) => callers !== null)
  const names = [...new Set(counted.map(nameOf))]
  return names.map((name) => counted.filter((row) => nameOf(row) === name))
}

function nameOf({ row, callers }) {
  return row.slice(0, -`-${callers}`.length)
}

function drawCallers(rows) {
  const numbers = [...new Set(rows.map(({ callers }) => callers))].sort((a, b) => a - b)
  const series = Object.entries(SIDES).map(([side, name]) => ({
    name,
    points: numbers.flatMap((callers) => {
      const rates = rows.filter((row) => row.callers === callers).flatMap((row) => rateOf(row, side) ?? [])
      return rates.length === 0 ? [] : [[callers, median(rates)]]
    }),
  }))
  draw(nameOf(rows[0]), {
    title: rows[0].work.replace(/, \d+ callers?$/, ''),
    x: { name: 'callers', ticks: numbers },
    y: { name: 'a second' },
    series: series.filter(({ points }) => points.length > 0),
  })
}

function rateOf(row, side) {
  return row[side] ?? row.others.find((other) => other.side === side)?.value
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
