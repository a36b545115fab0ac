import { type Command, Option } from 'commander'

/** What the help of a command says. */
export interface CommandHelp {
  readonly description: string
  /** A few words for the list of commands, where the description is long. */
  readonly summary?: string
  /** It is shown in no list of commands. */
  readonly hidden?: boolean
  /** What else is to be known, between the options and the examples. */
  readonly notes?: string
  /** Whole command lines. */
  readonly examples?: readonly string[]
}

/** The option that every command takes, as the program itself does. */
export const DEBUG = '--debug'

/** What the option does. */
export const DEBUG_HELP = 'show the cause of an error'

const EXAMPLES = new WeakMap<Command, readonly string[]>()

/** Adds a command with its help; its arguments follow from `usage`, for instance `list <store>`. */
export function addCommand(parent: Command, usage: string, help: CommandHelp): Command {
  const { description, summary, hidden = false, notes, examples = [] } = help
  const command = parent.command(usage, { hidden }).description(description)
  command.addOption(new Option(DEBUG, DEBUG_HELP).hideHelp())
  if (summary !== undefined) command.summary(summary)
  if (notes !== undefined) command.addHelpText('after', `\n${notes.trim()}`)
  if (examples.length > 0) {
    command.addHelpText(
      'after',
      ['\nExamples:', ...examples.map((example) => `  $ ${example}`), ''].join('\n'),
    )
  }
  EXAMPLES.set(command, examples)
  return command
}

/** Returns the examples of a command; none of one that {@link addCommand} did not add. */
export function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? []
}
