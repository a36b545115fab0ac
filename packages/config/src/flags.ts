import type { Problem } from './problem.ts'
import { fromText, type RawValue } from './raw-value.ts'
import type { AnySetting, PathBase } from './setting.ts'
import { SETTINGS } from './settings.ts'

/** The arguments after the command, or values that an argument parser has already taken apart. */
export type Arguments = readonly string[] | Readonly<Record<string, unknown>>

/** What a list of arguments said about the configuration. */
export interface ReadFlags {
  readonly given: readonly RawValue[]
  /** The config files that `--config` named. */
  readonly files: readonly string[]
  /** The arguments that are none of ours, in order; of a record, their names as flags. */
  readonly rest: readonly string[]
  readonly errors: readonly Problem[]
}

/** One flag, for the help text of a program. */
export interface ConfigFlag {
  /** The flag with its dashes. */
  readonly flag: string
  readonly aliases: readonly string[]
  /** What stands after it, such as `<path>`; absent for a flag that takes nothing. */
  readonly argument: string | undefined
  readonly description: string
  /** The key of the setting in the config file; absent for `--config`. */
  readonly key: string | undefined
  /** The environment variable that means the same; absent where there is none. */
  readonly variable: string | undefined
}

interface FlagUse {
  readonly name: string
  readonly value: unknown
}

/** Lists all flags that {@link loadConfig} understands, `--config` first. */
export function configFlags(): readonly ConfigFlag[] {
  const named: ConfigFlag = {
    flag: '--config',
    aliases: [],
    argument: '<file>',
    description: 'Read this config file in place of <repo>/saltcod.yaml.',
    key: undefined,
    variable: undefined,
  }
  const ofSettings = SETTINGS.flatMap((setting): ConfigFlag[] => {
    if (setting.flag === undefined) return []
    return [
      {
        flag: setting.flag,
        aliases: setting.flagAliases ?? [],
        argument: setting.form === 'boolean' ? undefined : `<${setting.form}>`,
        description: setting.description,
        key: setting.key,
        variable: setting.environment,
      },
    ]
  })
  return [named, ...ofSettings]
}

/** Picks the flags of settings out of arguments and leaves the rest alone. */
export function readFlags(argv: Arguments, base: PathBase): ReadFlags {
  const { uses, rest, errors } = isArgumentList(argv) ? parseArguments(argv) : takeRecord(argv)
  const given: RawValue[] = []
  const files: string[] = []
  const bySetting = new Map<AnySetting, FlagUse>()
  for (const use of uses) {
    if (use.name === '--config') {
      if (typeof use.value === 'string' && use.value !== '') files.push(use.value)
      else errors.push(flagProblem(use.name, 'names no file', "write '--config FILE'"))
      continue
    }
    const setting = settingOfFlag(use.name)
    if (setting === undefined) continue
    const earlier = bySetting.get(setting)
    if (earlier !== undefined && !sameValue(earlier.value, use.value)) {
      errors.push(conflict(setting, earlier, use))
      continue
    }
    if (earlier !== undefined) continue
    bySetting.set(setting, use)
    const raw = typeof use.value === 'string' ? fromText(setting, use.value) : use.value
    if (raw === '') {
      errors.push(flagProblem(use.name, 'is empty', 'give it a value or leave it out'))
    } else {
      given.push({ setting, raw, origin: { kind: 'flag', name: use.name }, base })
    }
  }
  return { given, files, rest, errors }
}

function isArgumentList(argv: Arguments): argv is readonly string[] {
  return Array.isArray(argv)
}

function parseArguments(argv: readonly string[]): {
  uses: FlagUse[]
  rest: string[]
  errors: Problem[]
} {
  const uses: FlagUse[] = []
  const rest: string[] = []
  const errors: Problem[] = []
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? ''
    if (argument === '--') {
      rest.push(...argv.slice(index))
      break
    }
    const equals = argument.indexOf('=')
    const name = equals < 0 ? argument : argument.slice(0, equals)
    const setting = settingOfFlag(name)
    if (setting === undefined && name !== '--config') {
      rest.push(argument)
    } else if (equals >= 0) {
      uses.push({ name, value: argument.slice(equals + 1) })
    } else if (setting?.form === 'boolean') {
      uses.push({ name, value: true })
    } else {
      const next = argv[index + 1]
      if (next === undefined || next.startsWith('--')) {
        errors.push(flagProblem(name, 'has no value', `write '${name} VALUE' or '${name}=VALUE'`))
      } else {
        uses.push({ name, value: next })
        index += 1
      }
    }
  }
  return { uses, rest, errors }
}

// Argument parsers name values `repo`, `node-id` or `nodeId`; all of them mean the flag `--node-id`.
function takeRecord(record: Readonly<Record<string, unknown>>): {
  uses: FlagUse[]
  rest: string[]
  errors: Problem[]
} {
  const uses: FlagUse[] = []
  const rest: string[] = []
  for (const [property, value] of Object.entries(record)) {
    if (value === undefined) continue
    const kebab = property.replace(/^--/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const name = `--${kebab}`
    if (name === '--config' && Array.isArray(value)) {
      uses.push(...value.map((file: unknown) => ({ name, value: file })))
    } else if (name === '--config' || settingOfFlag(name) !== undefined) {
      uses.push({ name, value })
    } else {
      rest.push(name)
    }
  }
  return { uses, rest, errors: [] }
}

function settingOfFlag(name: string): AnySetting | undefined {
  return SETTINGS.find((setting) => setting.flag === name || setting.flagAliases?.includes(name) === true)
}

function sameValue(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

function conflict(setting: AnySetting, earlier: FlagUse, use: FlagUse): Problem {
  const problem =
    earlier.name === use.name
      ? 'is given twice with different values'
      : `contradicts ${earlier.name}, which sets the same`
  return { ...flagProblem(use.name, problem, 'give one of them'), key: setting.key }
}

function flagProblem(name: string, problem: string, hint: string): Problem {
  return { origin: { kind: 'flag', name }, problem, hint }
}
