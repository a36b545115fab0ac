import { paint } from '../display/paint.ts'
import { indented } from '../display/printable.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** Writes what went wrong to standard error, one thing a line, and what can be done as another line. */
export function complain(terminal: Terminal, problems: string | readonly string[], hint?: string): void {
  for (const problem of typeof problems === 'string' ? [problems] : problems) {
    terminal.err(`${paint(terminal, 'red', 'Error:')} ${indented(problem, 2)}\n`)
  }
  if (hint !== undefined) terminal.err(`Hint: ${indented(hint, 2)}\n`)
}
