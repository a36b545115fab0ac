import { type Format, outputOption, positiveNumber } from '@saltcod/cli-kit'
import { type Command, Option } from 'commander'

/** Options that every reading command has. */
export interface ReadOptions {
  readonly output: Format
}

/** Options of a listing. */
export interface ListOptions extends ReadOptions {
  readonly limit: number
  readonly all?: boolean
  readonly cursor?: string
  readonly oldestFirst?: boolean
  readonly wide?: boolean
}

const DEFAULT_LIMIT = 100

/** Adds the options of a listing; `counted` is what its limit counts. */
export function addListing(command: Command, counted = 'rows'): Command {
  return command
    .addOption(outputOption())
    .addOption(
      new Option('--limit <number>', `at most so many ${counted}`)
        .argParser(positiveNumber)
        .default(DEFAULT_LIMIT),
    )
    .option('--all', 'every row, however many there are')
    .option('--cursor <text>', 'go on where an earlier listing stopped')
    .option('--wide', 'whole ids and texts in a table')
}

/** Adds the option that reads an archive too. */
export function addArchive(command: Command): Command {
  return command.option('--archive <directory>', 'look also among the jobs that were archived there')
}

/** Adds the option that shows the values of environment variables and passwords. */
export function addShowSecrets(command: Command): Command {
  return command.option('--show-secrets', 'print environment variables and passwords instead of hiding them')
}

/** How much of a listing the options ask for. */
export function pagingOf({ limit, all, cursor }: ListOptions): {
  limit: number | null
  cursor: string | undefined
} {
  return { limit: all === true ? null : limit, cursor }
}
