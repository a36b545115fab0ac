import { addCommand, outputOption } from '@saltcod/cli-kit'
import { Option } from 'commander'
import { VALUE_FORMATS } from '../store/value-text.ts'
import { type CommandLine, settle } from './command-line.ts'
import { addListing, addShowSecrets } from './options.ts'

/** Adds the commands that show rows as they stand in the file. */
export function addRowCommands(line: CommandLine): void {
  const { terminal } = line
  const format = () =>
    new Option('-f, --format <format>', 'how to print values').choices([...VALUE_FORMATS]).default('auto')
  addCommand(line.program, 'buckets <file>', {
    description: 'list the tables and indexes, with their keys counted',
    examples: ['saltcod-inspect buckets jobs.db'],
  })
    .addOption(outputOption())
    .action(async (store, options) => {
      const { buckets } = await import('../commands/buckets.ts')
      await settle(line, buckets(terminal, store, options))
    })
  addListing(
    addCommand(line.program, 'keys <file> <bucket>', {
      description: 'list the keys of a bucket',
      examples: [
        'saltcod-inspect keys jobs.db jobs',
        'saltcod-inspect keys jobs.db index/jobByState --limit 10',
      ],
    }),
  )
    .addOption(
      new Option('-f, --format <format>', 'how to print keys').choices(['auto', 'hex']).default('auto'),
    )
    .action(async (store, bucket, options) => {
      const { keys } = await import('../commands/keys.ts')
      await settle(line, keys(terminal, store, bucket, options))
    })
  addShowSecrets(
    addCommand(line.program, 'get <file> <bucket> <key>', {
      description: 'print the value under a key',
      examples: [
        'saltcod-inspect get jobs.db jobs job-nightly',
        `saltcod-inspect get jobs.db index/jobByName '["default","nightly"]'`,
      ],
    }).addOption(outputOption()),
  )
    .addOption(format())
    .action(async (store, bucket, key, options) => {
      const { get } = await import('../commands/get.ts')
      await settle(line, get(terminal, store, bucket, key, options))
    })
  addShowSecrets(
    addListing(
      addCommand(line.program, 'dump <file> [bucket]', {
        description: 'print every row of a bucket, or of all tables',
        examples: [
          'saltcod-inspect dump jobs.db history',
          'saltcod-inspect dump jobs.db --all --output ndjson --format redacted',
        ],
      }),
    ),
  )
    .addOption(format())
    .action(async (store, bucket, options) => {
      const { dump } = await import('../commands/dump.ts')
      await settle(line, dump(terminal, store, bucket, options))
    })
}
