import type { JobSpec } from '@saltcod/bacalhau-records'
import { type Archive, type ClockStep, findClockStep } from '@saltcod/compaction'
import { type ResolvedPaths, resolvePaths } from '@saltcod/config'
import type { ExecutionStore, JobStore } from '@saltcod/store-core'
import type { FastifyInstance } from 'fastify'
import { linkGate } from '../access/link-gate.ts'
import { type Access, openAccess } from '../access/open-access.ts'
import type { Refusals } from '../access/refusals.ts'
import { addArchiveRoutes } from '../archive/archive-routes.ts'
import { openNodeArchive } from '../archive/open-archive.ts'
import { Compaction } from '../compaction/compaction.ts'
import { addCompactionRoutes } from '../compaction/compaction-routes.ts'
import { httpLinkHandler, type LinkGuard } from '../link/http-endpoint.ts'
import { linkInProcess } from '../link/in-process.ts'
import { Metrics } from '../metrics/metrics.ts'
import { addMetricsRoutes } from '../metrics/metrics-routes.ts'
import { openExecutions, openJobs } from '../open-stores.ts'
import type { ApiContext } from '../requester/api/api-context.ts'
import { linkGuard } from '../requester/api/link-guard.ts'
import { Listeners } from '../requester/api/listeners.ts'
import { ResultLinks } from '../requester/api/result-links.ts'
import { createApi } from '../requester/api/server.ts'
import { farewells } from '../requester/farewells.ts'
import { type Requester, startRequester } from '../requester/requester.ts'
import { markTakenOver } from '../requester/taken-over.ts'
import { resultsKey } from '../results-key.ts'
import { addGcRoutes } from '../retention/gc-routes.ts'
import { Retention } from '../retention/retention.ts'
import { requesterSettings } from '../settings-of-config.ts'
import type { ServerTls } from '../tls/server-tls.ts'
import { buildVersion } from '../version.ts'
import { labelsOfMachine } from '../wire/node-output.ts'
import { accepts, roomDirectory, startSide } from './compute-side.ts'
import { addTokens, connectionsOf, listen } from './listen.ts'
import type { NodeOptions } from './options.ts'
import { keepCompute, keepStore, type Parts, storesOf } from './parts.ts'
import { noteServed, startTls } from './server-tls.ts'
import { memoryOf } from './store-notes.ts'

/** Starts a requester, and the compute side of the same process where the node has both roles. */
export async function startRequesterParts(options: NodeOptions, parts: Parts): Promise<string> {
  const { config, nodeId, log } = options
  const access = await openAccess(config, log.child({ part: 'access' }))
  parts.access = access
  const paths = resolvePaths(config, nodeId)
  const opening = { nodeId, quota: config.quota, log }
  const jobs = keepStore(parts, 'jobs', await openJobs(paths.jobStore, opening))
  const clockStep = await findClockStep(jobs, Date.now())
  const computes = config.roles.includes('compute')
  if (computes) keepStore(parts, 'executions', await openExecutions(paths.executionStore, opening))
  parts.requester = startRequester({
    store: jobs,
    nodeId,
    settings: requesterSettings(config),
    log: log.child({ part: 'requester' }),
    acceptsStores: accepts(options, 'compute'),
  })
  const wasTakenOver = accepts(options, 'requester')
  if (wasTakenOver) await markTakenOver(jobs)
  const tls = await startTls(options, parts)
  const context: ApiContext = {
    requester: parts.requester.context,
    nodeId,
    labels: { ...labelsOfMachine(nodeId, buildVersion()), ...config.labels },
    version: buildVersion(),
    config: options.shownConfig,
    resultLinks: resultLinksOf(options),
    certificates: () => tls?.ends ?? [],
    isDraining: () => parts.draining,
  }
  const { maxBodyBytes } = config.api
  const listeners = new Listeners(connectionsOf(options, access), tls)
  parts.api = createApi(context, {
    maxBodyBytes,
    listeners,
    gate: access.gate,
    log: log.child({ part: 'api' }),
  })
  addTokens(parts.api, access, config)
  const archive = await openNodeArchive(config.archive.directory, log)
  const remember = memoryOf(options, { jobs, executions: parts.executions })
  await remember({ met: false })
  parts.remember = () => remember({ met: parts.compute !== undefined || !computes })
  listeners.serveLink(
    httpLinkHandler(parts.requester.link, guardOf(access, parts.requester, config.insecure)),
  )
  const { requester, executions, api } = parts
  const { refusals } = access
  const started = {
    ...{ jobs, requester, executions: executions ?? null, api, context },
    ...{ archive, clockStep, tls, refusals },
  }
  const { retention, compaction } = addUpkeep(options, paths, parts, started)
  options.signal.throwIfAborted()
  // Before any work begins: a node that cannot listen must leave what an earlier one left as it is.
  const url = await listen(parts.api, listeners, config.api)
  noteServed(options, parts.api, tls)
  if (parts.executions !== undefined) {
    const link = linkInProcess(parts.requester.link)
    parts.link = link
    const side = { store: parts.executions, link: link.link, signal: options.signal }
    keepCompute(parts, await startSide(options, paths, side))
    await parts.remember()
  }
  options.signal.throwIfAborted()
  retention.start()
  compaction.start()
  return url
}

