import { addCommand, outputOption, sizeBytes, wordsOption } from '@saltcod/cli-kit'
import { InvalidArgumentError, Option } from 'commander'
import { type CommandLine, settle } from './command-line.ts'
import { addListing, addShowSecrets } from './options.ts'

/** The engines of this release. */
const ENGINES = ['wasm', 'exec', 'docker', 'noop']
/** Those that a node may have on every machine: after a start a job waits for another one as long as it takes. */
const EVERYWHERE = ['wasm', 'exec', 'noop']

/** Adds the commands that copy a store, take it apart, put it together, or compare two. */
export function addCopyCommands(line: CommandLine): void {
  const { terminal } = line
  addCommand(line.program, 'backup <file> <target>', {
    description: 'copy a store, of a running node too, and check the copy',
    examples: ['saltcod-inspect backup ./repository/n-1-requester/jobs.db backup.db'],
  })
    .addOption(outputOption())
    .option('--max-growth <bytes>', 'give up where the store grows by more meanwhile', sizeBytes, 256_000_000)
    .action(async (store, target, options) => {
      const { backup } = await import('../commands/backup.ts')
      await settle(line, backup(terminal, store, target, options))
    })
  addCommand(line.program, 'restore <backup> <target>', {
    description: 'put a backup where no store is, after a check',
    examples: ['saltcod-inspect restore backup.db restored.db'],
  })
    .addOption(outputOption())
    .action(async (source, target, options) => {
      const { restore } = await import('../commands/restore.ts')
      await settle(line, restore(terminal, source, target, options))
    })
  addInterchangeCommands(line)
  addCommand(line.program, 'unarchive <archive> <id> <store>', {
    description: 'bring a job of an archive back into a stopped store',
    examples: ['saltcod-inspect unarchive ./archive last-year restored.db'],
  })
    .addOption(outputOption())
    .option('--namespace <name>', 'where to look for a name', 'default')
    .action(async (archive, id, store, options) => {
      const { unarchive } = await import('../commands/unarchive.ts')
      await settle(line, unarchive(terminal, archive, id, store, options))
    })
  addDiffCommand(line)
}

/** Adds those that write what other programs read, and read what they wrote. */
function addInterchangeCommands(line: CommandLine): void {
  const { terminal } = line
  addShowSecrets(
    addCommand(line.program, 'export <file> [target]', {
      description:
        'write every record of one store as a line of JSON; or every job as the API of Bacalhau answers it',
      examples: [
        'saltcod-inspect export jobs.db',
        'saltcod-inspect export jobs.db jobs.ndjson --show-secrets',
        'saltcod-inspect export ./repository --format bacalhau',
        'saltcod-inspect export ~/.bacalhau --show-secrets',
      ],
    }),
  )
    .addOption(
      new Option(
        '--format <format>',
        'rows that import takes, or jobs with history and executions (default: that of the source)',
      ).choices(['saltcod', 'bacalhau']),
    )
    .action(async (store, file, options) => {
      const { exportSource } = await import('../commands/export.ts')
      await settle(line, exportSource(terminal, store, file, options))
    })
  addCommand(line.program, 'import <source> [target]', {
    description:
      'make a new store of an export made with --show-secrets, or with --to the stores of a repository of the files of Bacalhau',
    examples: [
      'saltcod-inspect import jobs.ndjson imported.db',
      'saltcod-inspect import ~/.bacalhau --to ./repository',
      'saltcod-inspect import ~/.bacalhau --to ./repository --apply',
    ],
  })
    .addOption(outputOption())
    .addOption(
      new Option(
        '--to <repository>',
        'take the files of Bacalhau; the directory to make its stores in',
      ).argParser(givenPath),
    )
    .option('--apply', 'with --to: do it; without it everything is tried and reported, and nothing is kept')
    .option('--node-id <id>', 'with --to: the id of the node, where it is not that of Bacalhau')
    .addOption(
      wordsOption(
        '--engines <names>',
        `with --to: engines of your nodes; a job for another one comes in as Stopped (default: ${EVERYWHERE.join(',')}; name docker where they run containers)`,
        ENGINES,
      ),
    )
    .action(async (source, target, { engines = EVERYWHERE, ...options }) => {
      const { importSource } = await import('../commands/import.ts')
      await settle(line, importSource(terminal, source, target, { ...options, engines }))
    })
}

/** A variable of a shell that is not set is no wish for the directory in which one happens to be. */
function givenPath(path: string): string {
  if (path.trim() !== '') return path
  throw new InvalidArgumentError('It is empty.')
}

function addDiffCommand(line: CommandLine): void {
  const { terminal } = line
  addListing(
    addCommand(line.program, 'diff <file> <other>', {
      description:
        'list the records that differ between two stores, or between files of Bacalhau and what was made of them; exit code 1 where some do without a reason',
      examples: ['saltcod-inspect diff backup.db jobs.db', 'saltcod-inspect diff ~/.bacalhau ./repository'],
    }),
  )
    .option('--bucket <name>', 'compare this bucket alone')
    .action(async (store, other, options) => {
      const { diff } = await import('../commands/diff.ts')
      await settle(line, diff(terminal, store, other, options))
    })
}
