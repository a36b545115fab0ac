import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { EXIT } from '../exit-code.ts'
import { addExplanationCommands } from './explanation-commands.ts'
import { addFileCommands } from './file-commands.ts'
import { prepareFormat } from './output.ts'
import { addRecordCommands } from './record-commands.ts'
import { addRepairCommands } from './repair-commands.ts'
import type { Terminal } from './terminal.ts'
import { addVerb, type CommandLine, settle } from './verb.ts'

/** Builds the command line of `saltcod-inspect`; the caller parses its arguments with it. */
export function createProgram(terminal: Terminal): CommandLine {
  const program = new Command('saltcod-inspect')
    .description(
      'Opens the store of a Saltcod node, running or stopped, explains it and checks it.\n' +
        'STORE is a store file, or the repository directory of a node (then all its stores);\n' +
        'FILE is one store file, or a directory with one alone.',
    )
    .usage('[command] <store> [arguments]')
    .version(ownVersion())
    .option('--debug', 'show where an unexpected error came from')
    .showHelpAfterError('(see saltcod-inspect --help)')
    .addHelpText(
      'after',
      '\nExit codes: 0 fine, 1 something was found or the record is not there, 2 wrong usage, 3 the store cannot be read.',
    )
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .exitOverride()
    .hook('preAction', async (_, command) => await prepareFormat(command.opts()['output']))
  const line: CommandLine = { program, terminal, exitCode: EXIT.ok }
  addRecordCommands(line)
  addExplanationCommands(line)
  addFileCommands(line)
  addRepairCommands(line)
  addVerb(line, 'completion <shell>', 'print completions for bash, zsh or fish').action(async (shell) => {
    const { completion } = await import('../commands/completion.ts')
    await settle(line, completion(terminal, program, shell))
  })
  return line
}

function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return manifest.version
}
