import {
  resourcesToWire,
  toRfc3339,
  type WireBuildVersion,
  type WireNodeInfo,
  type WireNodeState,
  ZERO_TIME,
} from '@saltcod/bacalhau-records'
import type { Json } from '@saltcod/store-core'
import type { NodeDescription, NodeLoad } from '../link/link.ts'

/** Labels that every node has, in the spellings of all releases, so that jobs can ask for a machine of their kind. */
export function labelsOfMachine(nodeId: string, { GOOS, GOARCH }: WireBuildVersion): Record<string, string> {
  return {
    name: nodeId,
    os_type: GOOS,
    os_arch: GOARCH,
    'Operating-System': GOOS,
    Architecture: GOARCH,
  }
}

/** A compute node as the requester knows it. */
export interface NodeView {
  readonly description: NodeDescription
  readonly load: NodeLoad
  readonly connected: boolean
  readonly connectedAtMs: number
  readonly lastContactMs: number
}

/** Writes what a compute node is and offers. */
export function nodeInfoToWire(node: NodeView, version: WireBuildVersion): WireNodeInfo {
  const { description, load } = node
  const maximum = resourcesToWire({ ...description.capacity } as Json)
  return {
    NodeID: description.nodeId,
    NodeType: 'Compute',
    Labels: description.labels,
    SupportedProtocols: [],
    ComputeNodeInfo: {
      ExecutionEngines: description.engines,
      Publishers: description.publishers,
      StorageSources: description.inputSources,
      MaxCapacity: maximum,
      QueueCapacity: {},
      AvailableCapacity: resourcesToWire({ ...load.available } as Json),
      MaxJobRequirements: maximum,
      RunningExecutions: load.runningExecutions,
      EnqueuedExecutions: load.enqueuedExecutions,
      address: '',
    },
    BacalhauVersion: version,
  }
}

/** Writes a compute node and how it stands to the requester. */
export function nodeToWire(node: NodeView, version: WireBuildVersion): WireNodeState {
  const status = node.connected ? 'CONNECTED' : 'DISCONNECTED'
  return {
    Info: nodeInfoToWire(node, version),
    Membership: 'APPROVED',
    Connection: status,
    ConnectionState: {
      Status: status,
      LastHeartbeat: toRfc3339(node.lastContactMs),
      ConnectedSince: toRfc3339(node.connectedAtMs),
      DisconnectedSince: node.connected ? ZERO_TIME : toRfc3339(node.lastContactMs),
    },
  }
}
