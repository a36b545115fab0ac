import { addCommand, outputOption, positiveNumber } from '@saltcod/cli-kit'
import { boltFilesOf } from './bolt-options.ts'
import { type CommandLine, settle } from './command-line.ts'

/** Adds the commands that check a store and mend one. */
export function addRepairCommands(line: CommandLine): void {
  const { terminal } = line
  addCommand(line.program, 'check <store>', {
    description:
      'check every rule of the store; of a stopped one also every page; of BoltDB files, the pages',
    examples: [
      'saltcod-inspect check ./repository',
      'saltcod-inspect check jobs.db --output json',
      'saltcod-inspect check ~/.bacalhau',
    ],
  })
    .addOption(outputOption())
    .option('--max-findings <number>', 'stop listing after so many', positiveNumber, 1_000)
    .action(async (store, options) => {
      const bolt = await boltFilesOf(store)
      if (bolt.length > 0) {
        const { boltCheck } = await import('../bolt/bolt-check.ts')
        return await settle(line, boltCheck(terminal, bolt, options))
      }
      const { check } = await import('../commands/check.ts')
      await settle(line, check(terminal, store, options))
    })
  addCommand(line.program, 'repair <file> [target]', {
    description: 'rebuild indexes and counters of a stopped store, into a new file',
    examples: ['saltcod-inspect repair jobs.db repaired.db'],
  })
    .addOption(outputOption())
    .option('--in-place', "put the new file in the store's place, and keep the old one beside it")
    .action(async (store, target, options) => {
      const { repair } = await import('../commands/repair.ts')
      await settle(line, repair(terminal, store, target, options))
    })
  addCommand(line.program, 'salvage <file> <target>', {
    description: 'save every record of a damaged store that can be decoded into a new one',
    examples: ['saltcod-inspect salvage jobs.db salvaged.db'],
  })
    .addOption(outputOption())
    .action(async (store, target, options) => {
      const { salvage } = await import('../commands/salvage.ts')
      await settle(line, salvage(terminal, store, target, options))
    })
  addCommand(line.program, 'compact <file> <target>', {
    description: 'copy the live rows of a stopped store into a new, small file',
    examples: ['saltcod-inspect compact executions.db small.db'],
  })
    .addOption(outputOption())
    .action(async (store, target, options) => {
      const { compact } = await import('../commands/compact.ts')
      await settle(line, compact(terminal, store, target, options))
    })
}
