import type { Terminal } from '@saltcod/cli-kit'
import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../exit-code.ts'

/** What the definitions of commands share. */
export interface CommandLine {
  readonly program: Command
  readonly terminal: Terminal
  /** That of the command that has run. */
  exitCode: ExitCode
}

/** Runs the body of a command and keeps its exit code. */
export async function settle(line: CommandLine, body: Promise<ExitCode | undefined>): Promise<void> {
  line.exitCode = (await body) ?? EXIT.ok
}
