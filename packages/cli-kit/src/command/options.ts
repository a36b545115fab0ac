import { isStoreError, parseLabelSelector } from '@saltcod/store-core'
import { parseDuration, parseSize } from '@saltcod/units'
import { InvalidArgumentError, Option } from 'commander'
import { FORMATS, type Format } from '../print/format.ts'

/** Makes the option that chooses how something is printed. */
export function outputOption(choices: readonly Format[] = FORMATS): Option {
  return new Option('-o, --output <format>', 'how to print it').choices([...choices]).default('table')
}

/** Reads a whole number from 0 for an option. Throws where the text is something else. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 0.')
}

/** Reads a whole number from 1 for an option. Throws where the text is something else. */
export function positiveNumber(text: string): number {
  const number = Number(text)
  if (/^\d{1,15}$/.test(text) && number > 0) return number
  throw new InvalidArgumentError('It must be a whole number from 1.')
}

/** Reads a size for an option, in bytes. Throws where the text is something else. */
export function sizeBytes(text: string): number {
  const bytes = parseSize(text)
  if (bytes !== undefined) return bytes
  throw new InvalidArgumentError('It must be a size such as 256MB or 64MiB, or a number of bytes.')
}

/** Reads a duration for an option, in milliseconds. Throws where the text is something else. */
export function durationMs(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw new InvalidArgumentError('It must be a duration such as 90m, 12h or 7d.')
}

/** Makes the option that takes label selectors, under either of its names, for a list of `what`. */
export function labelsOption(what: string = 'jobs'): Option {
  return new Option(
    '--label, --labels <selector>',
    `only ${what} with these labels: key=value, key!=value, key in (a,b), key notin (a,b), key, !key, key>1, key<1, with commas between`,
  ).argParser(collectSelectors)
}

/** Collects the label selectors of an option that may be repeated. Throws where the text is none. */
function collectSelectors(selector: string, earlier: readonly string[] | undefined): readonly string[] {
  try {
    parseLabelSelector(selector)
  } catch (error) {
    if (!isStoreError(error, 'INVALID_ARGUMENT')) throw error
    throw new InvalidArgumentError(`${error.message}: ${error.hint}.`)
  }
  return [...(earlier ?? []), selector]
}

/** Collects the values of an option that may be repeated or list several, separated by commas. */
export function collectWords(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), ...value.split(',').map((part) => part.trim())]
}

/** Makes an option that takes some of the given words, whatever their case. */
export function wordsOption(flags: string, description: string, words: readonly string[]): Option {
  const option = new Option(flags, description).argParser(
    (text: string, earlier: readonly string[] | undefined) => {
      const chosen = collectWords(text, undefined).map((part) => {
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
