import { CommanderError } from 'commander'
import type { Terminal } from '../terminal/terminal.ts'
import { complain } from './complaint.ts'
import { COMMON_EXIT } from './exit-code.ts'
import { isFailure } from './failure.ts'

/** What is told of an error beside the error itself. */
export interface ReportOptions {
  /** The exit code of what nobody foresaw. */
  readonly unforeseen: number
  /** Where an error came from is wanted too. */
  readonly debug: boolean
}

/**
 * Says on standard error why a command ended, and returns the exit code. An error that nobody foresaw is told as
 * one.
 */
export function report(terminal: Terminal, error: unknown, { unforeseen, debug }: ReportOptions): number {
  if (error instanceof CommanderError) return reportUsage(terminal, error)
  if (isFailure(error)) {
    complain(terminal, error.lines, error.hint)
    if (debug && error.cause !== undefined) terminal.err(`${stackOf(error.cause)}\n`)
    return error.exitCode
  }
  const message = error instanceof Error ? error.message : String(error)
  complain(
    terminal,
    message.split('\n').join(' '),
    'this should not happen; run it again with --debug and report what it prints',
  )
  if (debug) terminal.err(`${stackOf(error)}\n`)
  return unforeseen
}

function reportUsage(terminal: Terminal, error: CommanderError): number {
  // Help and version end the parsing like an error, but are what was asked for.
  if (error.exitCode === 0) return COMMON_EXIT.ok
  if (error.code !== 'commander.help') {
    const message = error.message.replace(/^error: /, '').split('\n')
    complain(terminal, message.join(' '), 'see the usage with --help')
  }
  return COMMON_EXIT.usage
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
