import { existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '@saltcod/cli-kit'
import type { Config } from '@saltcod/config'
import { EXIT } from '../exit-code.ts'

/**
 * Reads the configuration of the node whose store is looked at: from the file that is given, else from the one in the
 * repository. Resolves with `null` where there is none. Throws a `Failure` for one with mistakes.
 */
export async function readNodeConfig(store: string, file: string | undefined): Promise<Config | null> {
  const { CONFIG_FILE_NAME, formatProblem, loadConfig } = await import('@saltcod/config')
  const beside = statSync(store, { throwIfNoEntry: false })?.isDirectory()
    ? join(store, CONFIG_FILE_NAME)
    : ''
  const path = file ?? beside
  if (path === '' || (file === undefined && !existsSync(path))) return null
  // The variables of whoever looks are not those of the node; its paths may begin with ~ all the same.
  const { config, errors } = loadConfig({ files: [path], env: { HOME: homedir() } })
  if (config !== undefined) return config
  throw new Failure(EXIT.usage, errors.map(formatProblem).join('; '), { hint: 'correct the config file' })
}
