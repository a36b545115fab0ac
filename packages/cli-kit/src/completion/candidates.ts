import { Argument, type Command, type Option } from 'commander'

/** What a shell may offer in one place of a command line. */
export interface Candidates {
  readonly words?: readonly string[]
  /** Names of files and directories too. */
  readonly files?: boolean
  /** A hidden command that prints more words, a line each. */
  readonly ask?: Question
}

/** How a script of a shell asks the program for words. */
export interface Question {
  readonly command: string
  /** The options of the command line being completed that are handed on, with their values. */
  readonly passOn: readonly string[]
}

/**
 * Tells what may stand in the place of an argument or of an option's value; `undefined` where its own declaration
 * says all.
 */
export type CandidatesOf = (place: Argument | Option, command: Command) => Candidates | undefined

/** An option as a shell completes it. */
export interface OfferedOption {
  /** With its dashes. */
  readonly name: string
  readonly description: string
  /** What its value may be; absent where it takes none. */
  readonly value?: Candidates
}

/** A command as a shell completes it. */
export interface OfferedCommand {
  /** The words before, such as `job list`; empty at the top. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly OfferedOption[]
  /** What its arguments may be. */
  readonly argument: Candidates
}

/** What an app knows of its own command line. */
export interface CompletionOptions {
  readonly description: string
  readonly candidatesOf: CandidatesOf
  /** What may stand in the place of a command. */
  readonly inPlaceOfCommand?: Candidates
}

/**
 * Lists a command and all below it that the help shows. An option's value is a file unless something else is known
 * of it.
 */
export function offeredCommands(
  command: Command,
  candidatesOf: CandidatesOf,
  path: readonly string[] = [],
): OfferedCommand[] {
  const help = command.createHelp()
  const shown = help.visibleCommands(command)
  const of = (place: Argument | Option): Candidates =>
    candidatesOf(place, command) ??
    (place.argChoices !== undefined ? { words: place.argChoices } : { files: !(place instanceof Argument) })
  const places = command.registeredArguments.map(of)
  const question = places.find(({ ask }) => ask !== undefined)?.ask
  return [
    {
      path: path.join(' '),
      commands: shown.map((inner) => ({
        name: inner.name(),
        description: firstLine(help.subcommandDescription(inner)),
      })),
      options: help.visibleOptions(command).map((option) => ({
        name: option.long ?? option.short ?? '',
        description: firstLine(option.description),
        ...(option.required || option.optional ? { value: of(option) } : {}),
      })),
      argument: {
        words: places.flatMap(({ words = [] }) => words),
        files: places.some(({ files }) => files === true),
        ...(question === undefined ? {} : { ask: question }),
      },
    },
    ...shown.flatMap((inner) => offeredCommands(inner, candidatesOf, [...path, inner.name()])),
  ]
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}
