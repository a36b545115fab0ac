import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** Returns the middle of a list of numbers, or the mean of the two in the middle. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Every side, in the order in which they are measured. Those of SQLite have the rows that count what is done. */
export const SIDES = ['peer', 'sqlite', 'sqlite-group', 'ours']

/**
 * Measures one row: all sides by turns, forth and back, after one warm-up each. Where sides are absent the others are
 * measured alone. `programs` has the command of each peer by the name of its side.
 */
export async function measureRow(row, { rounds, programs, ...bench }) {
  const sides = []
  try {
    for (const name of SIDES) {
      const open = openerOf(row, name)
      if (!bench.sides.includes(name) || open === undefined) continue
      const directory = join(bench.directory, name)
      mkdirSync(directory)
      sides.push({ name, values: [], ...(await open({ ...bench, directory, program: programs?.[name] })) })
    }
    const times = row.repeats === false ? 1 : rounds
    for (const side of sides) await side.warm?.()
    for (let round = 0; round < times; round += 1) {
      const order = round % 2 === 0 ? sides : sides.toReversed()
      for (const side of order) {
        const value = await side.measure()
        // A backend may not tell what a row wants to know.
        if (value !== null) side.values.push(value)
      }
    }
  } finally {
    for (const side of sides) await side.close()
  }
  return judge(row, Object.fromEntries(sides.map((side) => [side.name, side])))
}

function openerOf(row, name) {
  if (name === 'peer' || name === 'ours') return row[name]
  return row.unit === '/s' ? row.peer : undefined
}

function judge(row, { peer, ours, ...others }) {
  const [peers, own] = [peer, ours].map((side) => (side?.values.length > 0 ? side.values : undefined))
  const ratios = ratiosOf(row, peers, own)
  const ratio = ratios === null ? null : median(ratios)
  return {
    row: row.name,
    work: row.work,
    callers: row.callers ?? null,
    durable: row.durable ?? null,
    unit: row.unit,
    required: row.required,
    peer: peers === undefined ? null : median(peers),
    ours: own === undefined ? null : median(own),
    ratio,
    ratios,
    others: Object.values(others).map(({ name, values }) => {
      const beside = ratiosOf(row, values, own)
      return { side: name, value: median(values), ratio: beside === null ? null : median(beside) }
    }),
    holds: ratio === null || row.required === null ? null : holds(row.required, ratio),
    notes: [peer, ours].flatMap((side) => side?.note?.() ?? []),
  }
}

/** A row either compares ours with the peer, or our own growth with itself. */
function ratiosOf(row, peer, ours) {
  if (ours === undefined) return null
  if (row.compares === 'growth') return ours
  return peer === undefined ? null : ours.map((value, round) => value / peer[round])
}

function holds({ atLeast, atMost }, ratio) {
  return (atLeast === undefined || ratio >= atLeast) && (atMost === undefined || ratio <= atMost)
}
