import { readFileSync } from 'node:fs'
import { addCompletionCommand, createProgram, type Terminal } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import type { CommandLine } from './command-line.ts'
import { candidatesOf } from './completion.ts'
import { addCopyCommands } from './copy-commands.ts'
import { addExplanationCommands } from './explanation-commands.ts'
import { addFileCommands } from './file-commands.ts'
import { addHistoryCommands } from './history-commands.ts'
import { addRecordCommands } from './record-commands.ts'
import { addRepairCommands } from './repair-commands.ts'
import { addRowCommands } from './row-commands.ts'

/** Builds the command line of `saltcod-inspect`; the caller parses its arguments with it. */
export function createCommandLine(terminal: Terminal): CommandLine {
  const program = createProgram(terminal, {
    name: 'saltcod-inspect',
    description:
      'Opens the store of a Saltcod node, running or stopped, explains it and checks it.\n' +
      'STORE is a store file, or the repository directory of a node (then all its stores);\n' +
      'FILE is one store file, or a directory with one alone.\n' +
      'Files of Bacalhau are read too: its BoltDB files, and its repository directory.',
    version: ownVersion(),
    notes:
      'Exit codes: 0 fine, 1 something was found or the record is not there, 2 wrong usage, 3 the store cannot be read.',
  }).usage('[command] <store> [arguments]')
  const line: CommandLine = { program, terminal, exitCode: EXIT.ok }
  addExplanationCommands(line)
  addRecordCommands(line)
  addHistoryCommands(line)
  addFileCommands(line)
  addRowCommands(line)
  addRepairCommands(line)
  addCopyCommands(line)
  addCompletionCommand(program, terminal, {
    description: 'print completions for bash, zsh or fish',
    candidatesOf,
    inPlaceOfCommand: { files: true },
  })
  return line
}

function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return manifest.version
}
