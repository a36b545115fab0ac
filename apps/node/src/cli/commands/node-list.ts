import type { WireNodeState } from '@saltcod/bacalhau-records'
import { bytesText, type Column, type Format, printList, shortId, type Terminal } from '@saltcod/cli-kit'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'

/** Options of `node list`. */
export interface NodeListOptions extends NodeFlags {
  readonly output: Format
  readonly wide?: boolean
  readonly hideHeader?: boolean
  readonly show?: readonly string[]
  readonly labels?: readonly string[]
  readonly filterApproval?: string
  readonly filterStatus?: string
  readonly orderBy?: string
  readonly orderReversed?: boolean
  readonly limit?: number
}

/** Lists the nodes that run jobs. */
export async function nodeList(terminal: Terminal, options: NodeListOptions): Promise<void> {
  const { output, wide = false, hideHeader, show } = options
  const { labels, filterApproval, filterStatus, orderBy, orderReversed, limit } = options
  const { Nodes } = await clientFor(terminal, options).listNodes({
    labels,
    'filter-approval': filterApproval,
    'filter-status': filterStatus,
    order_by: orderBy,
    reverse: orderReversed,
    limit,
  })
  const ids = wide || output === 'csv'
  printList(terminal, output, Nodes, show === undefined ? columns(ids) : shownColumns(ids, show), {
    hideHeader,
  })
}

const IDENTITY = (wide: boolean): Column<WireNodeState>[] => [
  { name: 'ID', value: ({ Info }) => shortId(Info.NodeID, wide) },
  { name: 'APPROVAL', value: approvalOf },
  { name: 'STATUS', value: statusOf },
]

/** Whether it may have work, and where it may, whether it gets any. */
function approvalOf({ Membership, Saltcod }: WireNodeState): string {
  const approval = Membership.toLowerCase()
  return approval === 'approved' && Saltcod?.Scheduling === 'drained' ? 'drained' : approval
}

function statusOf({ Connection, Saltcod }: WireNodeState): string {
  const status = Saltcod?.State ?? Connection.toLowerCase()
  return (Saltcod?.Rival ?? '') === '' ? status : `${status}, contested`
}

const FREE: readonly Column<WireNodeState>[] = [
  { name: 'FREE CPU', value: ({ Info }) => (Info.ComputeNodeInfo?.AvailableCapacity.CPU ?? 0).toFixed(2) },
  {
    name: 'FREE MEMORY',
    value: ({ Info }) => bytesText(Info.ComputeNodeInfo?.AvailableCapacity.Memory ?? 0),
  },
  { name: 'FREE DISK', value: ({ Info }) => bytesText(Info.ComputeNodeInfo?.AvailableCapacity.Disk ?? 0) },
]

function columns(wide: boolean): readonly Column<WireNodeState>[] {
  return [
    ...IDENTITY(wide),
    { name: 'ENGINES', value: ({ Info }) => (Info.ComputeNodeInfo?.ExecutionEngines ?? []).join(' ') },
    { name: 'RUNNING', value: ({ Info }) => String(Info.ComputeNodeInfo?.RunningExecutions ?? 0) },
    { name: 'WAITING', value: ({ Info }) => String(Info.ComputeNodeInfo?.EnqueuedExecutions ?? 0) },
    ...FREE,
  ]
}

const GROUPS: Readonly<Record<string, readonly Column<WireNodeState>[]>> = {
  labels: [
    {
      name: 'LABELS',
      value: ({ Info }) =>
        Object.entries(Info.Labels)
          .map(([key, value]) => `${key}=${value}`)
          .sort()
          .join(' '),
    },
  ],
  version: [
    { name: 'VERSION', value: ({ Info }) => Info.BacalhauVersion.GitVersion },
    { name: 'ARCHITECTURE', value: ({ Info }) => Info.BacalhauVersion.GOARCH },
    { name: 'OS', value: ({ Info }) => Info.BacalhauVersion.GOOS },
  ],
  features: [
    { name: 'ENGINES', value: ({ Info }) => (Info.ComputeNodeInfo?.ExecutionEngines ?? []).join(' ') },
    { name: 'INPUTS', value: ({ Info }) => (Info.ComputeNodeInfo?.StorageSources ?? []).join(' ') },
    { name: 'PUBLISHERS', value: ({ Info }) => (Info.ComputeNodeInfo?.Publishers ?? []).join(' ') },
  ],
  capacity: FREE,
}

function shownColumns(wide: boolean, show: readonly string[]): readonly Column<WireNodeState>[] {
  return [...IDENTITY(wide), ...show.flatMap((group) => GROUPS[group] ?? [])]
}
