import { addCommand, DOCUMENT_FORMATS, outputOption, type Terminal, wholeNumber } from '@saltcod/cli-kit'
import type { Command } from 'commander'
import { addListFlags, addNodeFlags } from './flags.ts'

const ID_HELP = `
A job is named by its id, the beginning of it (j-1a2b3c4d), or its name. The node has an archive where
Node.Requester.Archive.Directory is set in its configuration.
`

/** Adds `archive list|show|restore`. */
export function addArchiveCommands(program: Command, terminal: Terminal): void {
  const archive = addCommand(program, 'archive', {
    description: 'Looks at the jobs that were archived before they were removed, and brings them back.',
    examples: ['saltcod archive list --limit 100', 'saltcod archive restore j-1a2b3c4d'],
  })
  const list = addCommand(archive, 'list', {
    description: 'Lists the jobs of the archive, in the order in which they were archived.',
    examples: ['saltcod archive list', 'saltcod archive list --namespace science --limit 1000 --output json'],
  })
    .option('--limit <number>', 'how many; 0: as many as one answer holds, 1000', wholeNumber, 10)
    .option('--next-token <token>', 'go on where an earlier listing ended')
    .option('--namespace <name>', 'only jobs of this namespace')
  addNodeFlags(addListFlags(list)).action(async (options) => {
    const { archiveList } = await import('./commands/archive-list.ts')
    await archiveList(terminal, options)
  })
  const show = addCommand(archive, 'show <id>', {
    description: 'Tells all about a job of the archive: what it was, its executions, what happened.',
    notes: ID_HELP,
    examples: ['saltcod archive show j-1a2b3c4d'],
  })
    .option('--namespace <name>', 'where to look for a name')
    .option('--wide', 'whole ids')
    .addOption(outputOption(DOCUMENT_FORMATS))
  addNodeFlags(show).action(async (id: string, options) => {
    const { archiveShow } = await import('./commands/archive-show.ts')
    await archiveShow(terminal, id, options)
  })
  const restore = addCommand(archive, 'restore <id>', {
    description:
      'Brings a job back from the archive with everything that belongs to it. It is held, so that retention does not remove it again at once: see `job release`.',
    notes: ID_HELP,
    examples: ['saltcod archive restore j-1a2b3c4d'],
  })
    .option('--namespace <name>', 'where to look for a name')
    .addOption(outputOption(DOCUMENT_FORMATS))
  addNodeFlags(restore).action(async (id: string, options) => {
    const { archiveRestore } = await import('./commands/archive-restore.ts')
    await archiveRestore(terminal, id, options)
  })
}
