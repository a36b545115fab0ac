import type { WireBuildVersion, WireNodeInfo, WireNodeState } from '@saltcod/bacalhau-records'
import type { ExecutionStore, Json } from '@saltcod/store-core'
import type { FastifyInstance } from 'fastify'
import type { ComputeNode } from '../compute/compute-node.ts'
import type { LinkStanding } from '../compute/link-watch.ts'
import { addAgentRoutes } from '../requester/api/agent-routes.ts'
import { type ApiOptions, createBareApi } from '../requester/api/server.ts'
import type { CertificateEnd } from '../tls/server-tls.ts'
import { ApiError } from '../wire/api-error.ts'
import { certificatesToWire } from '../wire/certificate-output.ts'
import { nodeInfoToWire, nodeToWire } from '../wire/node-output.ts'
import { addLocalExecutionRoutes } from './local-execution-routes.ts'
import { addLocalGcRoute } from './local-gc-route.ts'
import { addLocalWhyRoutes } from './local-why-routes.ts'

/** What a node without a requester of its own serves. */
export interface LocalApiContext {
  readonly nodeId: string
  readonly version: WireBuildVersion
  readonly labels: Readonly<Record<string, string>>
  /** The configuration as it may be shown. */
  readonly config: () => Json
  readonly executions: ExecutionStore
  /** Where its requester is, for people. */
  readonly requesterAddress: () => string
  readonly standing: () => LinkStanding
  /** The compute side; undefined until its requester has answered once. */
  readonly compute: () => ComputeNode | undefined
  /** Of what listens; none where that speaks no TLS. */
  readonly certificates: () => readonly CertificateEnd[]
  readonly isDraining: () => boolean
}

/** What only a requester has. */
const REQUESTERS = /^\/api\/v1\/(?:orchestrator|requester|saltcod\/(?:jobs|archive))(?:[/?]|$)/

/**
 * Makes the API of a compute node alone: what it is, how it stands to its requester, and the executions that it
 * keeps. Jobs are its requester's, and whoever asks for them here is told so.
 */
export function createLocalApi(context: LocalApiContext, options: ApiOptions): FastifyInstance {
  const { nodeId, version, config } = context
  const api = createBareApi(
    { version, missing: (path) => (REQUESTERS.test(path) ? noRequester(context) : undefined) },
    options,
  )
  addAgentRoutes(api, {
    nodeId,
    version,
    config,
    describe: () => describe(context),
    busy: () => busy(context),
  })
  api.get('/api/v1/saltcod/link', async () => await linkToWire(context))
  addLocalExecutionRoutes(api, context.executions)
  addLocalWhyRoutes(api, context)
  addLocalGcRoute(api, context.compute)
  return api
}

function noRequester({ nodeId, requesterAddress }: LocalApiContext): ApiError {
  return new ApiError(
    'NotImplemented',
    `node ${nodeId} is a compute node alone: it knows no jobs and no nodes`,
    {
      component: 'LocalAPI',
      hint: `ask its requester at ${requesterAddress()} (--host and --port, or BACALHAU_API_HOST and BACALHAU_API_PORT)`,
    },
  )
}

/** How a compute node stands to its requester, as its API says it. */
export interface LinkAnswer {
  readonly State: string
  readonly Since: string
  readonly Requester: string
  readonly Reason: string | null
  readonly Reconnects: number
  /** When it answered last; null for never. */
  readonly LastHeard: string | null
  /** Reports that the requester refuses, and that lie aside. */
  readonly RefusedReports: readonly {
    readonly ExecutionID: string
    readonly State: string | null
    readonly Reason: string
    readonly Since: string
  }[]
}

async function linkToWire({ standing, requesterAddress, compute }: LocalApiContext): Promise<LinkAnswer> {
  const { state, sinceMs, heardAtMs, reason, reconnects } = standing()
  return {
    State: state.toUpperCase(),
    Since: new Date(sinceMs).toISOString(),
    Requester: requesterAddress(),
    Reason: reason,
    Reconnects: reconnects,
    LastHeard: heardAtMs === null ? null : new Date(heardAtMs).toISOString(),
    RefusedReports: ((await compute()?.listRefused()) ?? []).map((refusal) => ({
      ExecutionID: refusal.executionId,
      State: refusal.state,
      Reason: refusal.reason,
      Since: new Date(refusal.atMs).toISOString(),
    })),
  }
}

async function busy(context: LocalApiContext): Promise<Record<string, unknown>> {
  const load = context.compute()?.load()
  return {
    Link: await linkToWire(context),
    ...certificatesToWire(context.certificates(), Date.now()),
    Compute: {
      NodeID: context.nodeId,
      Stopping: context.isDraining(),
      Started: load !== undefined,
      RunningExecutions: load?.runningExecutions ?? 0,
      EnqueuedExecutions: load?.enqueuedExecutions ?? 0,
      HeldBack: load?.heldBack ?? 0,
    },
  }
}

function describe(context: LocalApiContext): WireNodeInfo & WireNodeState {
  const { version, nodeId, labels, standing } = context
  const { state, sinceMs, heardAtMs } = standing()
  const compute = context.compute()
  if (compute === undefined) {
    const info: WireNodeInfo = {
      NodeID: nodeId,
      NodeType: 'Compute',
      Labels: labels,
      SupportedProtocols: [],
      BacalhauVersion: version,
    }
    const connection = {
      Status: 'DISCONNECTED',
      LastHeartbeat: new Date(0).toISOString(),
      ConnectedSince: new Date(0).toISOString(),
      DisconnectedSince: new Date(sinceMs).toISOString(),
    }
    return {
      ...info,
      Info: info,
      Membership: 'PENDING',
      Connection: 'DISCONNECTED',
      ConnectionState: connection,
    }
  }
  const view = {
    record: null,
    description: compute.description(),
    load: compute.load(),
    connected: state === 'connected',
    state: state === 'connected' ? ('connected' as const) : ('silent' as const),
    connectedAtMs: sinceMs,
    lastContactMs: heardAtMs ?? sinceMs,
  }
  return { ...nodeInfoToWire(view), ...nodeToWire(view) }
}
