import { printable } from './printable.ts'

/**
 * Writes one row of comma-separated values (RFC 4180) with the end of its line; control characters are escaped as
 * in a table.
 */
export function formatCsvLine(cells: readonly string[]): string {
  const line = cells.map((cell) => {
    const text = printable(cell)
    return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  })
  return `${line.join(',')}\n`
}
