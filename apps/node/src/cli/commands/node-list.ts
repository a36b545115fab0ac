import { bytesText, type Column, type Format, printList, shortId, type Terminal } from '@saltcod/cli-kit'
import type { WireNodeState } from '../../wire/models.ts'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'

/** Options of `node list`. */
export interface NodeListOptions extends NodeFlags {
  readonly output: Format
  readonly wide?: boolean
  readonly labels?: readonly string[]
  readonly filterApproval?: string
  readonly filterStatus?: string
  readonly orderBy?: string
  readonly orderReversed?: boolean
  readonly limit?: number
}

/** Lists the nodes that run jobs. */
export async function nodeList(terminal: Terminal, options: NodeListOptions): Promise<void> {
  const { output, wide = false } = options
  const { labels, filterApproval, filterStatus, orderBy, orderReversed, limit } = options
  const { Nodes } = await clientFor(terminal, options).listNodes({
    labels,
    'filter-approval': filterApproval,
    'filter-status': filterStatus,
    order_by: orderBy,
    reverse: orderReversed,
    limit,
  })
  printList(terminal, output, Nodes, columns(wide || output === 'csv'))
}

function columns(wide: boolean): Column<WireNodeState>[] {
  return [
    { name: 'ID', value: ({ Info }) => shortId(Info.NodeID, wide) },
    { name: 'STATUS', value: ({ Connection }) => Connection.toLowerCase() },
    { name: 'ENGINES', value: ({ Info }) => (Info.ComputeNodeInfo?.ExecutionEngines ?? []).join(' ') },
    { name: 'RUNNING', value: ({ Info }) => String(Info.ComputeNodeInfo?.RunningExecutions ?? 0) },
    { name: 'WAITING', value: ({ Info }) => String(Info.ComputeNodeInfo?.EnqueuedExecutions ?? 0) },
    { name: 'FREE CPU', value: ({ Info }) => (Info.ComputeNodeInfo?.AvailableCapacity.CPU ?? 0).toFixed(2) },
    {
      name: 'FREE MEMORY',
      value: ({ Info }) => bytesText(Info.ComputeNodeInfo?.AvailableCapacity.Memory ?? 0),
    },
    { name: 'FREE DISK', value: ({ Info }) => bytesText(Info.ComputeNodeInfo?.AvailableCapacity.Disk ?? 0) },
  ]
}
