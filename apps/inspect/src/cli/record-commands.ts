import { addCommand, collectWords, labelsOption, outputOption, wordsOption } from '@saltcod/cli-kit'
import {
  COMPUTE_STATES,
  EVALUATION_STATUSES,
  EXECUTION_STATES,
  JOB_STATES,
  JOB_TYPES,
} from '@saltcod/store-core'
import { Option } from 'commander'
import { type CommandLine, settle } from './command-line.ts'
import { addArchive, addListing, addShowSecrets } from './options.ts'

const ALL_EXECUTION_STATES = [...new Set([...EXECUTION_STATES, ...COMPUTE_STATES])]

/** Adds the commands that list and show jobs, executions and evaluations. */
export function addRecordCommands(line: CommandLine): void {
  const { terminal } = line
  addArchive(
    addListing(
      addCommand(line.program, 'jobs <store>', {
        description: 'list jobs, newest first',
        examples: [
          'saltcod-inspect jobs jobs.db --state Failed --limit 20',
          'saltcod-inspect jobs jobs.db --namespace default --labels team=blue --since 7d',
          'saltcod-inspect jobs ./repository --output ndjson --all',
          'saltcod-inspect jobs ./repository --archive ./archive --state Completed',
          'saltcod-inspect jobs ~/.bacalhau --in-progress',
        ],
      }),
    ),
  )
    .addOption(wordsOption('--state <state>', 'only jobs in these states', JOB_STATES))
    .addOption(wordsOption('--type <type>', 'only jobs of this type', JOB_TYPES))
    .option('--namespace <name>', 'only jobs of this namespace')
    .addOption(labelsOption())
    .option('--since <time>', 'only jobs created since, such as 2h or a date')
    .option('--in-progress', 'only jobs that have not ended')
    .option('--oldest-first', 'the other way round')
    .action(async (store, options) => {
      const { jobs } = await import('../commands/jobs.ts')
      await settle(line, jobs(terminal, store, options))
    })
  addArchive(
    addShowSecrets(
      addCommand(line.program, 'job <store> <id>', {
        description: 'tell all about a job: id, short id or name',
        examples: [
          'saltcod-inspect job jobs.db nightly',
          'saltcod-inspect job jobs.db nightly --output yaml',
          'saltcod-inspect job jobs.db yesterday --archive ./archive',
        ],
      }).addOption(outputOption()),
    ),
  )
    .option('--namespace <name>', 'where to look for a name', 'default')
    .action(async (store, id, options) => {
      const { job } = await import('../commands/job.ts')
      await settle(line, job(terminal, store, id, options))
    })
  addExecutionCommands(line)
  addEvaluationCommands(line)
}

function addExecutionCommands(line: CommandLine): void {
  const { terminal } = line
  addArchive(
    addListing(
      addCommand(line.program, 'executions <store>', {
        description: 'list executions',
        examples: [
          'saltcod-inspect executions executions.db --in-progress',
          'saltcod-inspect executions jobs.db --job nightly',
          'saltcod-inspect executions ./archive',
        ],
      }),
    ),
  )
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
  addShowSecrets(
    addCommand(line.program, 'execution <store> <id>', {
      description: 'tell all about an execution',
      examples: ['saltcod-inspect execution executions.db e-1c9f63aa'],
    }).addOption(outputOption()),
  ).action(async (store, id, options) => {
    const { execution } = await import('../commands/execution.ts')
    await settle(line, execution(terminal, store, id, options))
  })
}

function addEvaluationCommands(line: CommandLine): void {
  const { terminal } = line
  addListing(
    addCommand(line.program, 'evaluations <store>', {
      description: 'list what the scheduler has done and is to do',
      examples: ['saltcod-inspect evaluations jobs.db --status pending'],
    }),
  )
    .addOption(new Option('--status <status>', 'only of this status').choices([...EVALUATION_STATUSES]))
    .option('--job <id>', 'only evaluations of this job')
    .action(async (store, options) => {
      const { evaluations } = await import('../commands/evaluations.ts')
      await settle(line, evaluations(terminal, store, options))
    })
  addCommand(line.program, 'counts <store>', {
    description: 'records and bytes by kind, namespace and state',
    examples: ['saltcod-inspect counts ./repository --output json'],
  })
    .addOption(outputOption())
    .addOption(new Option('--kind <kind>', 'only this kind').choices(['job', 'execution', 'evaluation']))
    .option('--namespace <name>', 'only this namespace', collectWords)
    .action(async (store, options) => {
      const { counts } = await import('../commands/counts.ts')
      await settle(line, counts(terminal, store, options))
    })
}
