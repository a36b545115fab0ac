import { paint, printable } from '@saltcod/cli-kit'
import { CommanderError } from 'commander'
import { EXIT } from '../exit-code.ts'
import { isFailure } from '../failure.ts'
import { refusalOfPlace } from '../unusable-place.ts'
import { createProgram } from './program.ts'
import type { Terminal } from './terminal.ts'
import { indented } from './words.ts'

/** Runs the program with arguments as `process.argv` has them, and resolves with its exit code. Never rejects. */
export async function run(terminal: Terminal, argv: readonly string[]): Promise<number> {
  const program = createProgram(terminal)
  try {
    await program.parseAsync(argv)
    return EXIT.ok
  } catch (error) {
    const debug = argv.includes('--debug')
    return report(terminal, error, debug)
  }
}

function report(terminal: Terminal, thrown: unknown, debug: boolean): number {
  const error = refusalOfPlace(thrown)
  if (error instanceof CommanderError) return reportUsage(terminal, error)
  if (isFailure(error)) {
    for (const line of error.lines) say(terminal, line)
    if (error.hint !== undefined) terminal.err(`Hint: ${printable(error.hint)}\n`)
    if (debug && error.cause !== undefined) terminal.err(`${inspectCause(error.cause)}\n`)
    return error.exitCode
  }
  const message = error instanceof Error ? error.message : String(error)
  say(terminal, message.split('\n').join(' '))
  terminal.err('Hint: this should not happen; run it again with --debug and report what it prints\n')
  if (debug) terminal.err(`${inspectCause(error)}\n`)
  return EXIT.failed
}

function reportUsage(terminal: Terminal, error: CommanderError): number {
  // Help and version end the parsing like an error, but are what was asked for.
  if (error.exitCode === 0) return EXIT.ok
  if (error.code !== 'commander.help') {
    say(
      terminal,
      error.message
        .replace(/^error: /, '')
        .split('\n')
        .join(' '),
    )
    terminal.err('Hint: see the usage with --help\n')
  }
  return EXIT.usage
}

function say(terminal: Terminal, line: string): void {
  terminal.err(`${paint(terminal, 'red', 'Error:')} ${indented(line, 2)}\n`)
}

function inspectCause(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}
