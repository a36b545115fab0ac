import { addCommand, durationMs, outputOption, wholeNumber } from '@saltcod/cli-kit'
import { boltFileOf, boltFilesOf, refuseOther } from './bolt-options.ts'
import { type CommandLine, settle } from './command-line.ts'

/** Adds the commands that tell of a store as a file: who has it, what it holds, how large it is. */
export function addFileCommands(line: CommandLine): void {
  const { terminal } = line
  addCommand(line.program, 'info <store>', {
    description:
      'what the store says of itself: node, schema, owner, sizes; of BoltDB files, their meta pages',
    examples: ['saltcod-inspect info jobs.db', 'saltcod-inspect info ~/.bacalhau'],
  })
    .addOption(outputOption())
    .action(async (store, options) => {
      const bolt = await boltFilesOf(store)
      if (bolt.length > 0) {
        const { boltInfo } = await import('../bolt/bolt-file-facts.ts')
        return await settle(line, boltInfo(terminal, bolt, options))
      }
      const { info } = await import('../commands/info.ts')
      await settle(line, info(terminal, store, options))
    })
  addCommand(line.program, 'du <store>', {
    description: 'where the bytes are, what would give some back, and who reads',
    examples: [
      'saltcod-inspect du ./repository',
      'saltcod-inspect du jobs.db --age',
      'saltcod-inspect du jobs.db --max-age 30d',
    ],
  })
    .addOption(outputOption())
    .option('--age', 'also records and bytes by kind and age (looks at every record)')
    .option(
      '--config <file>',
      'with the rules of retention of this config file (default: the one in the repository)',
    )
    .option('--max-age <duration>', 'instead of its rules: what ended so long ago, such as 7d', durationMs)
    .option(
      '--max-count <number>',
      'instead of its rules: all but the newest, for each namespace and state',
      wholeNumber,
    )
    .option('--namespace <name>', 'only what rules would remove from this namespace')
    .action(async (store, options) => {
      const { du } = await import('../commands/du.ts')
      await settle(line, du(terminal, store, options))
    })
  addCommand(line.program, 'stats <file>', {
    description: 'rows and pages of each table; of BoltDB files, how their pages are used',
    examples: ['saltcod-inspect stats jobs.db', 'saltcod-inspect stats ~/.bacalhau'],
  })
    .addOption(outputOption())
    .action(async (store, options) => {
      const bolt = await boltFilesOf(store)
      if (bolt.length > 0) {
        const { boltStats } = await import('../bolt/bolt-file-facts.ts')
        return await settle(line, boltStats(terminal, bolt, options))
      }
      const { stats } = await import('../commands/stats.ts')
      await settle(line, stats(terminal, store, options))
    })
  addCommand(line.program, 'pages <file>', {
    description: 'list the pages of a BoltDB file',
    examples: ['saltcod-inspect pages state_boltdb.db'],
  })
    .addOption(outputOption())
    .action(async (store, options) => {
      const bolt = await boltFileOf(store)
      if (bolt === undefined) refuseOther(store, 'stats tells of the pages of each table')
      const { listBoltPages } = await import('../bolt/bolt-file-facts.ts')
      await settle(line, listBoltPages(terminal, bolt, options))
    })
}
