import { formatProblem, listConfig } from '@saltcod/config'
import type { Json } from '@saltcod/store-core'
import { createLogger } from '../../logger.ts'
import type { RunningNode } from '../../node.ts'
import { startNode } from '../../node.ts'
import { loadOrRefuse } from '../configuration.ts'
import { settleIdentity } from '../node-identity.ts'
import type { Terminal } from '../terminal.ts'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Options of `serve` that are no settings. */
export interface ServeOptions {
  readonly fresh?: boolean
}

/** Serves a node until it is told to stop. Throws a `Failure` where it cannot start or cannot go on. */
export async function serve(
  terminal: Terminal,
  argv: readonly string[],
  options: ServeOptions,
): Promise<void> {
  const loaded = loadOrRefuse(terminal, argv)
  const { config, warnings } = loaded
  const identity = settleIdentity(config, options.fresh === true)
  const log = createLogger(config.logging)
  for (const warning of warnings) log.warn(formatProblem(warning))
  for (const warning of identity.warnings) log.warn(warning)
  const stop = new Stop()
  const { nodeId } = identity
  log.info({ node: nodeId, repository: config.dataDir, roles: config.roles }, 'starting')
  let node: RunningNode
  try {
    node = await startNode({ config, nodeId, shownConfig: nested(loaded), log, signal: stop.first })
  } catch (error) {
    stop.close()
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
  }
}

/** The signals that ask the process to stop: the first kindly, the second at once. */
class Stop {
  readonly #first = new AbortController()
  readonly #second = new AbortController()
  readonly #onSignal = (): void => {
    if (this.#first.signal.aborted) this.#second.abort()
    else this.#first.abort()
  }

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#onSignal)
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

/** Puts the settings into the shape of the config file. */
function nested(loaded: Parameters<typeof listConfig>[0]): Json {
  const root: Record<string, unknown> = {}
  for (const { key, value } of listConfig(loaded)) {
    if (value === undefined) continue
    const names = key.split('.')
    let level = root
    for (const name of names.slice(0, -1)) {
      level[name] ??= {}
      level = level[name] as Record<string, unknown>
    }
    level[names.at(-1) ?? key] = value
  }
  return root as Json
}
