import { formatCsvLine } from '../display/csv.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type Format, json, yaml } from './format.ts'

/** Prints one value: as text made by `toText` for people, or whole. */
export function printValue(terminal: Terminal, format: Format, value: unknown, toText: () => string): void {
  if (format === 'table') terminal.out(toText())
  else printWhole(terminal, format, value)
}

/** Prints one value whole. Comma-separated values are pairs of path and value. */
export function printWhole(terminal: Terminal, format: Exclude<Format, 'table'>, value: unknown): void {
  if (format === 'json') terminal.out(`${json(value, 2)}\n`)
  else if (format === 'ndjson') terminal.out(`${json(value)}\n`)
  else if (format === 'yaml') terminal.out(yaml(terminal, value))
  else {
    terminal.out(formatCsvLine(['path', 'value']))
    for (const [path, text] of flatten(value, '')) terminal.out(formatCsvLine([path, text]))
  }
}

/** Prints several things of one kind: one alone as itself, more as a list in one document, or a line each. */
export function printValues<T>(
  terminal: Terminal,
  format: Format,
  items: readonly T[],
  { toRow, toText }: { readonly toRow: (item: T) => unknown; readonly toText: (item: T) => string },
): void {
  const rows = items.map(toRow)
  if (format === 'ndjson') for (const row of rows) terminal.out(`${json(row)}\n`)
  else printValue(terminal, format, rows.length === 1 ? rows[0] : rows, () => items.map(toText).join('\n'))
}

function flatten(value: unknown, path: string): [string, string][] {
  if (value === null || typeof value !== 'object') return [[path, value === null ? '' : String(value)]]
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`))
}
