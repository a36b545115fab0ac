import { Command } from 'commander'
import { programVersion } from '../version.ts'
import { addArchiveCommands } from './archive-commands.ts'
import { addConfigCommands } from './config-commands.ts'
import { addJobCommands } from './job-commands.ts'
import { addNodeCommands } from './node-commands.ts'
import { addNodeFlags, addSettingFlags, outputOption } from './options.ts'
import { LIST_FORMATS } from './output.ts'
import { addCompactCommand, addGcCommand } from './retention-commands.ts'
import type { Terminal } from './terminal.ts'

const EXIT_CODES = `
Exit codes:
  0    done
  1    failed: the node refused, a job file is wrong, the job that was waited for did not complete, or one of its
       programs ended with another code than 0 (with --exit-code program: that code)
  2    wrong usage or configuration, or a store that is gone or cannot be opened; nothing was written
  3    no node could be reached, or it was lost and did not come back in time
  74   the store of a serving node became unusable; start it again
  130  interrupted by Ctrl-C

Examples:
  $ saltcod serve                          a node on 127.0.0.1:1234, state under ~/.bacalhau
  $ saltcod job run hello.yaml             submit a job and wait for it
  $ saltcod job describe j-1a2b3c4d        what it is, where it stands, what happened
  $ saltcod recover                        what a restart would do now
`

/** Makes the commands of the program. Parsing throws a `CommanderError` for wrong usage. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('saltcod')
    .description('Takes jobs, runs them, and comes back with every job where it was.')
    .version(`v${programVersion()}`, '-V, --version', 'print the version of this program')
    .option('--debug', 'show the cause of an error')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .showSuggestionAfterError(true)
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: () => undefined,
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    })
    .exitOverride()
    .addHelpText('after', EXIT_CODES)
  program.hook('preAction', (_program, command) => refuseEmptyArguments(command))
  addServe(program, terminal)
  addJobCommands(program, terminal)
  addNodeCommands(program, terminal)
  addGcCommand(program, terminal)
  addArchiveCommands(program, terminal)
  addCompactCommand(program, terminal)
  addConfigCommands(program, terminal)
  addRecover(program, terminal)
  addRest(program, terminal)
  return program
}

/** An empty id would otherwise reach the node as another question: the one for the list. */
function refuseEmptyArguments(command: Command): void {
  for (const [index, argument] of command.registeredArguments.entries()) {
    if (command.args[index]?.trim() === '') command.error(`error: <${argument.name()}> is empty`)
  }
}

function addServe(program: Command, terminal: Terminal): void {
  const command = program
    .command('serve')
    .summary('serve a node')
    .description('Serves a node: takes jobs, schedules them, runs them, until SIGTERM or Ctrl-C.')
    .option(
      '--fresh',
      'begin an empty store where the node has none at its path, although one was there, or older data or stores at another path or of another node id are; what is there is left alone, and a node that has all its stores is refused',
    )
    .addHelpText(
      'after',
      `
Prints one line to stdout once it takes requests: listening on http://HOST:PORT. The log goes to stderr.
SIGTERM and Ctrl-C let running work finish first; a second one ends the node at once. SIGHUP reads the configuration again: the log
level, Retention, Compaction (but for AtStart) and Recovery.Interruptions are taken at once, the log names what waits for a start.

Examples:
  $ saltcod serve
  $ saltcod serve --repo /srv/node1 --port 4321 --allow-exec
  $ BACALHAU_DIR=/srv/node1 saltcod serve --log-level debug
`,
    )
  addSettingFlags(command).action(async (options: { readonly fresh?: boolean }) => {
    const { serve } = await import('./commands/serve.ts')
    await serve(terminal, settingArguments(program), options)
  })
}

function addRecover(program: Command, terminal: Terminal): void {
  const command = program
    .command('recover')
    .summary('say what a restart would do')
    .description('Says what a restart would do with every execution that has not ended. Nothing is written.')
    .option('--plan', 'print the plan, which is all that this command does')
    .addOption(outputOption(LIST_FORMATS, 'table'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ saltcod recover\n  $ saltcod recover --repo /srv/node1 --output json\n',
    )
  addSettingFlags(command).action(async (options: { readonly output: string }) => {
    const { recoverPlan } = await import('./commands/recover.ts')
    await recoverPlan(terminal, settingArguments(program), options.output)
  })
}

function addRest(program: Command, terminal: Terminal): void {
  const version = program
    .command('version')
    .description('Tells the version of this program and of the node.')
    .option('--client', 'do not ask the node')
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText('after', '\nExamples:\n  $ saltcod version\n  $ saltcod version --client --output json\n')
  addNodeFlags(version).action(async (options) => {
    const commands = await import('./commands/version.ts')
    await commands.version(terminal, options)
  })
  program
    .command('completion <shell>')
    .description(
      'Prints a script that completes commands, flags, states, formats, job ids and files: for bash, zsh or fish.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ source <(saltcod completion bash)\n  $ saltcod completion fish | source\n',
    )
    .action(async (shell: string, _options: unknown, command: Command) => {
      const { completion, SHELLS } = await import('./commands/completion.ts')
      if (!SHELLS.includes(shell))
        command.error(`error: unknown shell '${shell}', it is one of ${SHELLS.join(', ')}`)
      completion(terminal, program, shell)
    })
  // What the scripts of the shells ask; its name is in them.
  const jobs = program.command('completion-jobs', { hidden: true }).description('Lists ids of jobs.')
  addNodeFlags(jobs).action(async (options) => {
    const { completionJobs } = await import('./commands/completion.ts')
    await completionJobs(terminal, options)
  })
}

/** The arguments as they were typed: settings are read from them by the configuration, which sees every mistake. */
function settingArguments(program: Command): readonly string[] {
  const { rawArgs } = program as Command & { readonly rawArgs: readonly string[] }
  return rawArgs.slice(2)
}
