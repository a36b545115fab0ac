import { COMPUTE_STATES, EXECUTION_STATES, JOB_STATES, JOB_TYPES } from '@saltcod/store-core'
import { collectLabel } from './label-selector.ts'
import { addArchive, addListing, addOutput, addShowSecrets, wordsOption } from './options.ts'
import { addVerb, type CommandLine, settle } from './verb.ts'

const ALL_EXECUTION_STATES = [...new Set([...EXECUTION_STATES, ...COMPUTE_STATES])]

/** Adds the commands that speak of jobs and executions as they are. */
export function addRecordCommands(line: CommandLine): void {
  const { terminal } = line
  addOutput(
    addVerb(line, 'summary <store>', 'what an operator wants to know first (the default command)'),
  ).action(async (store, options) => {
    const { summary } = await import('../commands/summary.ts')
    await settle(line, summary(terminal, store, options))
  })
  addArchive(addListing(addVerb(line, 'jobs <store>', 'list jobs, newest first')))
    .addOption(wordsOption('--state <state>', 'only jobs in these states', JOB_STATES))
    .addOption(wordsOption('--type <type>', 'only jobs of this type', JOB_TYPES))
    .option('--namespace <name>', 'only jobs of this namespace')
    .option('--label <condition>', 'only jobs whose labels fit, such as team=blue', collectLabel)
    .option('--since <time>', 'only jobs created since, such as 2h or a date')
    .option('--in-progress', 'only jobs that have not ended')
    .option('--oldest-first', 'the other way round')
    .action(async (store, options) => {
      const { jobs } = await import('../commands/jobs.ts')
      await settle(line, jobs(terminal, store, options))
    })
  addArchive(
    addShowSecrets(
      addOutput(addVerb(line, 'job <store> <id>', 'tell all about a job: id, short id or name')),
    ),
  )
    .option('--namespace <name>', 'where to look for a name', 'default')
    .action(async (store, id, options) => {
      const { job } = await import('../commands/job.ts')
      await settle(line, job(terminal, store, id, options))
    })
  addArchive(addListing(addVerb(line, 'executions <store>', 'list executions')))
    .addOption(wordsOption('--state <state>', 'only executions in these states', ALL_EXECUTION_STATES))
    .option('--job <id>', 'only executions of this job')
    .option('--node <id>', 'only executions on this node')
    .option('--namespace <name>', 'only executions of this namespace')
    .addOption(wordsOption('--type <type>', 'only executions of jobs of this type', JOB_TYPES))
    .option('--since <time>', 'only executions created since, such as 2h or a date')
    .option('--in-progress', 'only executions that have not ended')
    .option('--oldest-first', 'the other way round')
    .action(async (store, options) => {
      const { executions } = await import('../commands/executions.ts')
      await settle(line, executions(terminal, store, options))
    })
  addShowSecrets(addOutput(addVerb(line, 'execution <store> <id>', 'tell all about an execution'))).action(
    async (store, id, options) => {
      const { execution } = await import('../commands/execution.ts')
      await settle(line, execution(terminal, store, id, options))
    },
  )
}