/** What upkeep works on. */
interface Started {
  readonly jobs: JobStore<JobSpec>
  readonly requester: Requester
  readonly executions: ExecutionStore | null
  readonly api: FastifyInstance
  readonly context: ApiContext
  readonly archive: Archive | null
  readonly clockStep: ClockStep | null
  readonly tls: ServerTls | null
  readonly refusals: Refusals
}

/** Adds what keeps the stores small, and the numbers that tell of it. */
function addUpkeep(
  options: NodeOptions,
  paths: ResolvedPaths,
  parts: Parts,
  { jobs, requester, executions, api, context, archive, clockStep, tls, refusals }: Started,
): { readonly retention: Retention; readonly compaction: Compaction } {
  const { config, nodeId, log } = options
  const { nodes, followed, ends } = requester.context
  const metrics = new Metrics({
    requester: { jobs, nodes, followed, ends },
    executions,
    archive,
    compute: () => parts.compute,
    tls,
    refusals,
    clock: Date.now,
  })
  const retention = new Retention({
    jobs,
    compute:
      executions === null
        ? null
        : { executions, dataDir: roomDirectory(paths, nodeId), resultsDir: paths.results },
    rules: config.retention,
    foldAfterMs: config.compaction.foldAfterMs,
    clockStep,
    archive,
    log: log.child({ part: 'retention' }),
    farewells: (jobId) => farewells(requester.context, jobId),
    onRun: (report) => {
      metrics.addGc(report)
      if (report.removedJobs > 0)
        for (const { record } of nodes.list()) nodes.commandsFor(record.id).advance()
    },
    onFolded: (store, records) => metrics.addFolded(store, records),
  })
  const compaction = new Compaction({
    stores: storesOf(parts),
    rules: config.compaction.rewrite,
    log: log.child({ part: 'compaction' }),
    onRewritten: (report) => metrics.addRewrite(report),
  })
  addGcRoutes(api, context, retention)
  addArchiveRoutes(api, context, archive)
  addCompactionRoutes(api, compaction)
  addMetricsRoutes(api, metrics)
  parts.retention = retention
  parts.compaction = compaction
  return { retention, compaction }
}

/** Asks nodes of other processes for what proves them, where clients are asked for a token too. */
function guardOf({ gate }: Access, { context: { membership } }: Requester, insecure: boolean): LinkGuard {
  if (gate === null) return linkGuard(insecure)
  membership.onLeave((nodeId) => gate.cutNode(nodeId))
  return linkGate(gate, membership)
}

function resultLinksOf({ config, log }: NodeOptions): ResultLinks {
  const { key, warnings } = resultsKey(config.dataDir)
  for (const warning of warnings) log.warn(warning)
  return new ResultLinks({ key, publicUrl: config.api.publicUrl, clock: Date.now })
}
