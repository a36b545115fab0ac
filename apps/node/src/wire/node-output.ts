import {
  resourcesToWire,
  toRfc3339,
  type WireBuildVersion,
  type WireNodeInfo,
  type WireNodeRecord,
  type WireNodeState,
  ZERO_TIME,
} from '@saltcod/bacalhau-records'
import type { Json, KnownNode } from '@saltcod/store-core'
import type { NodeDescription, NodeLoad, NodeRelease, Orphans } from '../link/link.ts'

/** What this program is, as a node says it. */
export function releaseOf({ GitVersion, GOOS, GOARCH }: WireBuildVersion): NodeRelease {
  return { version: GitVersion, os: GOOS, arch: GOARCH }
}

/** Of a node that says nothing of its release everything is empty. */
function versionToWire(
  { version, os, arch }: NodeRelease = { version: '', os: '', arch: '' },
): WireBuildVersion {
  const [Major = '', Minor = ''] = version.replace(/^v/, '').split('.')
  return { Major, Minor, GitVersion: version, GitCommit: '', BuildDate: ZERO_TIME, GOOS: os, GOARCH: arch }
}

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
  readonly record: KnownNode
  /** With the labels that count. */
  readonly description: NodeDescription
  readonly load: NodeLoad
  readonly connected: boolean
  /** `lost` where its work is given up because it was silent for too long, or was cut off with its credential. */
  readonly state: 'connected' | 'silent' | 'lost'
  /** `null` where it has not come since this process began. */
  readonly connectedAtMs: number | null
  readonly lastContactMs: number
  /** Ended executions on it that the requester does not know; `null` where it names none. */
  readonly orphans: Orphans | null
  /** Why another node with its id is refused now; `null` where none is. */
  readonly rival: string | null
}

/** Writes what a compute node is and offers. */
export function nodeInfoToWire(node: Pick<NodeView, 'description' | 'load'>): WireNodeInfo {
  const { description, load } = node
  const maximum = resourcesToWire({ ...description.capacity } as Json)
  return {
    NodeID: description.nodeId,
    NodeType: 'Compute',
    Labels: description.labels,
    SupportedProtocols: [],
    ComputeNodeInfo: {
      ExecutionEngines: description.engines,
      MissingEngines: description.missingEngines ?? {},
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
    BacalhauVersion: versionToWire(description.release),
  }
}

/** Writes a compute node and how it stands to the requester, whose record of it a node itself does not have. */
export function nodeToWire(
  node: Omit<NodeView, 'record' | 'rival' | 'orphans'> & {
    readonly record: KnownNode | null
    readonly rival?: NodeView['rival']
    readonly orphans?: NodeView['orphans']
  },
): WireNodeState {
  const { record, connected, connectedAtMs, lastContactMs } = node
  const status = connected ? 'CONNECTED' : 'DISCONNECTED'
  return {
    Info: nodeInfoToWire(node),
    Membership: (record?.membership ?? 'approved').toUpperCase(),
    Connection: status,
    ConnectionState: {
      Status: status,
      LastHeartbeat: toRfc3339(lastContactMs),
      ConnectedSince: connectedAtMs === null ? ZERO_TIME : toRfc3339(connectedAtMs),
      DisconnectedSince: connected ? ZERO_TIME : toRfc3339(lastContactMs),
    },
    ...(record === null ? {} : { Saltcod: recordToWire(record, node) }),
  }
}

function recordToWire(
  record: KnownNode,
  {
    state,
    rival = null,
    orphans = null,
  }: Pick<NodeView, 'state'> & Partial<Pick<NodeView, 'rival' | 'orphans'>>,
): WireNodeRecord {
  const { membershipMessage, scheduling, schedulingMessage, drainDeadlineAtMs, store } = record
  return {
    State: state,
    Rival: rival ?? '',
    Orphans: { Count: orphans?.count ?? 0, IDs: orphans?.ids ?? [] },
    Scheduling: scheduling,
    MembershipMessage: membershipMessage,
    SchedulingMessage: schedulingMessage,
    DrainDeadline: drainDeadlineAtMs === null ? '' : toRfc3339(drainDeadlineAtMs),
    FirstSeen: toRfc3339(record.firstSeenAtMs),
    GivenLabels: record.givenLabels,
    StoreID: store?.storeId ?? '',
    Incarnation: store?.incarnation ?? '',
  }
}
