import { paint, printable } from '@saltcod/cli-kit'
import type { Terminal } from './terminal.ts'

/** Writes what went wrong as a line on standard error, and what can be done as another one. */
export function complain(terminal: Terminal, message: string, hint?: string): void {
  terminal.err(`${paint(terminal, 'red', 'Error:')} ${printable(message)}\n`)
  if (hint !== undefined) terminal.err(`Hint: ${printable(hint)}\n`)
}
