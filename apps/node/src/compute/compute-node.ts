import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import type { ExecutionStore } from '@saltcod/store-core'
import type { Logger } from 'pino'
import type { ImageCounts } from '../engines/engine.ts'
import { ISOLATION_LABEL } from '../engines/exec/exec-engine.ts'
import { KeptInputs } from '../inputs/kept-inputs.ts'
import type { Link, NodeDescription, NodeLoad } from '../link/link.ts'
import { PeerStores } from '../link/peer-store.ts'
import { EventCount } from '../waiting/event-count.ts'
import { within } from '../waiting/time-limit.ts'
import { CommandReceiver } from './command-receiver.ts'
import type { ComputeContext } from './context.ts'
import { watchDeadlines } from './deadlines.ts'
import { Executor } from './executor.ts'
import { hearOfRequester, obey, shakeHands } from './handshake.ts'
import type { HelperCounts } from './keeper/keeper.ts'
import { linkRetry } from './link-retry.ts'
import { type LinkStanding, LinkWatch } from './link-watch.ts'
import { OutboxSender } from './outbox-sender.ts'
import { RefusedReports, type ShownRefusal } from './refused-reports.ts'
import { SelfDescription } from './self-description.ts'
import type { ComputeSettings } from './settings.ts'
import { standingLink } from './standing-link.ts'
import { startUp } from './startup.ts'
import { Supplier } from './supplier.ts'
import { watchTellAll } from './tell-all.ts'
import { keepTending, tendRuns } from './tending.ts'
import { removeUnasked, type UnaskedReport, type UnaskedRequest, watchUnasked } from './unasked.ts'

const FAREWELL_MS = 2_000
const LAST_WRITES_MS = 2_000
/** No requester has to hear of a node oftener, whatever it says of its patience. */
const LEAST_BEAT_MS = 50

/** What a compute side is made of. */
export interface ComputeOptions {
  /** Opened by the caller, and closed by it after `stop`. */
  readonly store: ExecutionStore
  readonly link: Link
  readonly nodeId: string
  /** The requester that the link leads to. Default: the node's own id, as in a node with both roles. */
  readonly requesterId?: string
  /** The requester is another node, which says who it is when hands are shaken. Default: false. */
  readonly isRemote?: boolean
  /** Takes whatever store the requester has, because it was put there on purpose. Default: false. */
  readonly acceptsStore?: boolean
  /** Where runs and their output lie. */
  readonly dataDir: string
  readonly settings: ComputeSettings
  readonly log: Logger
  /** The time in milliseconds since 1970. Default: the machine's. */
  readonly clock?: () => number
  /** Watches the link, for who looks at it before the start is over. Default: one of its own. */
  readonly watch?: LinkWatch
  /** Gives a start up while the requester does not answer. */
  readonly signal?: AbortSignal
}

/** A compute side at work. */
export interface ComputeNode {
  /** Resolves with the error that made a part of it end: the process should then be restarted. */
  readonly failed: Promise<unknown>
  /** How native jobs are kept apart, in a word; `null` where none are run. */
  readonly isolation: string | null
  /** Returns what it offers. */
  description(): NodeDescription
  /** Returns how busy it is. */
  load(): NodeLoad
  /** Returns how it stands to its requester. */
  standing(): LinkStanding
  /** How many reports the requester has refused since the start. */
  refusedReports(): number
  /** Lists the reports that were set aside because the requester refuses them, the oldest first. */
  listRefused(): Promise<ShownRefusal[]>
  /**
   * Removes ended executions that the requester does not know, once they have been kept for long enough. Rejects where
   * it does not answer.
   */
  removeUnasked(request: UnaskedRequest): Promise<UnaskedReport>
  /** Counts the processes beside the node. */
  helpers(): HelperCounts
  /** Counts the images that were fetched for jobs. */
  images(): ImageCounts
  /**
   * Takes no more work, lets what runs finish for at most `graceMs`, then ends its processes and leaves their
   * records as they are. Resolves when no process is left and the store is used no more.
   */
  stop(graceMs: number): Promise<void>
}

/**
 * Starts a compute side: first the memory of an earlier process is brought in order (see `startUp`), then work
 * begins. Resolves when it has. Rejects where the store fails or `signal` aborts.
 */
export async function startCompute(options: ComputeOptions): Promise<ComputeNode> {
  const closing = new AbortController()
  // Everything that is being supplied listens to it.
  setMaxListeners(0, closing.signal)
  const context = contextOf(options, closing.signal, () => greetAgain())
  const executor = new Executor(context)
  const load = (): NodeLoad => executor.load()
  const self = await SelfDescription.of(context)
  const introduction = {
    get node() {
      return self.current
    },
    load,
  }
  const greet = async (): Promise<void> => {
    await obey(context, executor, await shakeHands(context, introduction, closing.signal))
  }
  const greetAgain = async (): Promise<void> => {
    context.log.info('the requester asks for hands to be shaken anew')
    await greet()
  }
  await context.keptInputs.open()
  const supplying = new Supplier(context).run()
  try {
    await tendRuns(context)
    await startUp(context, executor, introduction, options.signal ?? closing.signal)
  } catch (error) {
    closing.abort()
    await supplying
    throw error
  }

  const intake = new AbortController()
  const sending = new AbortController()
  const receiver = new CommandReceiver(context, executor)
  const sender = new OutboxSender(context, executor)
  const loops = [
    receiver.run(intake.signal),
    watchDeadlines(context, executor, intake.signal),
    beat(context, { load, look: () => self.look(), greet }, intake.signal),
    keepTending(context, intake.signal),
    ...watchRecords(context, executor, intake.signal),
    sender.run(sending.signal),
    supplying,
  ]
  executor.open()
  const failed = new Promise<unknown>((resolve) => {
    for (const loop of loops) loop.catch(resolve)
  })
  const stop = async (graceMs: number): Promise<void> => {
    intake.abort()
    executor.close()
    await executor.drain(graceMs)
    tellCutOff(context, executor.active, graceMs)
    const interrupted = executor.interrupt()
    await within(LAST_WRITES_MS, interrupted)
    // The last reports are worth a moment; what is not taken now is sent after the next start.
    await within(
      FAREWELL_MS,
      sender.flush().catch(() => undefined),
    )
    sending.abort()
    // Ends what still tries to write to a full disk.
    closing.abort()
    await interrupted
    await context.settings.engines.close()
    await context.keptInputs.close()
    await Promise.allSettled(loops)
  }
  const isolation = self.current.labels[ISOLATION_LABEL] ?? null
  const description = (): NodeDescription => self.current
  return { failed, description, isolation, load, ...shown(context, executor), stop: once(stop) }
}

