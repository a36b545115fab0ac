import Table from 'cli-table3'

import { paint } from './paint.ts'
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

/** Writes rows in aligned columns, under a header unless that is empty. */
export function formatTable(
  terminal: { readonly colour: boolean },
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const table = new Table({
    head: header.map((name) => paint(terminal, 'bold', name)),
    chars: BARE,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) table.push(row.map((cell) => printable(cell)))
  const lines = table.toString().split('\n')
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}
