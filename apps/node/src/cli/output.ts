import { formatCsvLine, formatTable, printableLines, type TextStyle } from '@saltcod/cli-kit'
import { stringify } from 'yaml'
import type { Terminal } from './terminal.ts'

/** How a listing can be printed. */
export const LIST_FORMATS: readonly string[] = ['table', 'json', 'yaml', 'csv']

/** One column of a listing. */
export interface Column<T> {
  readonly name: string
  readonly value: (item: T) => string
  /** The style of a cell in a table. */
  readonly style?: (item: T) => TextStyle
}

/** Prints a listing: as a table or CSV of some columns, or whole as JSON or YAML. */
export function printList<T>(
  terminal: Terminal,
  format: string,
  items: readonly T[],
  columns: readonly Column<T>[],
): void {
  if (format === 'json' || format === 'yaml') {
    printValue(terminal, format, items)
    return
  }
  const header = columns.map((column) => column.name)
  if (format === 'csv') {
    const rows = items.map((item) => columns.map((column) => column.value(item)))
    terminal.out([header, ...rows].map(formatCsvLine).join(''))
    return
  }
  const cells = items.map((item) =>
    columns.map(({ value, style }) =>
      style === undefined ? value(item) : { text: value(item), style: style(item) },
    ),
  )
  terminal.out(formatTable(terminal, header, cells))
}

/** Says how many records a listing lacks because of damage; nothing where it lacks none. */
export function tellMissing(terminal: Terminal, missing: number | undefined): void {
  if (missing === undefined || missing === 0) return
  terminal.err(`Warning: ${missing} missing from this listing: run saltcod-inspect check on the store\n`)
}

/** Prints a value as JSON or YAML. On a terminal nothing in it commands that: JSON stays JSON all the same. */
export function printValue(terminal: Terminal, format: 'json' | 'yaml', value: unknown): void {
  const text = format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : stringify(value)
  terminal.out(terminal.outputIsTerminal ? printableLines(text) : text)
}
