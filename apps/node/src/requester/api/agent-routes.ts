import type { FastifyInstance } from 'fastify'
import type { WireNodeInfo, WireNodeState } from '../../wire/models.ts'
import { nodeInfoToWire, nodeToWire } from '../../wire/node-output.ts'
import { toRfc3339, ZERO_TIME } from '../../wire/time.ts'
import type { ApiContext } from './api-context.ts'

/** Adds what a node tells about itself. */
export function addAgentRoutes(api: FastifyInstance, context: ApiContext): void {
  api.get('/api/v1/agent/alive', async () => ({ Status: 'OK' }))
  api.get('/api/v1/agent/version', async () => context.version)
  api.get('/api/v1/agent/config', async () => ({ config: context.config() }))
  api.get('/api/v1/agent/node', async () => agentNode(context))
  api.get('/api/v1/agent/authconfig', async () => ({ Version: '1.0.0', Config: {} }))
  api.post('/api/v1/version', async () => ({ build_version_info: context.version }))
}

/** Older clients read the state of a node, newer ones its description: both are in the answer. */
function agentNode({ requester, nodeId, labels, version }: ApiContext): WireNodeInfo & WireNodeState {
  const own = requester.nodes.get(nodeId)
  if (own !== null) return { ...nodeInfoToWire(own, version), ...nodeToWire(own, version) }
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
