import type { Terminal } from '@saltcod/cli-kit'
import { type Config, formatProblem } from '@saltcod/config'
import type { Json } from '@saltcod/store-core'
import { protectionOf } from '../../access/protection.ts'
import { takePrecedence } from '../../compute/keeper/precedence.ts'
import { createLogger, setLogLevel } from '../../logger.ts'
import type { RunningNode } from '../../node.ts'
import { startNode } from '../../node.ts'
import { loadOrRefuse, type NodeFlags } from '../configuration.ts'
import { settleIdentity } from '../node-identity.ts'
import { LiveConfiguration } from '../reload.ts'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Options of `serve`. */
export interface ServeOptions extends NodeFlags {
  readonly fresh?: boolean
  readonly acceptStores?: boolean
}

/** Serves a node until it is told to stop. Throws a `Failure` where it cannot start or cannot go on. */
export async function serve(terminal: Terminal, options: ServeOptions): Promise<void> {
  const loaded = loadOrRefuse(terminal, options)
  const { config, warnings } = loaded
  const { fresh = false, acceptStores = false } = options
  // Nothing is written by a node that will not serve.
  protectionOf(config)
  const identity = settleIdentity(config, { fresh, acceptStores })
  const joinToken = takeSecrets(terminal.env, config.compute.env.allowList)
  const log = createLogger(config.logging)
  for (const warning of warnings) log.warn(formatProblem(warning))
  for (const warning of identity.warnings) log.warn(warning)
  // So that it answers beside as many jobs as there are.
  if (config.roles.includes('compute')) takePrecedence()
  const stop = new Stop()
  const { nodeId } = identity
  log.info({ node: nodeId, repository: config.dataDir, roles: config.roles }, 'starting')
  let node: RunningNode | undefined
  let missed: Config | undefined
  const live = new LiveConfiguration(terminal, options, loaded, log)
  const onHangUp = (): void => {
    // The terminal that it was started from is gone, and nobody sees it any more.
    if (terminal.errorIsTerminal) {
      stop.ask()
      return
    }
    const reloaded = live.reload()
    if (reloaded === null) return
    setLogLevel(log, reloaded.logging.level)
    missed = reloaded
    node?.reload(reloaded)
  }
  process.on('SIGHUP', onHangUp)
  try {
    const shownConfig = (): Json => live.shown() as Json
    node = await startNode({
      config,
      nodeId,
      acceptStores: fresh || acceptStores,
      shownConfig,
      joinToken,
      log,
      signal: stop.first,
    })
    if (missed !== undefined) node.reload(missed)
  } catch (error) {
    stop.close()
    process.off('SIGHUP', onHangUp)
    if (stop.first.aborted) return
    throw error
  }
  terminal.out(`listening on ${node.url}\n`)
  log.info({ node: nodeId, url: node.url }, 'serving')
  try {
    const failure = await Promise.race([node.failed, aborted(stop.first)])
    if (failure !== undefined) {
      log.fatal({ err: failure.cause }, failure.message)
      // What is left of the node cannot write any more, so nothing is to be waited for.
      throw failure
    }
    log.info(
      { graceMs: config.gracePeriodMs },
      'stopping: running work may finish; a second signal stops at once',
    )
    await Promise.race([node.stop(), aborted(stop.second)])
    if (stop.second.aborted) log.warn('stopped at once: what still ran is cut off and left to the next start')
    else log.info('stopped')
  } finally {
    stop.close()
    process.off('SIGHUP', onHangUp)
  }
}

/** What holds secrets of the node or of whoever started it; no child of the node needs any of them. */
const SECRET_VARIABLES = [
  'SALTCOD_JOIN_TOKEN',
  'BACALHAU_COMPUTE_AUTH_TOKEN',
  'SALTCOD_TOKEN',
  'BACALHAU_API_KEY',
  'BACALHAU_API_USERNAME',
  'BACALHAU_API_PASSWORD',
] as const

/**
 * Returns the token to join with that the environment holds, and takes all secrets out of it, but those that jobs may
 * have by name.
 */
function takeSecrets(env: Terminal['env'], forJobs: readonly string[]): string | undefined {
  const joinToken = env['SALTCOD_JOIN_TOKEN'] || env['BACALHAU_COMPUTE_AUTH_TOKEN'] || undefined
  for (const name of SECRET_VARIABLES) if (!forJobs.includes(name)) Reflect.deleteProperty(env, name)
  return joinToken
}

/** The signals that ask the process to stop: the first kindly, the second at once. */
class Stop {
  readonly #first = new AbortController()
  readonly #second = new AbortController()
  readonly #onSignal = (): void => this.ask()

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#onSignal)
  }

  /** Asks the process to stop, as a signal does. */
  ask(): void {
    if (this.#first.signal.aborted) this.#second.abort()
    else this.#first.abort()
  }

  get first(): AbortSignal {
    return this.#first.signal
  }

  get second(): AbortSignal {
    return this.#second.signal
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
  }
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
