import Table from 'cli-table3'

import { paint, type TextStyle } from './paint.ts'
import { printable } from './printable.ts'

const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** A cell of a table that is shown in a style where there are colours. */
export interface StyledCell {
  readonly text: string
  readonly style: TextStyle
}

/** Writes rows in aligned columns, under a header unless that is empty. */
export function formatTable(
  terminal: { readonly colour: boolean },
  header: readonly string[],
  rows: readonly (readonly (string | StyledCell)[])[],
): string {
  const table = new Table({
    head: header.map((name) => paint(terminal, 'bold', name)),
    chars: BARE,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  const show = (cell: string | StyledCell): string =>
    typeof cell === 'string' ? printable(cell) : paint(terminal, cell.style, printable(cell.text))
  for (const row of rows) table.push(row.map(show))
  const lines = table.toString().split('\n')
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}
