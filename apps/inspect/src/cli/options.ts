import { type Command, InvalidArgumentError, Option } from 'commander'
import { FORMATS, type Format } from './output.ts'

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

/** Adds the option that chooses how something is printed. */
export function addOutput(command: Command, choices: readonly Format[] = FORMATS): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to print it').choices([...choices]).default('table'),
  )
}

/** Adds the options of a listing; `counted` is what its limit counts. */
export function addListing(command: Command, counted = 'rows'): Command {
  return addOutput(command)
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

/** Reads a whole number from 1 for an option. Throws where the text is something else. */
export function positiveNumber(text: string): number {
  const number = Number(text)
  if (/^\d{1,15}$/.test(text) && number > 0) return number
  throw new InvalidArgumentError('It must be a whole number from 1.')
}

/** Reads a whole number from 0 for an option. Throws where the text is something else. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 0.')
}

/** Reads a number of bytes, with an optional unit such as kB, MB or GB. Throws where the text is something else. */
export function byteNumber(text: string): number {
  const match = /^(\d{1,12})\s*(kB|MB|GB|TB|B)?$/i.exec(text)
  const factor = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 }[(match?.[2] ?? 'b').toLowerCase()]
  if (match !== null && factor !== undefined) return Number(match[1]) * factor
  throw new InvalidArgumentError('It must be a number of bytes, such as 256MB.')
}

/** Collects the values of an option that may be repeated or list several, separated by commas. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), ...value.split(',').map((part) => part.trim())]
}

/** Makes an option that takes some of the given words, whatever their case. */
export function wordsOption(flags: string, description: string, words: readonly string[]): Option {
  const option = new Option(flags, description).argParser(
    (text: string, earlier: readonly string[] | undefined) => {
      const chosen = collect(text, undefined).map((part) => {
        const word = words.find((candidate) => candidate.toLowerCase() === part.toLowerCase())
        if (word !== undefined) return word
        throw new InvalidArgumentError(`'${part}' is none of ${words.join(', ')}.`)
      })
      return [...(earlier ?? []), ...chosen]
    },
  )
  // For the help and for shells.
  option.argChoices = [...words]
  return option
}

/** How much of a listing the options ask for. */
export function pagingOf({ limit, all, cursor }: ListOptions): {
  limit: number | null
  cursor: string | undefined
} {
  return { limit: all === true ? null : limit, cursor }
}
