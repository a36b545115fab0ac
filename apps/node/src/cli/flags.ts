import { durationMs, Failure, type Format, outputOption, wholeNumber } from '@saltcod/cli-kit'
import { configFlags, type FlagUse } from '@saltcod/config'
import type { Command } from 'commander'
import { Option } from 'commander'
import { EXIT } from '../exit-code.ts'

/** The flags of settings that a client needs to find its node. */
const NODE_KEYS = new Set([
  'DataDir',
  'API.Host',
  'API.Port',
  'API.TLS.CAFile',
  'API.TLS.UseTLS',
  'API.TokenFile',
])

/** Adds the flags by which a command finds its node. */
export function addNodeFlags(command: Command): Command {
  return addFlags(command, (key) => key === undefined || NODE_KEYS.has(key))
}

/** Adds the flags by which a command finds a job and its node. */
export function addJobFlags(command: Command): Command {
  return addNodeFlags(command.option('--namespace <name>', 'where to look for a name', 'default'))
}

/** Adds the flag that says which version of a job is meant. */
export function addVersionFlag(command: Command, meaning: string): Command {
  return command.option('-v, --version <number>', meaning, wholeNumber)
}

/** Adds the flags that say how a listing is printed. */
export function addListFlags(command: Command): Command {
  command
    .option('--hide-header', 'print the rows of a table, or of csv, alone')
    .option('--wide', 'whole ids')
    .addOption(outputOption())
  return addForeignFlags(addPrettyFlag(command), {
    '--no-style': 'set the variable NO_COLOR=1; into a file or a pipe nothing is coloured',
  })
}

/** Adds the flags that say how one thing is printed. */
export function addDocumentFlags(command: Command, choices: readonly Format[]): Command {
  return addPrettyFlag(command.addOption(outputOption(choices)))
}

/** For scripts that were written for Bacalhau: JSON is indented here in any case. */
function addPrettyFlag(command: Command): Command {
  return command.addOption(new Option('--pretty', 'JSON is indented anyway').hideHelp())
}

/** Adds flags of Bacalhau's that a command does not have, hidden: whoever gives one is told what does the same. */
export function addForeignFlags(command: Command, hints: Readonly<Record<string, string>>): Command {
  for (const [flags, hint] of Object.entries(hints)) {
    const option = new Option(flags, hint).hideHelp()
    command.addOption(option)
    command.on(`option:${option.name()}`, () => {
      throw new Failure(
        EXIT.usage,
        `there is no option ${option.long ?? option.short} here, which Bacalhau has`,
        { hint },
      )
    })
  }
  return command
}

/** Adds the flag of the repository directory alone. */
export function addRepositoryFlag(command: Command): Command {
  return addFlags(command, (key) => key === 'DataDir')
}

/** Adds the flags of all settings. */
export function addSettingFlags(command: Command): Command {
  return addFlags(command, () => true)
}

/** Declares the flags of settings, and keeps each use of them for the configuration, which sees every mistake. */
function addFlags(command: Command, wanted: (key: string | undefined) => boolean): Command {
  const settings: FlagUse[] = []
  const add = (name: string, option: Option): void => {
    command.addOption(option)
    command.on(`option:${option.name()}`, (value: string | null) =>
      settings.push({ name, value: value ?? true }),
    )
  }
  for (const { flag, aliases, argument, description, key, variable } of configFlags()) {
    if (!wanted(key)) continue
    const value = argument === undefined ? '' : ` ${argument}`
    const others = [...aliases, ...(variable === undefined ? [] : [variable])]
    const also = others.length === 0 ? '' : ` (Also: ${others.join(', ')}.)`
    add(flag, new Option(`${flag}${value}`, `${description}${also}`))
    for (const alias of aliases) add(alias, new Option(`${alias}${value}`, `The same as ${flag}.`).hideHelp())
  }
  return command.setOptionValue('settings', settings)
}

/** Adds the option that says for how long a node that is lost while a command waits is waited for. */
export function addNodeWaitFlag(command: Command): Command {
  const flag = new Option(
    '--wait-for-node <duration>',
    'when the node is lost meanwhile, wait so long for it to come back (0s: not at all)',
  )
  return command.addOption(flag.argParser(durationMs).default(60_000, '60s'))
}
