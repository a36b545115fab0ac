import { join, resolve } from 'node:path'
import { checkValue } from './check-value.ts'
import { buildConfig, type Config } from './config.ts'
import { readConfigFile } from './config-file.ts'
import { checkOptions } from './did-you-mean.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { isThere } from './file-kind.ts'
import { type Flags, readFlags } from './flags.ts'
import { deepFreeze } from './freeze.ts'
import type { Origin } from './origin.ts'
import type { Problem } from './problem.ts'
import type { RawValue } from './raw-value.ts'
import { RULES } from './rules.ts'
import type { AnySetting, PathBase, PickValue } from './setting.ts'
import { node } from './settings/node.ts'
import { SETTINGS } from './settings.ts'

/** The name of the config file in the repository directory. */
export const CONFIG_FILE_NAME = 'saltcod.yaml'

/** The name of Bacalhau's there. */
const FILE_NAME_OF_BACALHAU = 'config.yaml'

/** What {@link loadConfig} works on. */
export interface LoadConfigOptions {
  /**
   * The flags of a command line as a parser found them, or a record of values (`{ repo, nodeId }` or `{ 'node-id'
   * }`).
   */
  readonly flags?: Flags
  /** The environment, usually `process.env`. */
  readonly env?: Environment
  /** The config files, later ones win; without any, and without `--config`, `<repo>/saltcod.yaml` if it is there. */
  readonly files?: readonly string[]
  /** The directory that relative paths of flags and variables start from (default: that of the process). */
  readonly cwd?: string
}

/** The value of one setting, and where it came from. */
export interface SettingValue {
  readonly key: string
  readonly value: unknown
  /** The value as its source wrote it. */
  readonly given: unknown
  readonly origin: Origin
}

/** What {@link loadConfig} found. */
export interface LoadedConfig {
  /** The configuration, frozen through and through; `undefined` exactly when there are errors. */
  readonly config: Config | undefined
  /** The value of every setting with its origin, in the order of listing; those in error are missing. */
  readonly values: readonly SettingValue[]
  /** Where each value came from, by key. */
  readonly origins: Readonly<Record<string, Origin>>
  /** The config files that were read. */
  readonly files: readonly string[]
  readonly warnings: readonly Problem[]
  /** Everything that is wrong, in the order flags, environment, files, rules. */
  readonly errors: readonly Problem[]
  /** The names of the flags that are none of ours, in order. */
  readonly rest: readonly string[]
}

/**
 * Reads the configuration: flags before environment variables, before config files, before defaults. Mistakes of a
 * user never throw: all of them are in `errors` at once, and `config` is `undefined` then. Throws `TypeError` for
 * an option that there is not.
 */
export function loadConfig(options: LoadConfigOptions = {}): LoadedConfig {
  checkOptions('loadConfig', options, { flags: true, env: true, files: true, cwd: true })
  const base: PathBase = { home: options.env?.['HOME'] || undefined, directory: resolve(options.cwd ?? '.') }
  const flags = readFlags(options.flags ?? [], base)
  const environment = readEnvironment(options.env ?? {}, base)
  const errors: Problem[] = [...flags.errors]
  const values = new Map<string, SettingValue>()
  const failed = new Set<string>()
  const accept = (given: RawValue): void => {
    const checked = checkValue(given)
    const { setting, raw, origin } = given
    if ('errors' in checked) {
      errors.push(...checked.errors)
      failed.add(setting.key)
    } else if (!values.has(setting.key)) {
      values.set(setting.key, {
        key: setting.key,
        value: checked.value,
        // A copy: what is handed out is frozen, what was handed in is the caller's.
        given: structuredClone(raw),
        origin,
      })
    }
  }
  for (const given of [...flags.given, ...environment.given]) accept(given)

  const files = readFiles([...(options.files ?? []), ...flags.files], values, failed, base)
  const before = errors.length
  errors.push(...files.errors)
  for (const given of files.given) accept(given)
  errors.push(...byLine(errors.splice(before)))
  for (const setting of SETTINGS) {
    if (!values.has(setting.key) && !failed.has(setting.key)) accept(defaultOf(setting, base))
  }
  return finish({
    values,
    failed,
    errors,
    warnings: [
      ...environment.warnings,
      ...unreadConfigFile(values, files.read, base),
      ...unreadFileOfBacalhau(files.looked, files.read),
    ],
    files: files.read,
    rest: flags.rest,
  })
}

