import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Column, Failure, type Format, printList, type Terminal } from '@saltcod/cli-kit'
import {
  CONFIG_FILE_NAME,
  type ConfigRow,
  defaultConfigYaml,
  formatProblem,
  getConfig,
  listConfig,
  loadConfig,
  makeDirectory,
  nearestName,
} from '@saltcod/config'
import { EXIT } from '../../exit-code.ts'
import { systemCode } from '../../system-code.ts'
import { refusalOfPlace } from '../../unusable-place.ts'
import { loadOrRefuse, type NodeFlags } from '../configuration.ts'

const MOST_NAMED = 6

/** Options of `config list`. */
export interface ConfigListOptions extends NodeFlags {
  readonly output: Format
}

/** Lists every setting with its value and where it came from. */
export function configList(terminal: Terminal, { output, ...flags }: ConfigListOptions): void {
  const loaded = loadOrRefuse(terminal, flags)
  for (const warning of loaded.warnings) terminal.err(`Warning: ${formatProblem(warning)}\n`)
  const columns: Column<ConfigRow>[] = [
    { name: 'KEY', value: (row) => row.key },
    { name: 'VALUE', value: (row) => row.text },
    { name: 'ORIGIN', value: (row) => row.originText },
  ]
  printList(terminal, output, listConfig(loaded), columns, {
    toRow: ({ key, value, originText }) => ({ Key: key, Value: value ?? null, Origin: originText }),
  })
}

/** Prints the value of one setting alone. */
export function configGet(terminal: Terminal, key: string, flags: NodeFlags): void {
  const loaded = loadOrRefuse(terminal, flags)
  const row = getConfig(loaded, key)
  if (row === undefined) {
    const keys = listConfig(loaded).map((known) => known.key)
    throw new Failure(EXIT.usage, `there is no setting ${JSON.stringify(key)}`, { hint: hintFor(key, keys) })
  }
  terminal.out(`${row.text}\n`)
}

/** Says which setting may have been meant: a near one, one that ends so, or one of a section. */
function hintFor(given: string, keys: readonly string[]): string {
  const near = nearestName(given, keys)
  if (near !== undefined) return `did you mean ${near}?`
  const partsOf = (key: string): readonly string[] => key.split('.')
  const lasts = keys.map((key) => partsOf(key).at(-1) ?? '')
  const sections = new Set(
    keys.flatMap((key) => partsOf(key).map((_, n, parts) => parts.slice(0, n).join('.'))),
  )
  const section = nearestName(given, [...sections])
  if (section !== undefined) {
    const below = keys.filter((key) => key.startsWith(`${section}.`))
    return `${section} is a section; its settings are ${named(below)}`
  }
  const last = nearestName(given.slice(given.lastIndexOf('.') + 1), lasts)
  if (last === undefined) return 'list them with: saltcod config list'
  return `did you mean ${named(keys.filter((_, n) => lasts[n] === last))}?`
}

/** Names some, and says how many more there are. */
function named(keys: readonly string[]): string {
  const more = keys.length - MOST_NAMED
  const shown = keys.slice(0, MOST_NAMED).join(', ')
  return more > 0 ? `${shown} and ${more} more (saltcod config list)` : shown
}

/** Prints a config file that has every default with what it means. */
export function configDefault(terminal: Terminal): void {
  terminal.out(defaultConfigYaml())
}

/** Options of `config init`. */
export interface InitOptions extends NodeFlags {
  readonly force?: boolean
}

/** Writes a config file with every default into the repository directory, and makes that where it is missing. */
export function configInit(terminal: Terminal, { force = false, settings }: InitOptions): void {
  const { values, errors } = loadConfig({ flags: settings, env: terminal.env })
  // What is wrong in the file that is there does not matter: it is refused or replaced.
  const repository = values.find(({ key }) => key === 'DataDir')?.value
  if (typeof repository !== 'string') throw new Failure(EXIT.usage, errors.map(formatProblem))
  const path = join(repository, CONFIG_FILE_NAME)
  const fresh = `${path}.new`
  try {
    makeDirectory(repository)
  } catch (error) {
    throw refusalOfPlace(error)
  }
  try {
    // Whoever reads this file has found the repository already, and it may not be the usual one.
    const text = defaultConfigYaml().replace(/^DataDir:/m, '# DataDir:')
    // On disk under another name first: a power cut leaves the old file or the whole of the new one.
    writeFileSync(fresh, text, { mode: 0o600, flush: true })
    if (force) renameSync(fresh, path)
    else giveName(fresh, path)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') {
      throw new Failure(EXIT.usage, `${path} is there already`, { hint: '--force overwrites it' })
    }
    throw refusalOfPlace(error)
  }
  terminal.out(`wrote ${path}\n`)
}

/** Throws `EEXIST` where a file has the name already. */
function giveName(fresh: string, path: string): void {
  try {
    linkSync(fresh, path)
  } finally {
    rmSync(fresh)
  }
}
