import Table from 'cli-table3'

/** Writes the results as an aligned table for people. */
export function formatResults(results) {
  const sides = [...new Set(results.flatMap(({ others = [] }) => others.map(({ side }) => side)))]
  const table = new Table({
    head: [
      'row',
      'work',
      'required',
      'ours',
      'peer',
      'ratio',
      '',
      ...sides.flatMap((side) => [side, 'ratio']),
    ],
    colAligns: [
      'left',
      'left',
      'right',
      'right',
      'right',
      'right',
      'left',
      ...sides.flatMap(() => ['right', 'right']),
    ],
    style: { head: [], border: [], compact: true },
  })
  for (const result of results) {
    table.push([
      result.row,
      result.work,
      requirement(result.required),
      quantity(result.ours, result.unit),
      quantity(result.peer, result.unit),
      times(result.ratio),
      verdict(result.holds),
      ...sides.flatMap((side) => {
        const other = result.others?.find((one) => one.side === side)
        return [quantity(other?.value ?? null, result.unit), times(other?.ratio ?? null)]
      }),
    ])
  }
  const notes = results.flatMap((result) => result.notes.map((note) => `${result.row}: ${note}`))
  const durable = results.flatMap((result) =>
    result.durable === null ? [] : [`${result.row}, on disk: ${result.durable}`],
  )
  return [table.toString(), ...durable, ...notes].join('\n')
}

/** Writes pairs of a name and a text below each other. */
export function formatMachine(pairs) {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join('\n')
}

function requirement(required) {
  if (required === null) return '-'
  return required.atLeast === undefined
    ? `<= ${digits(required.atMost)} x`
    : `>= ${digits(required.atLeast)} x`
}

function quantity(value, unit) {
  return value === null ? '-' : `${digits(value)} ${unit}`
}

function times(ratio) {
  return ratio === null ? '-' : `${digits(ratio)} x`
}

function verdict(holds) {
  if (holds === null) return ''
  return holds ? 'pass' : 'SHORT'
}

function digits(value) {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}
