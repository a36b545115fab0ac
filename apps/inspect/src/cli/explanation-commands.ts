import { EVALUATION_STATUSES } from '@saltcod/store-core'
import { Option } from 'commander'
import { addArchive, addListing, addOutput, collect } from './options.ts'
import { addVerb, type CommandLine, settle } from './verb.ts'

/** Adds the commands that speak of what has happened and what is to come. */
export function addExplanationCommands(line: CommandLine): void {
  const { terminal } = line
  addArchive(
    addOutput(
      addVerb(
        line,
        'why <store> <id>',
        'why a job or execution is where it is, since when, and what happens next',
      ),
    ),
  )
    .option('--namespace <name>', 'where to look for a name', 'default')
    .action(async (store, id, options) => {
      const { why } = await import('../commands/why.ts')
      await settle(line, why(terminal, store, id, options))
    })
  addArchive(
    addListing(addVerb(line, 'history <store> <id>', 'the history of a job or an execution, oldest first')),
  )
    .option('--namespace <name>', 'where to look for a name', 'default')
    .option('--since <time>', 'only entries since, such as 2h or a date')
    .action(async (store, id, options) => {
      const { history } = await import('../commands/history.ts')
      await settle(line, history(terminal, store, id, options))
    })
  addListing(
    addVerb(line, 'changes <file>', 'the change feed, oldest first'),
    'transactions; a row is one record that a transaction changed',
  )
    .option('--follow', 'go on with what comes, from now on unless --since or --cursor says otherwise')
    .option('--since <time>', 'only changes since, such as 2h or a date')
    .action(async (store, options) => {
      const { changes } = await import('../commands/changes.ts')
      await settle(line, changes(terminal, store, options))
    })
  addListing(addVerb(line, 'evaluations <store>', 'list what the scheduler has done and is to do'))
    .addOption(new Option('--status <status>', 'only of this status').choices([...EVALUATION_STATUSES]))
    .option('--job <id>', 'only evaluations of this job')
    .action(async (store, options) => {
      const { evaluations } = await import('../commands/evaluations.ts')
      await settle(line, evaluations(terminal, store, options))
    })
  addOutput(
    addVerb(line, 'recover <store>', 'what a restart would do with each execution if the node stopped now'),
  )
    .option('--plan', 'show the plan, which is all that recover does: a node carries it out when it starts')
    .addOption(new Option('--preset <name>', 'by this policy').choices(['resume', 'expire']))
    .option('--config <file>', 'by the policy of this config file (default: the one in the repository)')
    .option('--wide', 'whole ids in a table')
    .action(async (store, options) => {
      const { recover } = await import('../commands/recover.ts')
      await settle(line, recover(terminal, store, options))
    })
  addOutput(addVerb(line, 'counts <store>', 'records and bytes by kind, namespace and state'))
    .addOption(new Option('--kind <kind>', 'only this kind').choices(['job', 'execution', 'evaluation']))
    .option('--namespace <name>', 'only this namespace', collect)
    .action(async (store, options) => {
      const { counts } = await import('../commands/counts.ts')
      await settle(line, counts(terminal, store, options))
    })
}
