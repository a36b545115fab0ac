import type { Problem } from './problem.ts'
import { fromText, type RawValue } from './raw-value.ts'
import type { AnySetting, PathBase } from './setting.ts'
import { SETTINGS } from './settings.ts'

/** One use of a flag on a command line. */
export interface FlagUse {
  /** The flag with its dashes, by any of its names. */
  readonly name: string
  /** The text behind it, or `true` where it takes none. */
  readonly value: unknown
}

/** What a parser of arguments found: each use of a flag in order, or a record of values by the names of flags. */
export type Flags = readonly FlagUse[] | Readonly<Record<string, unknown>>

/** What flags said about the configuration. */
export interface ReadFlags {
  readonly given: readonly RawValue[]
  /** The config files that `--config` named. */
  readonly files: readonly string[]
  /** The names of the flags that are none of ours, in order. */
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

/** Picks the flags of settings out of all and leaves the rest alone. */
export function readFlags(flags: Flags, base: PathBase): ReadFlags {
  const given: RawValue[] = []
  const files: string[] = []
  const rest: string[] = []
  const errors: Problem[] = []
  const bySetting = new Map<AnySetting, FlagUse>()
  for (const use of isUses(flags) ? flags : usesOf(flags)) {
    const setting = settingOfFlag(use.name)
    if (setting === undefined && use.name !== '--config') {
      rest.push(use.name)
      continue
    }
    const problem = valueProblem(use)
    if (setting === undefined) {
      if (problem === undefined && typeof use.value === 'string') files.push(use.value)
      else errors.push(problem ?? flagProblem(use.name, 'names no file', "write '--config FILE'"))
      continue
    }
    const earlier = bySetting.get(setting)
    if (earlier !== undefined && !sameValue(earlier.value, use.value)) {
      errors.push(conflict(setting, earlier, use))
      continue
    }
    if (earlier !== undefined) continue
    bySetting.set(setting, use)
    if (problem !== undefined) {
      errors.push(problem)
      continue
    }
    const raw = typeof use.value === 'string' ? fromText(setting, use.value) : use.value
    given.push({ setting, raw, origin: { kind: 'flag', name: use.name }, base })
  }
  return { given, files, rest, errors }
}

function isUses(flags: Flags): flags is readonly FlagUse[] {
  return Array.isArray(flags)
}

// Parsers of arguments name values `repo`, `node-id` or `nodeId`; all of them mean the flag `--node-id`.
function usesOf(record: Readonly<Record<string, unknown>>): FlagUse[] {
  return Object.entries(record).flatMap(([property, value]) => {
    if (value === undefined) return []
    const kebab = property.replace(/^--/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const name = `--${kebab}`
    return name === '--config' && Array.isArray(value)
      ? value.map((file: unknown) => ({ name, value: file }))
      : [{ name, value }]
  })
}

/** A parser takes the next flag for the value of one that lacks its own. */
function valueProblem({ name, value }: FlagUse): Problem | undefined {
  if (value === '') return flagProblem(name, 'is empty', 'give it a value or leave it out')
  if (typeof value !== 'string' || !value.startsWith('--')) return undefined
  return flagProblem(
    name,
    'has no value',
    `write '${name} VALUE'; a path that begins with -- is written ./--`,
  )
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
