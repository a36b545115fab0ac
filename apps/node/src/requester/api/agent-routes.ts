import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import {
  toRfc3339,
  type WireBuildVersion,
  type WireNodeInfo,
  type WireNodeState,
  ZERO_TIME,
} from '@saltcod/bacalhau-records'
import type { Json } from '@saltcod/store-core'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { certificatesToWire } from '../../wire/certificate-output.ts'
import { nodeInfoToWire, nodeToWire } from '../../wire/node-output.ts'
import type { ApiContext } from './api-context.ts'

/** What a node of any role tells about itself. */
export interface AgentContext {
  readonly nodeId: string
  readonly version: WireBuildVersion
  /** The configuration as it may be shown. */
  readonly config: () => Json
  /** Older clients read the state of a node, newer ones its description: both are in the answer. */
  readonly describe: () => WireNodeInfo & WireNodeState
  /** What the node is busy with, part by part. */
  readonly busy: () => Record<string, unknown> | Promise<Record<string, unknown>>
}

/** Returns what a requester tells about itself, and about the compute side of the same process if it has one. */
export function agentOf(context: ApiContext): AgentContext {
  const { nodeId, version, config } = context
  return {
    nodeId,
    version,
    config,
    describe: () => describeRequester(context),
    busy: () => busyRequester(context),
  }
}

/** Adds what a node tells about itself. */
export function addAgentRoutes(api: FastifyInstance, context: AgentContext): void {
  api.get('/api/v1/agent/alive', async () => ({ Status: 'OK' }))
  api.get('/api/v1/agent/version', async () => context.version)
  api.get('/api/v1/agent/config', async () => ({ config: context.config() }))
  api.get('/api/v1/agent/node', async () => context.describe())
  api.get('/api/v1/agent/authconfig', async () => ({ Version: '1.0.0', Config: {} }))
  api.post('/api/v1/version', async () => ({ build_version_info: context.version }))
  api.get('/api/v1/agent/debug', async () => ({ ...(await context.busy()), Process: processInfo() }))
  addOldProbes(api, context)
}

/** Probes of releases before v1.5, which balancers and watchdogs still send, with and without the prefix. */
function addOldProbes(api: FastifyInstance, context: AgentContext): void {
  const text = (reply: FastifyReply, body: string): FastifyReply =>
    reply.type('text/plain; charset=utf-8').send(body)
  for (const prefix of ['', '/api/v1']) {
    api.get(`${prefix}/livez`, async (_request, reply) => text(reply, 'OK'))
    api.get(`${prefix}/healthz`, async () => freeSpace())
    api.get(`${prefix}/id`, async (_request, reply) => text(reply, context.nodeId))
  }
  api.get('/api/v1/node_info', async () => context.describe())
  for (const path of ['/', '/version']) {
    api.get(path, async (_request, reply) => reply.redirect('/api/v1/agent/version', 301))
  }
}

function busyRequester({ requester, nodeId, certificates, isDraining }: ApiContext): Record<string, unknown> {
  return {
    Requester: { NodeID: nodeId, Stopping: isDraining() },
    ...certificatesToWire(certificates(), requester.clock()),
    Nodes: Object.fromEntries(
      requester.nodes.list().map(({ description, load, connected }) => [
        description.nodeId,
        {
          Connected: connected,
          RunningExecutions: load.runningExecutions,
          EnqueuedExecutions: load.enqueuedExecutions,
          HeldBack: load.heldBack,
        },
      ]),
    ),
  }
}

function processInfo(): Record<string, number> {
  return { UptimeSeconds: Math.floor(process.uptime()), MemoryBytes: process.memoryUsage.rss() }
}

async function freeSpace(): Promise<{ readonly FreeSpace: Record<string, unknown> }> {
  const spaceOf = async (path: string) => {
    const { bsize, blocks, bfree } = await statfs(path)
    return { All: blocks * bsize, Used: (blocks - bfree) * bsize, Free: bfree * bsize }
  }
  return { FreeSpace: { tmp: await spaceOf(tmpdir()), root: await spaceOf('/') } }
}

function describeRequester({ requester, nodeId, labels, version }: ApiContext): WireNodeInfo & WireNodeState {
  const own = requester.nodes.get(nodeId)
  if (own !== null) return { ...nodeInfoToWire(own), ...nodeToWire(own) }
  const info: WireNodeInfo = {
    NodeID: nodeId,
    NodeType: 'Requester',
    Labels: labels,
    SupportedProtocols: [],
    BacalhauVersion: version,
  }
  return {
    ...info,
    Info: info,
    Membership: 'APPROVED',
    Connection: 'CONNECTED',
    ConnectionState: {
      Status: 'CONNECTED',
      LastHeartbeat: toRfc3339(requester.clock()),
      ConnectedSince: ZERO_TIME,
      DisconnectedSince: ZERO_TIME,
    },
  }
}
