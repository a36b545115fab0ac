import { addCommand } from '@saltcod/cli-kit'
import { type CommandLine, settle } from './command-line.ts'
import { addArchive, addListing } from './options.ts'

/** Adds the commands that tell what has happened. */
export function addHistoryCommands(line: CommandLine): void {
  const { terminal } = line
  addArchive(
    addListing(
      addCommand(line.program, 'history <store> <id>', {
        description: 'the history of a job or an execution, oldest first',
        examples: [
          'saltcod-inspect history jobs.db nightly',
          'saltcod-inspect history executions.db e-1c9f63aa',
          'saltcod-inspect history jobs.db yesterday --archive ./archive',
        ],
      }),
    ),
  )
    .option('--namespace <name>', 'where to look for a name', 'default')
    .option('--since <time>', 'only entries since, such as 2h or a date')
    .action(async (store, id, options) => {
      const { history } = await import('../commands/history.ts')
      await settle(line, history(terminal, store, id, options))
    })
  addListing(
    addCommand(line.program, 'changes <file>', {
      description: 'the change feed, oldest first',
      examples: [
        'saltcod-inspect changes jobs.db --since 1d',
        'saltcod-inspect changes jobs.db --reverse --limit 20',
        'saltcod-inspect changes jobs.db --output ndjson --all',
      ],
    }),
    'transactions; a row is one record that a transaction changed',
  )
    .option('--follow', 'go on with what comes, from now on unless --since or --cursor says otherwise')
    .option('--reverse', 'newest first, from the end or from --cursor back')
    .option('--since <time>', 'only changes since, such as 2h or a date')
    .action(async (store, options) => {
      const { changes } = await import('../commands/changes.ts')
      await settle(line, changes(terminal, store, options))
    })
}
