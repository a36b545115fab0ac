import { setMaxListeners } from 'node:events'
import type { JobSpec } from '@saltcod/bacalhau-records'
import type { JobStore } from '@saltcod/store-core'
import type { Logger } from 'pino'
import type { ProvenLink } from '../link/bound-link.ts'
import { isStoreGone } from '../store-gone.ts'
import { EventCount } from '../waiting/event-count.ts'
import { pause } from '../waiting/pause.ts'
import { retry } from '../waiting/retry.ts'
import { AskedRuns } from './asked-runs.ts'
import type { RequesterContext } from './context.ts'
import { Deadlines } from './deadlines.ts'
import { Demands } from './demands.ts'
import { EndCounts } from './end-counts.ts'
import { EvaluationWorker } from './evaluation-worker.ts'
import { LinkEndpoint } from './link-endpoint.ts'
import { Membership } from './membership.ts'
import { Nodes } from './nodes.ts'
import { Placement } from './placement/placement.ts'
import { PlacementKeeper } from './placement/placement-keeper.ts'
import { restoreWork } from './restore.ts'
import type { RequesterSettings } from './settings.ts'
import { tidyStore } from './tidy-store.ts'

const RESUME_MS = 1000
const SIGHTINGS_EVERY_MS = 60_000

/** What a requester needs to start. */
export interface RequesterOptions {
  readonly store: JobStore<JobSpec>
  readonly nodeId: string
  readonly settings: RequesterSettings
  readonly log: Logger
  /** Takes whatever store a node has, because it was put there on purpose. Default: false. */
  readonly acceptsStores?: boolean
  /** Default: the clock of the machine. */
  readonly clock?: () => number
  /** Tells the time that passes, from any beginning. Default: `performance.now`. */
  readonly steadyClock?: () => number
}

/** A requester that is working. */
export interface Requester {
  readonly context: RequesterContext
  /** What compute nodes talk to. */
  readonly link: ProvenLink
  /** Goes by other rules of retrying, from the next decision on. */
  follow(retry: RequesterSettings['retry']): void
  /** Stops taking up work, and resolves when what was begun is written. Leaves the store open. */
  stop(): Promise<void>
}

/** Starts to schedule jobs. Work that an earlier process left is brought back in the background. */
export function startRequester(options: RequesterOptions): Requester {
  const { store, log } = options
  const settings = { ...options.settings }
  const { clock = Date.now, steadyClock = () => performance.now() } = options
  const stop = new AbortController()
  // Every loop and every waiting client listens to it.
  setMaxListeners(0, stop.signal)
  const nodes = new Nodes(settings, clock, steadyClock)
  const placement = new Placement({ passed: steadyClock, wake: (jobId) => keeper.wake(jobId) })
  const context: RequesterContext = {
    nodeId: options.nodeId,
    store,
    settings,
    log,
    clock,
    nodes,
    placement,
    // Behind those that an earlier process of this requester gave.
    demands: new Demands({ after: clock() }),
    membership: new Membership({
      store,
      nodes,
      nodeId: options.nodeId,
      approvesNodes: settings.approvesNodes,
      livesForMs: settings.livesForMs,
      acceptsOthers: options.acceptsStores ?? false,
      log,
    }),
    askedRuns: new AskedRuns(),
    followed: { cursor: null },
    ends: new EndCounts(),
    changed: new EventCount(),
    stopping: stop.signal,
  }
  const keeper = new PlacementKeeper(context)
  const endpoint = new LinkEndpoint(context, keeper)
  const worker = new EvaluationWorker(context, keeper)
  const deadlines = new Deadlines(context)
  const loops = Promise.all([
    worker.run(),
    keepGoing(context, 'looking after deadlines', () => deadlines.run()),
    keepGoing(context, 'following the change feed', () => follow(context)),
    keepGoing(context, 'restoring work', () => restore(context, keeper)),
    keepGoing(context, 'looking after what waits for nodes', () => keeper.run()),
    keepGoing(context, 'tidying the store', () => tidyStore(context)),
    keepGoing(context, 'noting which nodes were heard of', () => noteSightings(context)),
  ])
  return {
    context,
    link: endpoint,
    follow(retry) {
      settings.retry = retry
    },
    async stop() {
      stop.abort()
      endpoint.close()
      context.changed.advance()
      await loops
    },
  }
}

async function follow({ store, changed, followed, stopping }: RequesterContext): Promise<void> {
  const after = await store.latestCursor()
  followed.cursor = after
  changed.advance()
  for await (const { cursor } of store.watch({ after, signal: stopping, cursorsOnly: true })) {
    followed.cursor = cursor
    changed.advance()
  }
}

/** Once a minute, and at the end. */
async function noteSightings({ membership, stopping }: RequesterContext): Promise<void> {
  while (!stopping.aborted) {
    await pause(SIGHTINGS_EVERY_MS, stopping)
    await membership.writeSightings()
  }
}

async function restore(context: RequesterContext, keeper: PlacementKeeper): Promise<void> {
  const restored = await restoreWork(context, keeper)
  if (restored > 0) context.log.info({ jobs: restored }, 'took up the jobs that were in progress')
}

/**
 * Runs a loop until the requester stops, beginning again after errors such as a full disk. A store that failed ends
 * it.
 */
async function keepGoing(context: RequesterContext, what: string, loop: () => Promise<void>): Promise<void> {
  const { log, stopping } = context
  try {
    await retry(loop, {
      signal: stopping,
      firstWaitMs: RESUME_MS,
      longestWaitMs: RESUME_MS,
      isFinal: isStoreGone,
      onFailure: (error) => log.error({ err: error }, `${what} was interrupted, will go on`),
    })
  } catch {
    // Nobody is left to be served.
  }
}
