import type { Command } from 'commander'
import { addNodeFlags, outputOption, wholeNumber } from './options.ts'
import { LIST_FORMATS } from './output.ts'
import type { Terminal } from './terminal.ts'

const ID_HELP = `
A job is named by its id, the beginning of it (j-1a2b3c4d), or its name. The node has an archive where
Node.Requester.Archive.Directory is set in its configuration.
`

/** Adds `archive list|show|restore`. */
export function addArchiveCommands(program: Command, terminal: Terminal): void {
  const archive = program
    .command('archive')
    .description('Looks at the jobs that were archived before they were removed, and brings them back.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ saltcod archive list --limit 100\n  $ saltcod archive restore j-1a2b3c4d\n',
    )
  const list = archive
    .command('list')
    .description('Lists the jobs of the archive, in the order in which they were archived.')
    .option('--limit <number>', 'how many', wholeNumber, 10)
    .option('--next-token <token>', 'go on where an earlier listing ended')
    .option('--namespace <name>', 'only jobs of this namespace')
    .option('--wide', 'whole ids')
    .addOption(outputOption(LIST_FORMATS, 'table'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ saltcod archive list\n  $ saltcod archive list --namespace science --limit 1000 --output json\n',
    )
  addNodeFlags(list).action(async (options) => {
    const { archiveList } = await import('./commands/archive-list.ts')
    await archiveList(terminal, options)
  })
  const show = archive
    .command('show <id>')
    .description('Tells all about a job of the archive: what it was, its executions, what happened.')
    .option('--namespace <name>', 'where to look for a name')
    .option('--wide', 'whole ids')
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText('after', `${ID_HELP}\nExamples:\n  $ saltcod archive show j-1a2b3c4d\n`)
  addNodeFlags(show).action(async (id: string, options) => {
    const { archiveShow } = await import('./commands/archive-show.ts')
    await archiveShow(terminal, id, options)
  })
  const restore = archive
    .command('restore <id>')
    .description(
      'Brings a job back from the archive with everything that belongs to it. It is held, so that retention does not remove it again at once: see `job release`.',
    )
    .option('--namespace <name>', 'where to look for a name')
    .addOption(outputOption(['table', 'json', 'yaml'], 'table'))
    .addHelpText('after', `${ID_HELP}\nExamples:\n  $ saltcod archive restore j-1a2b3c4d\n`)
  addNodeFlags(restore).action(async (id: string, options) => {
    const { archiveRestore } = await import('./commands/archive-restore.ts')
    await archiveRestore(terminal, id, options)
  })
}