/** Looks after what is kept here of executions, against what the requester knows. */
function watchRecords(context: ComputeContext, executor: Executor, signal: AbortSignal): Promise<void>[] {
  return [watchUnasked(context, executor, signal), watchTellAll(context, executor, signal)]
}

/** What others see of a compute side, and have it do. */
type Shown = Pick<
  ComputeNode,
  'standing' | 'helpers' | 'images' | 'refusedReports' | 'listRefused' | 'removeUnasked'
>

function shown(context: ComputeContext, executor: Executor): Shown {
  const { watch, settings, refused } = context
  return {
    standing: () => watch.standing,
    helpers: () => settings.engines.helpers(),
    images: () => settings.engines.images(),
    refusedReports: () => refused.count,
    listRefused: () => refused.list(),
    removeUnasked: (request) => removeUnasked(context, executor, request),
  }
}

function contextOf(
  options: ComputeOptions,
  closing: AbortSignal,
  greetAgain: () => Promise<void>,
): ComputeContext {
  const { store, nodeId, dataDir, settings, log, isRemote = false, clock = Date.now } = options
  const watch = options.watch ?? new LinkWatch(log, clock)
  return {
    store,
    link: standingLink(watch.over(options.link), greetAgain),
    watch,
    nodeId,
    requester: {
      isRemote,
      id: isRemote ? '' : (options.requesterId ?? nodeId),
      opening: '',
      silentAfterMs: null,
    },
    refused: new RefusedReports(store),
    orphans: { now: { count: 0, ids: [] } },
    peers: new PeerStores({ store, word: 'job store', acceptsOthers: options.acceptsStore ?? false, log }),
    dataDir,
    settings,
    keptInputs: new KeptInputs(join(dataDir, 'inputs')),
    log,
    clock,
    closing,
    handsShaken: new EventCount(),
    reportWritten: new EventCount(),
    toTellAll: new EventCount(),
    deadlineWritten: new EventCount(),
  }
}

function tellCutOff({ log }: ComputeContext, executions: readonly string[], graceMs: number): void {
  if (executions.length === 0) return
  log.warn(
    { executions, graceMs },
    'the grace period is over: what still runs is cut off and left to the next start',
  )
}

interface Beating {
  readonly load: () => NodeLoad
  /** Answers with whether the node has become another one. */
  readonly look: () => Promise<boolean>
  readonly greet: () => Promise<void>
}

async function beat(
  context: ComputeContext,
  { load, look, greet }: Beating,
  signal: AbortSignal,
): Promise<void> {
  const { link, nodeId, store, log } = context
  let isUntold = false
  for (;;) {
    await untilNextBeat(context, signal)
    if (signal.aborted) return
    try {
      isUntold = (await look()) || isUntold
      if (isUntold) await greet()
      isUntold = false
      const { sequence } = await store.info()
      const orphans = context.orphans.now
      const requester = await link.heartbeat({
        nodeId,
        load: load(),
        sequence,
        ...(orphans.count === 0 ? {} : { orphans }),
      })
      await hearOfRequester(context, requester.sequence)
    } catch (error) {
      linkRetry({ log }, signal, 'the requester took no heartbeat').onFailure(error)
    }
  }
}

/**
 * Waits for the next heartbeat: two fit into the silence that the requester puts up with, whatever this node is set
 * to. A handshake tells as much as a heartbeat, and how patient the requester is now, so the wait begins anew with it.
 */
async function untilNextBeat(
  { settings, requester, handsShaken }: ComputeContext,
  signal: AbortSignal,
): Promise<void> {
  for (let seen = -1; seen !== handsShaken.count; ) {
    seen = handsShaken.count
    const { silentAfterMs } = requester
    const patienceMs = (silentAfterMs ?? Number.POSITIVE_INFINITY) / 2
    const maxMs = Math.max(LEAST_BEAT_MS, Math.min(settings.heartbeatMs, patienceMs))
    await handsShaken.wait(seen, { maxMs, signal })
  }
}

/** A second call waits for the first one. */
function once(stop: (graceMs: number) => Promise<void>): (graceMs: number) => Promise<void> {
  let stopping: Promise<void> | undefined
  return async (graceMs) => {
    stopping ??= stop(graceMs)
    await stopping
  }
}
