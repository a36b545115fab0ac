import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { Failure } from '@saltcod/cli-kit'
import { findClockStep } from '@saltcod/compaction'
import type { Config, NodeRole, ResolvedPaths } from '@saltcod/config'
import { makeDirectory, resolvePaths, wasReplaced } from '@saltcod/config'
import { type ExecutionStore, isStoreError, type JobStore, type Json } from '@saltcod/store-core'
import type { KvFailure } from '@saltcod/store-core/backend'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { addArchiveRoutes } from './archive/archive-routes.ts'
import { openNodeArchive } from './archive/open-archive.ts'
import { type CompactedStore, Compaction } from './compaction/compaction.ts'
import { addCompactionRoutes } from './compaction/compaction-routes.ts'
import type { ComputeNode } from './compute/compute-node.ts'
import { startCompute } from './compute/compute-node.ts'
import { EXIT } from './exit-code.ts'
import { type InProcessLink, linkInProcess } from './link/in-process.ts'
import { Metrics } from './metrics/metrics.ts'
import { addMetricsRoutes } from './metrics/metrics-routes.ts'
import { openFileLimit } from './open-file-limit.ts'
import { openExecutions, openJobs } from './open-stores.ts'
import type { ApiContext } from './requester/api/api-context.ts'
import { type ConnectionLimits, connectionLimits, isTooFewFiles } from './requester/api/connection-limits.ts'
import { Connections } from './requester/api/connections.ts'
import { Listeners } from './requester/api/listeners.ts'
import { ResultLinks } from './requester/api/result-links.ts'
import { createApi } from './requester/api/server.ts'
import type { Requester } from './requester/requester.ts'
import { startRequester } from './requester/requester.ts'
import { resultsKey } from './results-key.ts'
import { addGcRoutes } from './retention/gc-routes.ts'
import { Retention } from './retention/retention.ts'
import { computeSettings, maxRunningOf, requesterSettings } from './settings-of-config.ts'
import type { JobSpec } from './spec/job-spec.ts'
import { openedStores, rememberNodeStores } from './store-memory.ts'
import { buildVersion } from './version.ts'
import { labelsOfMachine } from './wire/node-output.ts'

/** What a node is made of. */
export interface NodeOptions {
  readonly config: Config
  readonly nodeId: string
  /** Each store is worked with whatever the other one remembers of it. Default: false. */
  readonly acceptStores?: boolean
  /** The configuration as the API may show it. */
  readonly shownConfig: () => Json
  readonly log: Logger
  /** Gives the start up. */
  readonly signal: AbortSignal
}

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

/** Parts that were started, to be ended in the opposite order. */
interface Parts {
  jobs?: JobStore<JobSpec>
  executions?: ExecutionStore
  requester?: Requester
  api?: FastifyInstance
  link?: InProcessLink
  compute?: ComputeNode
  retention?: Retention
  compaction?: Compaction
  /** Has the repository remember how far the stores have come. */
  remember?: () => Promise<void>
  draining: boolean
}

