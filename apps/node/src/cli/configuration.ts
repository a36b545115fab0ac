import { Failure, type Terminal } from '@saltcod/cli-kit'
import type { Config, LoadedConfig } from '@saltcod/config'
import { formatProblem, loadConfig } from '@saltcod/config'
import { ApiClient } from '../client/api-client.ts'
import { EXIT } from '../exit-code.ts'

/** The flags by which every command finds its node. */
export interface NodeFlags {
  readonly host?: string
  readonly port?: string
  readonly repo?: string
  readonly config?: string
}

/** The flags by which a command finds a job and its node. */
export interface JobFlags extends NodeFlags {
  /** Where a name is looked up. */
  readonly namespace: string
}

/** Loads the configuration for a command. Throws a `Failure` with all that is wrong, one line each. */
export function loadOrRefuse(
  terminal: Terminal,
  argv: readonly string[] | Readonly<Record<string, unknown>>,
): LoadedConfig & { readonly config: Config } {
  const loaded = loadConfig({ argv, env: terminal.env })
  const { config, errors } = loaded
  if (config === undefined) throw new Failure(EXIT.usage, errors.map(formatProblem))
  return { ...loaded, config }
}

/** Makes a client of the node that flags, environment and config file name. */
export function clientFor(terminal: Terminal, flags: NodeFlags): ApiClient {
  const { host, port, repo, config: file } = flags
  const { config } = loadOrRefuse(terminal, { host, port, repo, config: file })
  const anywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
  const name = anywhere[config.api.host] ?? config.api.host
  return new ApiClient(`http://${name.includes(':') ? `[${name}]` : name}:${config.api.port}`)
}
