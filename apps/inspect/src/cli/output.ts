import { formatCsvLine, formatTable, printableLines, type StyledCell, type TextStyle } from '@saltcod/cli-kit'
import type { Terminal } from './terminal.ts'

/** How something can be printed. */
export const FORMATS = ['table', 'json', 'ndjson', 'yaml', 'csv'] as const

/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number]

/** One column of a table or of comma-separated values. */
export interface Column<T> {
  readonly name: string
  readonly value: (item: T) => string
  /** The style of a cell in a table. */
  readonly style?: (item: T) => TextStyle
}

const TABLE_ROWS_AT_ONCE = 500
let stringify: typeof import('yaml').stringify | undefined

/** Loads what a format needs; before anything is printed. YAML is rarely asked for and slow to load. */
export async function prepareFormat(format: unknown): Promise<void> {
  if (format === 'yaml') stringify = (await import('yaml')).stringify
}

/** Prints a listing row by row, so that its length costs no memory. Call {@link Listing.end} after the last. */
export class Listing<T> {
  count = 0
  readonly #terminal: Terminal
  readonly #format: Format
  readonly #columns: readonly Column<T>[]
  readonly #toRow: (item: T) => unknown
  #pending: (string | StyledCell)[][] = []
  #headed = false

  constructor(
    terminal: Terminal,
    format: Format,
    columns: readonly Column<T>[],
    toRow: (item: T) => unknown = (item) => item,
  ) {
    this.#terminal = terminal
    this.#format = format
    this.#columns = columns
    this.#toRow = toRow
  }

  /** Prints one item. */
  add(item: T): void {
    this.count += 1
    switch (this.#format) {
      case 'json':
        this.#terminal.out(`${this.count === 1 ? '[\n' : ',\n'}${json(this.#toRow(item))}`)
        return
      case 'ndjson':
        this.#terminal.out(`${json(this.#toRow(item))}\n`)
        return
      case 'yaml':
        this.#terminal.out(yaml(this.#terminal, [this.#toRow(item)]))
        return
      case 'csv':
        this.#head()
        this.#terminal.out(formatCsvLine(this.#columns.map((column) => column.value(item))))
        return
      case 'table':
        this.#pending.push(
          this.#columns.map(({ value, style }) =>
            style === undefined ? value(item) : { text: value(item), style: style(item) },
          ),
        )
        if (this.#pending.length >= TABLE_ROWS_AT_ONCE) this.flush()
    }
  }

  /** Prints what a table has gathered. */
  flush(): void {
    if (this.#pending.length === 0) return
    const header = this.#headed ? [] : this.#columns.map((column) => column.name)
    this.#headed = true
    this.#terminal.out(formatTable(this.#terminal, header, this.#pending))
    this.#pending = []
  }

  /** Finishes the listing. `empty` is what a table without rows says. */
  end(empty = 'nothing'): void {
    if (this.#format === 'json') this.#terminal.out(this.count === 0 ? '[]\n' : '\n]\n')
    if (this.#format === 'yaml' && this.count === 0) this.#terminal.out('[]\n')
    if (this.#format === 'csv') this.#head()
    if (this.#format === 'table' && this.count === 0) this.#terminal.err(`${empty}\n`)
    this.flush()
  }

  #head(): void {
    if (this.#headed) return
    this.#headed = true
    this.#terminal.out(formatCsvLine(this.#columns.map((column) => column.name)))
  }
}

/** Prints one value: as text made by `toText` for people, or whole. Comma-separated values are pairs of path and value. */
export function printValue(terminal: Terminal, format: Format, value: unknown, toText: () => string): void {
  if (format === 'table') terminal.out(toText())
  else if (format === 'json') terminal.out(`${json(value, 2)}\n`)
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

/** Writes a value as JSON that is safe to show on a terminal. */
export function json(value: unknown, indent = 0): string {
  return printableLines(JSON.stringify(value, null, indent) ?? 'null')
}

/** Escapes would be taken for text where a program reads them. */
function yaml({ outputIsTerminal }: Terminal, value: unknown): string {
  if (stringify === undefined) throw new TypeError('YAML was not prepared.')
  const text = stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
  return outputIsTerminal ? printableLines(text) : text
}

function flatten(value: unknown, path: string): [string, string][] {
  if (value === null || typeof value !== 'object') return [[path, value === null ? '' : String(value)]]
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`))
}
