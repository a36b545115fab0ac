import { formatCsvLine } from '../display/csv.ts'
import type { TextStyle } from '../display/paint.ts'
import { formatTable, type StyledCell } from '../display/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type Format, json, yaml } from './format.ts'

/** One column of a table or of comma-separated values. */
export interface Column<T> {
  readonly name: string
  readonly value: (item: T) => string
  /** The style of a cell in a table. */
  readonly style?: (item: T) => TextStyle
}

const TABLE_ROWS_AT_ONCE = 500

/** Prints a listing row by row, so that its length costs no memory. Call {@link RowPrinter.end} after the last. */
export class RowPrinter<T> {
  count = 0
  readonly #terminal: Terminal
  readonly #format: Format
  readonly #columns: readonly Column<T>[]
  readonly #toRow: (item: T) => unknown
  #pending: (string | StyledCell)[][] = []
  #headed = false

  /** Takes how an item is printed whole; as it is unless told otherwise. */
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

  /** Leaves out the header of a table and of comma-separated values. */
  hideHeader(): void {
    this.#headed = true
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
    this.#print(this.#pending)
    this.#pending = []
  }

  /**
   * Finishes the listing. A table without rows says `empty` on standard error; where that is `null`, it is its
   * header.
   */
  end(empty: string | null = 'nothing'): void {
    if (this.#format === 'json') this.#terminal.out(this.count === 0 ? '[]\n' : '\n]\n')
    if (this.#format === 'yaml' && this.count === 0) this.#terminal.out('[]\n')
    if (this.#format === 'csv') this.#head()
    if (this.#format === 'table' && this.count === 0) {
      if (empty === null && !this.#headed) this.#print([])
      if (empty !== null) this.#terminal.err(`${empty}\n`)
    }
    this.flush()
  }

  #print(rows: readonly (readonly (string | StyledCell)[])[]): void {
    const header = this.#headed ? [] : this.#columns.map((column) => column.name)
    this.#headed = true
    this.#terminal.out(formatTable(this.#terminal, header, rows))
  }

  #head(): void {
    if (this.#headed) return
    this.#headed = true
    this.#terminal.out(formatCsvLine(this.#columns.map((column) => column.name)))
  }
}

/** How a listing is printed. */
export interface ListOptions<T> {
  /** How an item is printed whole; as it is where absent. */
  readonly toRow?: (item: T) => unknown
  /** Of a table and of comma-separated values the rows alone are printed. */
  readonly hideHeader?: boolean | undefined
}

/**
 * Prints a listing that is there as a whole; JSON is one indented document, and a table has its header also where
 * nothing is in it.
 */
export function printList<T>(
  terminal: Terminal,
  format: Format,
  items: readonly T[],
  columns: readonly Column<T>[],
  { toRow = (item) => item, hideHeader = false }: ListOptions<T> = {},
): void {
  if (format === 'json') {
    terminal.out(`${json(items.map(toRow), 2)}\n`)
    return
  }
  const printer = new RowPrinter(terminal, format, columns, toRow)
  if (hideHeader) printer.hideHeader()
  for (const item of items) printer.add(item)
  printer.end(null)
}
