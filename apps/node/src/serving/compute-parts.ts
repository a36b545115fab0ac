import { resolvePaths } from '@saltcod/config'
import { LinkIdentity } from '../access/link-identity.ts'
import { openAccess } from '../access/open-access.ts'
import { Compaction } from '../compaction/compaction.ts'
import { addCompactionRoutes } from '../compaction/compaction-routes.ts'
import { LinkWatch } from '../compute/link-watch.ts'
import { HttpLink } from '../link/http-link.ts'
import { createLocalApi } from '../local-api/local-api.ts'
import { Metrics } from '../metrics/metrics.ts'
import { addMetricsRoutes } from '../metrics/metrics-routes.ts'
import { openExecutions } from '../open-stores.ts'
import { Listeners } from '../requester/api/listeners.ts'
import { ExecutionUpkeep } from '../retention/execution-upkeep.ts'
import { requesterTrust } from '../tls/requester-trust.ts'
import { buildVersion } from '../version.ts'
import { labelsOfMachine } from '../wire/node-output.ts'
import { startSide } from './compute-side.ts'
import { addTokens, connectionsOf, listen } from './listen.ts'
import type { NodeOptions } from './options.ts'
import { keepCompute, keepStore, type Parts, storesOf } from './parts.ts'
import { noteServed, startTls } from './server-tls.ts'
import { memoryOf } from './store-notes.ts'

/**
 * Starts a compute node alone. It serves what it knows of itself at once; work begins when its requester has answered,
 * which may be long after that.
 */
export async function startComputeParts(options: NodeOptions, parts: Parts): Promise<string> {
  const { config, nodeId, log } = options
  const access = await openAccess(config, log.child({ part: 'access' }))
  parts.access = access
  const paths = resolvePaths(config, nodeId)
  const opening = { nodeId, quota: config.quota, log }
  const executions = keepStore(parts, 'executions', await openExecutions(paths.executionStore, opening))
  const link = linkOf(options)
  parts.link = link
  const watch = new LinkWatch(log.child({ part: 'link' }), Date.now)
  const tls = await startTls(options, parts)
  const listeners = new Listeners(connectionsOf(options, access), tls)
  parts.api = createLocalApi(
    {
      nodeId,
      version: buildVersion(),
      labels: { ...labelsOfMachine(nodeId, buildVersion()), ...config.labels },
      config: options.shownConfig,
      executions,
      requesterAddress: () => link.address,
      standing: () => watch.standing,
      compute: () => parts.compute,
      certificates: () => tls?.ends ?? [],
      isDraining: () => parts.draining,
    },
    { maxBodyBytes: config.api.maxBodyBytes, listeners, gate: access.gate, log: log.child({ part: 'api' }) },
  )
  addTokens(parts.api, access, config)
  const remember = memoryOf(options, { jobs: undefined, executions })
  await remember({ met: false })
  parts.remember = () => remember({ met: parts.compute !== undefined })
  const metrics = new Metrics({
    requester: null,
    executions,
    archive: null,
    compute: () => parts.compute,
    link,
    tls,
    refusals: access.refusals,
    clock: Date.now,
  })
  parts.upkeep = new ExecutionUpkeep({
    executions,
    foldAfterMs: config.compaction.foldAfterMs,
    log: log.child({ part: 'retention' }),
    onFolded: (records) => metrics.addFolded('executions', records),
  })
  parts.compaction = new Compaction({
    stores: storesOf(parts),
    rules: config.compaction.rewrite,
    log: log.child({ part: 'compaction' }),
    onRewritten: (report) => metrics.addRewrite(report),
  })
  addCompactionRoutes(parts.api, parts.compaction)
  addMetricsRoutes(parts.api, metrics)
  options.signal.throwIfAborted()
  const url = await listen(parts.api, listeners, config.api)
  noteServed(options, parts.api, tls)
  join(parts, async (signal) => {
    keepCompute(
      parts,
      await startSide(options, paths, { store: executions, link, isRemote: true, watch, signal }),
    )
    await parts.remember?.()
  })
  parts.upkeep.start()
  parts.compaction.start()
  return url
}

/** Makes the way to the requester, with what both sides prove themselves by. Throws a `Failure`. */
function linkOf({ config, nodeId, joinToken, log }: NodeOptions): HttpLink {
  const [first, ...more] = config.compute.orchestrators
  if (first === undefined) throw new TypeError('a compute node alone needs the address of its requester')
  const identity = LinkIdentity.open(config, { nodeId, named: joinToken, log: log.child({ part: 'access' }) })
  const trust = requesterTrust({
    config,
    nodeId,
    fingerprint: identity.fingerprint,
    hasToken: identity.hasToken,
    log: log.child({ part: 'tls' }),
  })
  return new HttpLink([first, ...more], { trust, proof: identity })
}

/** Starts what waits for the requester in the background, and has the node end where that fails otherwise. */
function join(parts: Parts, start: (signal: AbortSignal) => Promise<void>): void {
  const giveUp = new AbortController()
  const done = start(giveUp.signal).catch((error: unknown) => {
    if (!giveUp.signal.aborted) parts.fail(error)
  })
  parts.joining = { done, giveUp: () => giveUp.abort() }
}
