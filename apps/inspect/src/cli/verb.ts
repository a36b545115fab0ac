import type { Command } from 'commander'
import type { ExitCode } from '../exit-code.ts'
import { EXIT } from '../exit-code.ts'
import { EXAMPLES } from './examples.ts'
import type { Terminal } from './terminal.ts'

/** What the definitions of commands share. */
export interface CommandLine {
  readonly program: Command
  readonly terminal: Terminal
  exitCode: ExitCode
}

/** Adds a command with its examples; its arguments follow from `usage`, for instance `job <store> <id>`. */
export function addVerb(line: CommandLine, usage: string, description: string): Command {
  const name = usage.split(' ')[0] ?? ''
  const examples = EXAMPLES[name] ?? []
  const command = line.program.command(usage).description(description)
  if (examples.length > 0) command.addHelpText('after', `\nExamples:\n  ${examples.join('\n  ')}`)
  return command
}

/** Runs the body of a command and keeps its exit code. */
export async function settle(line: CommandLine, body: Promise<ExitCode | undefined>): Promise<void> {
  line.exitCode = (await body) ?? EXIT.ok
}
