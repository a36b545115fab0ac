import { Failure, type Terminal } from '@saltcod/cli-kit'
import type { Config, FlagUse, LoadedConfig } from '@saltcod/config'
import { formatProblem, loadConfig } from '@saltcod/config'
import { ApiClient } from '../client/api-client.ts'
import { EXIT } from '../exit-code.ts'
import { authorizationFor, mustHaveOwnToken, typedAuthorization } from './authorization.ts'
import { addressOf } from './node-address.ts'

/** The flags of settings that a command was given, by which it finds its node among other things. */
export interface NodeFlags {
  readonly settings: readonly FlagUse[]
}

/** The flags by which a command finds a job and its node. */
export interface JobFlags extends NodeFlags {
  /** Where a name is looked up. */
  readonly namespace: string
}

/** Loads the configuration for a command. Throws a `Failure` with all that is wrong, one line each. */
export function loadOrRefuse(
  terminal: Terminal,
  { settings }: NodeFlags,
): LoadedConfig & { readonly config: Config } {
  const loaded = loadConfig({ flags: settings, env: terminal.env })
  const { config, errors } = loaded
  if (config === undefined) throw new Failure(EXIT.usage, errors.map(formatProblem))
  return { ...loaded, config }
}

/**
 * Makes a client of the node that flags, environment and config file name. Where nothing tells a token and the node
 * asks for one, so does the client. Throws a `Failure`.
 */
export function clientFor(terminal: Terminal, flags: NodeFlags): ApiClient {
  const { config } = loadOrRefuse(terminal, flags)
  const authorization = authorizationFor(terminal, config)
  const address = addressOf(config)
  return authorization === undefined
    ? new ApiClient(address, async (refusal) => {
        const typed = await typedAuthorization(terminal, config)
        if (typed === undefined) mustHaveOwnToken(config, refusal)
        return typed
      })
    : new ApiClient({ ...address, authorization })
}
