import type { Failure } from '@saltcod/cli-kit'
import type { Config } from '@saltcod/config'
import { isStoreError } from '@saltcod/store-core'
import { startComputeParts } from './serving/compute-parts.ts'
import type { NodeOptions } from './serving/options.ts'
import { noParts, stopParts, unusable } from './serving/parts.ts'
import { startRequesterParts } from './serving/requester-parts.ts'
import { requesterSettings } from './settings-of-config.ts'

/** A node that serves. */
export interface RunningNode {
  readonly url: string
  /** Resolves with why the node cannot go on; the process should then end. */
  readonly failed: Promise<Failure>
  /** Takes the rules of another configuration: of retention, folding, rewriting, and interruptions. */
  reload(config: Config): void
  /** Takes no more work, lets what runs finish up to the grace period, writes everything, and closes. */
  stop(): Promise<void>
}

/** Opens the stores, serves the API and starts to work. Throws a `Failure`; what was started is ended then. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const parts = noParts()
  // What waits for a store as the node starts would wait for ever for one that has failed.
  const broken = new AbortController()
  void parts.failed.then((failure) => broken.abort(failure))
  const signal = AbortSignal.any([options.signal, broken.signal])
  try {
    const start = options.config.roles.includes('requester') ? startRequesterParts : startComputeParts
    const url = await start({ ...options, signal }, parts)
    return {
      url,
      failed: parts.failed,
      reload(config) {
        parts.upkeep?.follow(config.compaction.foldAfterMs)
        parts.retention?.follow(config.retention, config.compaction.foldAfterMs)
        parts.compaction?.follow(config.compaction.rewrite)
        parts.requester?.follow(requesterSettings(config).retry)
      },
      stop: () => stopParts(parts, options.config.gracePeriodMs, options.log),
    }
  } catch (error) {
    await stopParts(parts, 0, options.log)
    if (broken.signal.aborted) throw await parts.failed
    // What a side writes as it starts may be what meets the disk's failure.
    throw isStoreError(error, 'STORE_FAILED', 'OUTCOME_UNKNOWN')
      ? unusable('store', error, error.cause)
      : error
  }
}
