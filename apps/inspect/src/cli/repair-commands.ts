import { addListing, addOutput, addShowSecrets, byteNumber, positiveNumber } from './options.ts'
import { addVerb, type CommandLine, settle } from './verb.ts'

/** Adds the commands that look after a store. */
export function addRepairCommands(line: CommandLine): void {
  const { terminal } = line
  addOutput(addVerb(line, 'check <store>', 'check every rule of the store; of a stopped one also every page'))
    .option('--max-findings <number>', 'stop listing after so many', positiveNumber, 1_000)
    .action(async (store, options) => {
      const { check } = await import('../commands/check.ts')
      await settle(line, check(terminal, store, options))
    })
  addOutput(
    addVerb(
      line,
      'repair <file> [target]',
      'rebuild indexes and counters of a stopped store, into a new file',
    ),
  )
    .option('--in-place', "put the new file in the store's place, and keep the old one beside it")
    .action(async (store, target, options) => {
      const { repair } = await import('../commands/repair.ts')
      await settle(line, repair(terminal, store, target, options))
    })
  addOutput(
    addVerb(
      line,
      'salvage <file> <target>',
      'save every record of a damaged store that can be decoded into a new one',
    ),
  ).action(async (store, target, options) => {
    const { salvage } = await import('../commands/salvage.ts')
    await settle(line, salvage(terminal, store, target, options))
  })
  addOutput(
    addVerb(line, 'compact <file> <target>', 'copy the live rows of a stopped store into a new, small file'),
  ).action(async (store, target, options) => {
    const { compact } = await import('../commands/compact.ts')
    await settle(line, compact(terminal, store, target, options))
  })
  addCopyVerbs(line)
}

function addCopyVerbs(line: CommandLine): void {
  const { terminal } = line
  addOutput(
    addVerb(line, 'backup <file> <target>', 'copy a store, of a running node too, and check the copy'),
  )
    .option(
      '--max-growth <bytes>',
      'give up where the store grows by more meanwhile',
      byteNumber,
      256_000_000,
    )
    .action(async (store, target, options) => {
      const { backup } = await import('../commands/backup.ts')
      await settle(line, backup(terminal, store, target, options))
    })
  addOutput(
    addVerb(line, 'restore <backup> <target>', 'put a backup where no store is, after a check'),
  ).action(async (source, target, options) => {
    const { restore } = await import('../commands/restore.ts')
    await settle(line, restore(terminal, source, target, options))
  })
  addShowSecrets(addVerb(line, 'export <file> [target]', 'write every record as a line of JSON')).action(
    async (store, file, options) => {
      const { exportStore } = await import('../commands/export.ts')
      await settle(line, exportStore(terminal, store, file, options))
    },
  )
  addOutput(
    addVerb(line, 'import <export> <target>', 'make a new store of an export made with --show-secrets'),
  ).action(async (file, target, options) => {
    const { importStore } = await import('../commands/import.ts')
    await settle(line, importStore(terminal, file, target, options))
  })
  addOutput(
    addVerb(line, 'unarchive <archive> <id> <store>', 'bring a job of an archive back into a stopped store'),
  )
    .option('--namespace <name>', 'where to look for a name', 'default')
    .action(async (archive, id, store, options) => {
      const { unarchive } = await import('../commands/unarchive.ts')
      await settle(line, unarchive(terminal, archive, id, store, options))
    })
  addListing(addVerb(line, 'diff <file> <other>', 'list the records that differ; exit code 1 where some do'))
    .option('--bucket <name>', 'compare this bucket alone')
    .action(async (store, other, options) => {
      const { diff } = await import('../commands/diff.ts')
      await settle(line, diff(terminal, store, other, options))
    })
}