/** Opens the stores, serves the API and starts to work. Throws a `Failure`; what was started is ended then. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const parts: Parts = { draining: false }
  try {
    const url = await startParts(options, parts)
    return {
      url,
      failed: firstFailure(parts),
      reload(config) {
        parts.retention?.follow(config.retention, config.compaction.foldAfterMs)
        parts.compaction?.follow(config.compaction.rewrite)
        parts.requester?.follow(requesterSettings(config).retry)
      },
      stop: () => stopParts(parts, options.config.gracePeriodMs, options.log),
    }
  } catch (error) {
    await stopParts(parts, 0, options.log)
    // What a side writes as it starts may be what meets the disk's failure.
    throw isStoreError(error, 'STORE_FAILED', 'OUTCOME_UNKNOWN')
      ? unusable('store', error, error.cause)
      : error
  }
}

async function startParts(options: NodeOptions, parts: Parts): Promise<string> {
  const { config, nodeId, log } = options
  const paths = resolvePaths(config, nodeId)
  const opening = { nodeId, quota: config.quota, log }
  parts.jobs = await openJobs(paths.jobStore, opening)
  const clockStep = await findClockStep(parts.jobs, Date.now())
  const computes = config.roles.includes('compute')
  if (computes) parts.executions = await openExecutions(paths.executionStore, opening)
  parts.requester = startRequester({
    store: parts.jobs,
    nodeId,
    settings: requesterSettings(config),
    log: log.child({ part: 'requester' }),
    acceptsStores: accepts(options, 'compute'),
  })
  const context: ApiContext = {
    requester: parts.requester.context,
    nodeId,
    labels: { ...labelsOfMachine(nodeId, buildVersion()), ...config.labels },
    version: buildVersion(),
    config: options.shownConfig,
    resultLinks: resultLinksOf(options),
    isDraining: () => parts.draining,
  }
  const { maxBodyBytes } = config.api
  const listeners = new Listeners(new Connections(limitsOf(config, log), maxBodyBytes))
  parts.api = createApi(context, {
    maxBodyBytes,
    listeners,
    log: log.child({ part: 'api' }),
  })
  const archive = await openNodeArchive(config.archive.directory, log)
  const remember = memoryOf(options, { jobs: parts.jobs, executions: parts.executions })
  await remember({ met: false })
  parts.remember = () => remember({ met: parts.compute !== undefined })
  const metrics = new Metrics({
    jobs: parts.jobs,
    executions: parts.executions ?? null,
    archive,
    followed: parts.requester.context.followed,
    ends: parts.requester.context.ends,
    compute: () => parts.compute,
    clock: Date.now,
  })
  parts.retention = new Retention({
    jobs: parts.jobs,
    compute:
      parts.executions === undefined
        ? null
        : { executions: parts.executions, dataDir: roomDirectory(paths, nodeId), resultsDir: paths.results },
    rules: config.retention,
    foldAfterMs: config.compaction.foldAfterMs,
    clockStep,
    archive,
    log: log.child({ part: 'retention' }),
    onRun: (report) => metrics.addGc(report),
    onFolded: (store, records) => metrics.addFolded(store, records),
  })
  parts.compaction = new Compaction({
    stores: storesOf(parts),
    rules: config.compaction.rewrite,
    log: log.child({ part: 'compaction' }),
    onRewritten: (report) => metrics.addRewrite(report),
  })
  addGcRoutes(parts.api, context, parts.retention)
  addArchiveRoutes(parts.api, context, archive)
  addCompactionRoutes(parts.api, parts.compaction)
  addMetricsRoutes(parts.api, metrics)
  options.signal.throwIfAborted()
  // Before any work begins: a node that cannot listen must leave what an earlier one left as it is.
  const url = await listen(parts.api, listeners, config.api)
  await startComputeSide(options, paths, parts, parts.requester)
  options.signal.throwIfAborted()
  parts.retention.start()
  parts.compaction.start()
  return url
}

/** Returns what has the repository remember how far stores have come. */
function memoryOf(
  { config, nodeId, log }: NodeOptions,
  stores: Parameters<typeof openedStores>[0],
): (how: { readonly met: boolean }) => Promise<void> {
  const startedAtMs = Date.now()
  return async ({ met }) => {
    const opened = await openedStores(stores)
    const warnings = rememberNodeStores({ config, nodeId, opened, met, nowMs: startedAtMs })
    for (const warning of warnings) log.warn(warning)
  }
}

/** Whether the other side works with the store of a role without looking at what it remembers of it. */
function accepts({ config, nodeId, acceptStores = false }: NodeOptions, role: NodeRole): boolean {
  return acceptStores || wasReplaced(config, nodeId, role)
}

function resultLinksOf({ config, log }: NodeOptions): ResultLinks {
  const { key, warnings } = resultsKey(config.dataDir)
  for (const warning of warnings) log.warn(warning)
  return new ResultLinks({ key, publicUrl: config.api.publicUrl, clock: Date.now })
}

/** Leaves the stores and the runs of this node what they need of the files that it may have open. */
function limitsOf(config: Config, log: Logger): ConnectionLimits {
  const openFiles = openFileLimit()
  const maxRunning = config.roles.includes('compute') ? maxRunningOf(config) : 0
  if (isTooFewFiles(openFiles, maxRunning)) {
    log.warn(
      { openFiles, maxRunning },
      "so few files may be open that jobs and clients can get in each other's way: raise the limit (ulimit -n, LimitNOFILE), or lower Node.Compute.MaxRunning",
    )
  }
  return connectionLimits(openFiles, maxRunning)
}

function storesOf({ jobs, executions }: Parts): CompactedStore[] {
  return [
    ...(jobs === undefined ? [] : [{ name: 'jobs' as const, store: jobs }]),
    ...(executions === undefined ? [] : [{ name: 'executions' as const, store: executions }]),
  ]
}

/** Where the runs of this node and what they write lie. */
function roomDirectory({ executionStore, repository }: ResolvedPaths, nodeId: string): string {
  return executionStore.type === 'lmdb' ? dirname(executionStore.path) : join(repository, `${nodeId}-compute`)
}

