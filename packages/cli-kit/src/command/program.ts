import { Command } from 'commander'
import { report } from '../ending/report.ts'
import { prepareFormat } from '../print/format.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { DEBUG, DEBUG_HELP } from './command.ts'

/** What a program says of itself. */
export interface ProgramHelp {
  readonly name: string
  readonly description: string
  readonly version: string
  /** What stands below the list of commands, such as the exit codes. */
  readonly notes: string
}

/**
 * Makes a program without commands, which prints on the terminal. Parsing throws a `CommanderError` for wrong
 * usage.
 */
export function createProgram(
  terminal: Terminal,
  { name, description, version, notes }: ProgramHelp,
): Command {
  return (
    new Command(name)
      .description(description)
      .version(version, '-V, --version', 'print the version of this program')
      .option(DEBUG, DEBUG_HELP)
      // Else an option of the program, such as -V, would be taken out of the line of a command that has one of that
      // name.
      .enablePositionalOptions()
      .helpOption('-h, --help', 'show help')
      .helpCommand('help [command]', 'show help of a command')
      .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
      .configureOutput({
        writeOut: (text) => terminal.out(text),
        writeErr: (text) => terminal.err(text),
        // An error is told where it ends the program.
        outputError: () => undefined,
        getOutHelpWidth: () => terminal.columns,
        getErrHelpWidth: () => terminal.columns,
      })
      .exitOverride()
      .addHelpText('after', `\n${notes.trim()}\n`)
      .hook('preAction', async (_program, command) => {
        refuseEmptyArguments(command)
        await prepareFormat(command.opts()['output'])
      })
  )
}

const LONGEST_TIMER_MS = 2_147_483_647

/** How a program meets what its commands throw. */
export interface RunOptions {
  /** The exit code of what nobody foresaw. */
  readonly unforeseen: number
  /** Makes a `Failure` of an error that the program knows; any other value comes back as it is. */
  readonly failureOf: (error: unknown) => unknown
}

/** Runs a program with its arguments alone, tells what goes wrong, and resolves with the exit code. Never rejects. */
export async function runProgram(
  terminal: Terminal,
  program: Command,
  args: readonly string[],
  { unforeseen, failureOf }: RunOptions,
): Promise<number> {
  // Node ends a process whose last wait keeps nothing alive, such as one for the limit of a request.
  const alive = setInterval(() => undefined, LONGEST_TIMER_MS)
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    return report(terminal, failureOf(error), { unforeseen, debug: args.includes(DEBUG) })
  } finally {
    clearInterval(alive)
  }
}

/** An empty id would otherwise be taken for another question: the one for the list. */
function refuseEmptyArguments(command: Command): void {
  for (const [index, argument] of command.registeredArguments.entries()) {
    if (command.args[index]?.trim() === '') command.error(`error: <${argument.name()}> is empty`)
  }
}
