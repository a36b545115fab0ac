import {
  addCommand,
  addCompletionCommand,
  createProgram,
  DOCUMENT_FORMATS,
  outputOption,
  type Terminal,
} from '@saltcod/cli-kit'
import type { Command } from 'commander'
import { programVersion } from '../version.ts'
import { addArchiveCommands } from './archive-commands.ts'
import { addBacalhauCommands } from './bacalhau-commands.ts'
import { candidatesOf } from './completion.ts'
import { addConfigCommands } from './config-commands.ts'
import { addDockerCommands } from './docker-commands.ts'
import { addNodeFlags, addSettingFlags } from './flags.ts'
import { addJobCommands } from './job-commands.ts'
import { addNodeCommands } from './node-commands.ts'
import { addCompactCommand, addGcCommand } from './retention-commands.ts'
import { addTlsCommands } from './tls-commands.ts'
import { addTokenCommands } from './token-commands.ts'
import { addWasmCommands } from './wasm-commands.ts'

const NOTES = `
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

/** Makes the program with its commands. Parsing throws a `CommanderError` for wrong usage. */
export function createCommandLine(terminal: Terminal): Command {
  const program = createProgram(terminal, {
    name: 'saltcod',
    description: 'Takes jobs, runs them, and comes back with every job where it was.',
    version: `v${programVersion()}`,
    notes: NOTES,
  })
  addServe(program, terminal)
  addJobCommands(program, terminal)
  addDockerCommands(program, terminal)
  addWasmCommands(program, terminal)
  addNodeCommands(program, terminal)
  addGcCommand(program, terminal)
  addArchiveCommands(program, terminal)
  addCompactCommand(program, terminal)
  addConfigCommands(program, terminal)
  addTlsCommands(program, terminal)
  addTokenCommands(program, terminal)
  addRecover(program, terminal)
  addRest(program, terminal)
  addBacalhauCommands(program)
  return program
}

function addServe(program: Command, terminal: Terminal): void {
  const command = addCommand(program, 'serve', {
    summary: 'serve a node',
    description:
      'Serves a node until SIGTERM or Ctrl-C: takes jobs and schedules them (requester), runs them (compute), or both.',
    notes: `
Prints one line to stdout once it takes requests: listening on http://HOST:PORT (https: with --tls). The log goes to stderr.
SIGTERM and Ctrl-C let running work finish first; a second one ends the node at once. SIGHUP reads the configuration again: the log
level, Retention, Compaction (but for AtStart) and Recovery.Interruptions are taken at once, the log names what waits for a start.
`,
    examples: [
      'saltcod serve',
      'saltcod serve --repo /srv/node1 --port 4321 --allow-exec',
      'saltcod serve --node-type requester --tls auto',
      'saltcod serve --node-type compute --orchestrators http://127.0.0.1:1234 --repo /srv/node2 --port 1235',
      'BACALHAU_DIR=/srv/node1 saltcod serve --log-level debug',
    ],
  })
    .option(
      '--fresh',
      'begin an empty store where the node has none at its path, although one was there, or older data or stores at another path or of another node id are; what is there is left alone, and a node that has all its stores is refused',
    )
    .option(
      '--accept-stores',
      'go on with the stores that are there, although the node or the other one of its stores remembers another one in their place, or a newer state of them',
    )
  addSettingFlags(command).action(async (options) => {
    const { serve } = await import('./commands/serve.ts')
    await serve(terminal, options)
  })
}

function addRecover(program: Command, terminal: Terminal): void {
  const command = addCommand(program, 'recover', {
    summary: 'say what a restart would do',
    description: 'Says what a restart would do with every execution that has not ended. Nothing is written.',
    examples: ['saltcod recover', 'saltcod recover --repo /srv/node1 --output json'],
  })
    .option('--plan', 'print the plan, which is all that this command does')
    .addOption(outputOption())
  addSettingFlags(command).action(async (options) => {
    const { recoverPlan } = await import('./commands/recover.ts')
    await recoverPlan(terminal, options)
  })
}

function addRest(program: Command, terminal: Terminal): void {
  const version = addCommand(program, 'version', {
    description: 'Tells the version of this program and of the node.',
    examples: ['saltcod version', 'saltcod version --client --output json'],
  })
    .option('--client', 'do not ask the node')
    .addOption(outputOption(DOCUMENT_FORMATS))
  addNodeFlags(version).action(async (options) => {
    const commands = await import('./commands/version.ts')
    await commands.version(terminal, options)
  })
  addCompletionCommand(program, terminal, {
    description:
      'Prints a script that completes commands, flags, states, formats, job ids and files: for bash, zsh or fish.',
    candidatesOf,
  })
  // What the scripts of the shells ask; its name is in them.
  const jobs = program.command('completion-jobs', { hidden: true }).description('Lists ids of jobs.')
  addNodeFlags(jobs).action(async (options) => {
    const { completionJobs } = await import('./commands/completion-jobs.ts')
    await completionJobs(terminal, options)
  })
}
