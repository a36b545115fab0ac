import { addCommand, DOCUMENT_FORMATS, labelsOption, type Terminal, wholeNumber } from '@saltcod/cli-kit'
import { type Command, Option } from 'commander'
import {
  addDocumentFlags,
  addForeignFlags,
  addJobFlags,
  addListFlags,
  addNodeFlags,
  addVersionFlag,
} from './flags.ts'

/** How every command is told which job is meant. */
export const ID_HELP = 'A job is named by its id, the beginning of it (j-1a2b3c4d), or its name.'

/** Adds the commands that only look at jobs: `job list|describe|why|history|executions|versions`. */
export function addJobReads(job: Command, terminal: Terminal): void {
  addList(job, terminal)
  addReads(job, terminal)
  addExecutions(job, terminal)
  addVersions(job, terminal)
}

function addList(job: Command, terminal: Terminal): void {
  const command = addCommand(job, 'list', {
    description: 'Lists jobs, the newest first.',
    examples: [
      'saltcod job list',
      'saltcod job list --state Running,Queued --output json',
      "saltcod job list --labels 'env=prod,tier in (a,b)' --limit 100",
    ],
  })
    .option('--limit <number>', 'how many; 0: as many as one answer holds, 1000', wholeNumber, 10)
    .option('--next-token <token>', 'go on where an earlier listing ended')
    .option('--namespace <name>', 'only jobs of this namespace')
    .option('--state <states>', 'only jobs in these states, with commas between')
    .addOption(labelsOption())
    .option('--order-by <field>', 'created_at or modified_at')
    .option('--order-reversed', 'the oldest first')
  addNodeFlags(addListFlags(command)).action(async (options) => {
    const { jobList } = await import('./commands/job-list.ts')
    await jobList(terminal, options)
  })
}

function addReads(job: Command, terminal: Terminal): void {
  const describe = addCommand(job, 'describe <id>', {
    description: 'Tells all about a job: what it is, where its executions stand, what has happened.',
    notes: ID_HELP,
    examples: ['saltcod job describe j-1a2b3c4d'],
  }).option('--wide', 'whole ids')
  addVersionFlag(
    addDocumentFlags(describe, DOCUMENT_FORMATS),
    'as it was in this version (default: the newest)',
  )
  addJobFlags(describe).action(async (id: string, options) => {
    const { jobDescribe } = await import('./commands/job-describe.ts')
    await jobDescribe(terminal, id, options)
  })
  const why = addCommand(job, 'why <id>', {
    description:
      'Tells what the requester and the nodes know of the executions of a job that have not ended, or of one execution; a compute node alone is asked about its own.',
    notes: `${ID_HELP} An execution is named by its id, or the beginning of it (e-1a2b3c4d).`,
    examples: ['saltcod job why j-1a2b3c4d', 'saltcod job why e-1a2b3c4d --output json'],
  })
  addJobFlags(addDocumentFlags(why, DOCUMENT_FORMATS)).action(async (id: string, options) => {
    const { jobWhy } = await import('./commands/job-why.ts')
    await jobWhy(terminal, id, options)
  })
  const history = addCommand(job, 'history <id>', {
    description: 'Lists what has happened to a job and its executions, oldest first.',
    notes: ID_HELP,
    examples: ['saltcod job history j-1a2b3c4d --event-type execution'],
  })
    .option('--event-type <type>', 'all, job or execution')
    .option('--execution-id <id>', 'only this execution')
    .option('--limit <number>', 'how many; 0: all (default: all)', wholeNumber)
    .option('--next-token <token>', 'go on where an earlier listing ended')
    .addOption(new Option('--all-versions', 'those of older versions of the job are told anyway').hideHelp())
  addVersionFlag(addListFlags(history), 'only of this version of the job (default: of all)')
  addForeignFlags(history, {
    '--node-id <id>': 'a listing as json or csv has the node of each entry',
    '--order-by <field>': 'what happened is told in the order in which it did',
    '--order-reversed': 'what happened is told in the order in which it did; tac turns the lines round',
  })
  addJobFlags(history).action(async (id: string, options) => {
    const { jobHistory } = await import('./commands/job-history.ts')
    await jobHistory(terminal, id, options)
  })
}

function addExecutions(job: Command, terminal: Terminal): void {
  const executions = addCommand(job, 'executions <id>', {
    description: 'Lists the executions of a job.',
    notes: ID_HELP,
    examples: ['saltcod job executions j-1a2b3c4d --output json'],
  })
    .option('--limit <number>', 'how many; 0: all', wholeNumber, 20)
    .option('--next-token <token>', 'go on where an earlier listing ended')
    .option('--order-by <field>', 'created_at, modified_at, id or state')
    .option('--order-reversed', 'the other way round')
    .option('--all-versions', 'those of older versions of the job too')
  addVersionFlag(addListFlags(executions), 'those of this version of the job (default: the newest)')
  addJobFlags(executions).action(async (id: string, options) => {
    const { jobExecutions } = await import('./commands/job-executions.ts')
    await jobExecutions(terminal, id, options)
  })
}

function addVersions(job: Command, terminal: Terminal): void {
  const versions = addCommand(job, 'versions <id>', {
    description: 'Lists the versions of a job, the oldest first.',
    notes: ID_HELP,
    examples: ['saltcod job versions hello', 'saltcod job describe hello --version 1 --output yaml'],
  })
  addJobFlags(addListFlags(versions)).action(async (id: string, options) => {
    const { jobVersions } = await import('./commands/job-versions.ts')
    await jobVersions(terminal, id, options)
  })
}
