import { addCommand, outputOption } from '@saltcod/cli-kit'
import { Option } from 'commander'
import { BOLT_FORMATS } from '../bolt/bolt-text.ts'
import { boltFileOf, boltPaging, refuseNested } from './bolt-options.ts'
import { type CommandLine, settle } from './command-line.ts'
import { addListing, addShowSecrets } from './options.ts'

/** Adds the commands that show rows as they stand in the file. */
export function addRowCommands(line: CommandLine): void {
  const { terminal } = line
  addCommand(line.program, 'buckets <file> [bucket...]', {
    description:
      'list the tables and indexes, with their keys counted; of a BoltDB file, the buckets (in a bucket)',
    examples: ['saltcod-inspect buckets jobs.db', 'saltcod-inspect buckets state_boltdb.db jobs'],
  })
    .addOption(outputOption())
    .action(async (store, names, options) => {
      const bolt = await boltFileOf(store)
      if (bolt !== undefined) {
        const { boltBuckets } = await import('../bolt/bolt-rows.ts')
        return await settle(line, boltBuckets(terminal, bolt, names, options))
      }
      refuseNested(store, names)
      const { buckets } = await import('../commands/buckets.ts')
      await settle(line, buckets(terminal, store, options))
    })
  addListing(
    addCommand(line.program, 'keys <file> <bucket...>', {
      description: 'list the keys of a bucket; of a BoltDB file all of them, where --limit is not given',
      examples: [
        'saltcod-inspect keys jobs.db jobs',
        'saltcod-inspect keys state_boltdb.db jobs j-0148d936 executions',
        'saltcod-inspect keys jobs.db index/jobByState --limit 10',
      ],
    }),
  )
    .addOption(
      new Option('-f, --format <format>', 'how to print keys').choices([...BOLT_FORMATS]).default('auto'),
    )
    .action(async (store, names: readonly string[], options, command) => {
      const bolt = await boltFileOf(store)
      if (bolt !== undefined) {
        const { boltKeys } = await import('../bolt/bolt-rows.ts')
        return await settle(
          line,
          boltKeys(terminal, bolt, names, { ...options, ...boltPaging(options, command) }),
        )
      }
      const [bucket = '', ...nested] = names
      refuseNested(store, nested)
      const { keys } = await import('../commands/keys.ts')
      await settle(line, keys(terminal, store, bucket, options))
    })
  addValueCommands(line)
}

/** Adds those that print values. */
function addValueCommands(line: CommandLine): void {
  const { terminal } = line
  const format = () =>
    new Option('-f, --format <format>', 'how to print values').choices([...BOLT_FORMATS]).default('auto')
  addShowSecrets(
    addCommand(line.program, 'get <file> <bucket> <key...>', {
      description:
        'print the value under a key; of a BoltDB file also in nested buckets: get FILE BUCKET... KEY',
      examples: [
        'saltcod-inspect get jobs.db jobs job-nightly',
        `saltcod-inspect get jobs.db index/jobByName '["default","nightly"]'`,
      ],
    }).addOption(outputOption()),
  )
    .addOption(format())
    .addOption(
      new Option('--parse-format <format>', 'how the key of a BoltDB file is given')
        .choices(['ascii-encoded', 'hex'])
        .default('ascii-encoded'),
    )
    .action(async (store, bucket, keys: readonly string[], options) => {
      const bolt = await boltFileOf(store)
      if (bolt !== undefined) {
        const { boltGet } = await import('../bolt/bolt-rows.ts')
        return await settle(line, boltGet(terminal, bolt, [bucket, ...keys], { ...options, limit: null }))
      }
      const [key = '', ...nested] = keys
      refuseNested(store, nested)
      const { get } = await import('../commands/get.ts')
      await settle(line, get(terminal, store, bucket, key, options))
    })
  addShowSecrets(
    addListing(
      addCommand(line.program, 'dump <file> [bucket...]', {
        description:
          'print every row of a bucket, or of all tables; of a BoltDB file with those of nested buckets, or the bytes of pages',
        examples: [
          'saltcod-inspect dump jobs.db history',
          'saltcod-inspect dump jobs.db --all --output ndjson --format redacted',
        ],
      }),
    ),
  )
    .addOption(format())
    .action(async (store, names: readonly string[], options, command) => {
      const bolt = await boltFileOf(store)
      if (bolt !== undefined) {
        const { boltDump } = await import('../bolt/bolt-dump.ts')
        return await settle(
          line,
          boltDump(terminal, bolt, names, { ...options, ...boltPaging(options, command) }),
        )
      }
      const [bucket, ...nested] = names
      refuseNested(store, nested)
      const { dump } = await import('../commands/dump.ts')
      await settle(line, dump(terminal, store, bucket, options))
    })
}