function readFiles(
  named: readonly string[],
  values: ReadonlyMap<string, SettingValue>,
  failed: ReadonlySet<string>,
  base: PathBase,
): { given: RawValue[]; errors: Problem[]; read: string[]; looked: string | undefined } {
  const paths = named.filter((path, index) => named.indexOf(path) === index)
  const required = paths.length > 0
  const looked = required || failed.has(node.dataDir.key) ? undefined : repositoryOf(values, base)
  if (looked !== undefined) paths.push(join(looked, CONFIG_FILE_NAME))
  const given: RawValue[] = []
  const errors: Problem[] = []
  const read: string[] = []
  for (const path of paths) {
    const file = readConfigFile(path, base, required)
    if (file.found) read.push(path)
    errors.push(...file.errors)
    // Later files win, and what is accepted first wins.
    given.unshift(...file.given)
  }
  return { given, errors, read, looked }
}

// As somebody who corrects the files from top to bottom meets them.
function byLine(errors: readonly Problem[]): Problem[] {
  const paths = errors.map(pathOf)
  const place = (problem: Problem): number => paths.indexOf(pathOf(problem))
  const line = ({ origin }: Problem): number => (origin.kind === 'file' ? origin.line : 0)
  return [...errors].sort((left, right) => place(left) - place(right) || line(left) - line(right))
}

function pathOf({ origin }: Problem): string {
  return origin.kind === 'file' ? origin.path : ''
}

// A config file may name another repository, but then that one's config file is not read.
function unreadConfigFile(
  values: ReadonlyMap<string, SettingValue>,
  read: readonly string[],
  base: PathBase,
): Problem[] {
  const chosen = values.get(node.dataDir.key)
  if (chosen?.origin.kind !== 'file' || typeof chosen.value !== 'string') return []
  const path = join(chosen.value, CONFIG_FILE_NAME)
  if (read.some((file) => resolve(base.directory, file) === path) || !isThere(path)) return []
  return [
    {
      origin: chosen.origin,
      key: node.dataDir.key,
      problem: `there is a config file in this directory too, which is not read: ${path}`,
      hint: 'name the directory with --repo to read that file, or remove it',
    },
  ]
}

// Who comes from Bacalhau has his settings there, and would believe in them.
function unreadFileOfBacalhau(repository: string | undefined, read: readonly string[]): Problem[] {
  if (repository === undefined || read.length > 0) return []
  const path = join(repository, FILE_NAME_OF_BACALHAU)
  if (!isThere(path)) return []
  return [
    {
      origin: { kind: 'file', path, line: 0 },
      problem: `this file is not read: settings of a node stand in ${CONFIG_FILE_NAME} beside it, and not all are called as in Bacalhau`,
      hint: `write what you need of it there: saltcod config init makes a ${CONFIG_FILE_NAME} that explains each`,
    },
  ]
}

function repositoryOf(values: ReadonlyMap<string, SettingValue>, base: PathBase): string | undefined {
  const chosen = values.get(node.dataDir.key)?.value
  if (typeof chosen === 'string') return chosen
  const checked = checkValue(defaultOf(node.dataDir as AnySetting, base))
  return 'value' in checked && typeof checked.value === 'string' ? checked.value : undefined
}

function defaultOf(setting: AnySetting, base: PathBase): RawValue {
  return { setting, raw: setting.fallback, origin: { kind: 'default' }, base }
}

function finish(loaded: {
  readonly values: ReadonlyMap<string, SettingValue>
  readonly failed: ReadonlySet<string>
  readonly errors: Problem[]
  readonly warnings: readonly Problem[]
  readonly files: readonly string[]
  readonly rest: readonly string[]
}): LoadedConfig {
  const { values, failed, errors } = loaded
  const warnings = [...loaded.warnings]
  const pick: PickValue = (setting) => values.get(setting.key)?.value as never
  const originOf = (setting: { readonly key: string }): Origin => {
    return values.get(setting.key)?.origin ?? { kind: 'default' }
  }
  for (const rule of RULES) {
    if (rule.about.some((setting) => failed.has(setting.key))) continue
    const found = rule.check(pick, originOf)
    if (found === undefined) continue
    const { severity, ...problem } = found
    if (severity === 'error') errors.push(problem)
    else warnings.push(problem)
  }
  const ordered = SETTINGS.flatMap(({ key }) => values.get(key) ?? [])
  return deepFreeze({
    config: errors.length > 0 ? undefined : buildConfig(pick),
    values: ordered,
    origins: Object.fromEntries(ordered.map(({ key, origin }) => [key, origin])),
    files: loaded.files,
    warnings,
    errors,
    rest: loaded.rest,
  })
}
