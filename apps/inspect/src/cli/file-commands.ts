import { Option } from 'commander'
import { VALUE_FORMATS } from '../store/value-text.ts'
import { addListing, addOutput, addShowSecrets, wholeNumber } from './options.ts'
import { addVerb, type CommandLine, settle } from './verb.ts'

/** Adds the commands that speak of the file, its tables and its bytes. */
export function addFileCommands(line: CommandLine): void {
  const { terminal } = line
  addOutput(
    addVerb(line, 'info <store>', 'what the store says of itself: node, schema, owner, sizes'),
  ).action(async (store, options) => {
    const { info } = await import('../commands/info.ts')
    await settle(line, info(terminal, store, options))
  })
  addOutput(addVerb(line, 'du <store>', 'where the bytes are, what would give some back, and who reads'))
    .option('--age', 'also records and bytes by kind and age (looks at every record)')
    .option(
      '--config <file>',
      'with the rules of retention of this config file (default: the one in the repository)',
    )
    .option('--max-age <duration>', 'instead of its rules: what ended so long ago, such as 7d')
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
  addOutput(addVerb(line, 'stats <file>', 'rows and pages of each table')).action(async (store, options) => {
    const { stats } = await import('../commands/stats.ts')
    await settle(line, stats(terminal, store, options))
  })
  addOutput(addVerb(line, 'buckets <file>', 'list the tables and indexes, with their keys counted')).action(
    async (store, options) => {
      const { buckets } = await import('../commands/buckets.ts')
      await settle(line, buckets(terminal, store, options))
    },
  )
  addRowVerbs(line)
}

function addRowVerbs(line: CommandLine): void {
  const { terminal } = line
  const format = () =>
    new Option('-f, --format <format>', 'how to print values').choices([...VALUE_FORMATS]).default('auto')
  addListing(addVerb(line, 'keys <file> <bucket>', 'list the keys of a bucket'))
    .addOption(
      new Option('-f, --format <format>', 'how to print keys').choices(['auto', 'hex']).default('auto'),
    )
    .action(async (store, bucket, options) => {
      const { keys } = await import('../commands/keys.ts')
      await settle(line, keys(terminal, store, bucket, options))
    })
  addShowSecrets(addOutput(addVerb(line, 'get <file> <bucket> <key>', 'print the value under a key')))
    .addOption(format())
    .action(async (store, bucket, key, options) => {
      const { get } = await import('../commands/get.ts')
      await settle(line, get(terminal, store, bucket, key, options))
    })
  addShowSecrets(
    addListing(addVerb(line, 'dump <file> [bucket]', 'print every row of a bucket, or of all tables')),
  )
    .addOption(format())
    .action(async (store, bucket, options) => {
      const { dump } = await import('../commands/dump.ts')
      await settle(line, dump(terminal, store, bucket, options))
    })
}