/** Starts the compute side of a node that has one. */
async function startComputeSide(
  options: NodeOptions,
  paths: ResolvedPaths,
  parts: Parts,
  requester: Requester,
): Promise<void> {
  const { executions: store } = parts
  if (store === undefined) return
  const { config, nodeId, log, signal } = options
  const { results } = paths
  const dataDir = roomDirectory(paths, nodeId)
  makeDirectory(dataDir)
  makeDirectory(results)
  parts.link = linkInProcess(requester.link)
  parts.compute = await startCompute({
    store,
    link: parts.link.link,
    nodeId,
    acceptsStore: accepts(options, 'requester'),
    dataDir,
    settings: await computeSettings(config, dataDir, results, nodeId),
    log: log.child({ part: 'compute' }),
    signal,
  })
  await parts.remember?.()
}

const OWN_ADDRESS = 'give an address of this machine with --host, such as 127.0.0.1 (0.0.0.0: all of them)'
const NO_HOST = { reason: 'that host cannot be found', hint: OWN_ADDRESS }
const LISTEN_ERRORS: Readonly<Record<string, { readonly reason: string; readonly hint: string }>> = {
  EADDRINUSE: {
    reason: 'another program listens there',
    hint: 'stop the other program, or choose another port with --port (0: any)',
  },
  EADDRNOTAVAIL: { reason: 'this machine has no such address', hint: OWN_ADDRESS },
  ENOTFOUND: NO_HOST,
  EAI_AGAIN: NO_HOST,
  EACCES: {
    reason: 'this user may not listen there',
    hint: 'choose a port from 1024 on with --port (0: any)',
  },
}

async function listen(
  api: FastifyInstance,
  listeners: Listeners,
  { host, port }: Config['api'],
): Promise<string> {
  try {
    await api.listen({ host, port })
    if (host === 'localhost') await listeners.listenAlso(host)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const { reason, hint } = LISTEN_ERRORS[code] ?? { reason: code, hint: 'see --host and --port' }
    throw new Failure(EXIT.failed, `cannot listen on ${host}:${port}: ${reason}`, { hint, cause: error })
  }
  const address = api.server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

function unusable(what: string, { message }: { readonly message: string }, cause: unknown): Failure {
  return new Failure(EXIT.storeFailed, `the ${what} has become unusable: ${message}`, {
    hint: isStoreError(cause, 'STORE_DAMAGED')
      ? 'see to the disk; the next start refuses the file and says what can be done'
      : 'see to the disk, then start the node again; nothing that was acknowledged is lost',
    cause,
  })
}

async function firstFailure({ jobs, executions, compute }: Parts): Promise<Failure> {
  const never = new Promise<never>(() => undefined)
  const storeFailure = async (failed: Promise<KvFailure> | undefined, what: string): Promise<Failure> => {
    const failure = await (failed ?? never)
    return unusable(what, failure, failure.cause)
  }
  const roomFailure = async (): Promise<Failure> => {
    const cause = await (compute?.failed ?? never)
    const message = cause instanceof Error ? cause.message : String(cause)
    return new Failure(EXIT.storeFailed, `the compute side has stopped: ${message}`, {
      hint: 'start the node again',
      cause,
    })
  }
  return Promise.race([
    storeFailure(jobs?.failed, 'job store'),
    storeFailure(executions?.failed, 'execution store'),
    roomFailure(),
  ])
}

async function stopParts(parts: Parts, graceMs: number, log: Logger): Promise<void> {
  parts.draining = true
  // The requester goes on until the compute side has reported its last.
  const steps: readonly [string, () => Promise<unknown>][] = [
    ['compaction', () => parts.compaction?.stop() ?? Promise.resolve()],
    ['retention', () => parts.retention?.stop() ?? Promise.resolve()],
    ['the compute side', () => parts.compute?.stop(graceMs) ?? Promise.resolve()],
    ['the link', () => Promise.resolve(parts.link?.close())],
    ['the requester', () => parts.requester?.stop() ?? Promise.resolve()],
    ['the API', () => parts.api?.close() ?? Promise.resolve()],
    ['remembering the stores', () => parts.remember?.() ?? Promise.resolve()],
    ['the execution store', () => parts.executions?.close() ?? Promise.resolve()],
    ['the job store', () => parts.jobs?.close() ?? Promise.resolve()],
  ]
  for (const [what, stop] of steps) {
    try {
      await stop()
    } catch (error) {
      log.error({ err: error }, `${what} did not stop cleanly`)
    }
  }
}
