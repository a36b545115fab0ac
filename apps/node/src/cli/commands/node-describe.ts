import type { WireNodeRecord, WireNodeState, WireResources } from '@saltcod/bacalhau-records'
import {
  bytesText,
  Failure,
  type Format,
  formatTable,
  localTime,
  paint,
  printWhole,
  span,
  type Terminal,
} from '@saltcod/cli-kit'
import { EXIT } from '../../exit-code.ts'
import type { WireCertificate } from '../../wire/certificate-output.ts'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { enforcementRows } from '../enforcement.ts'

/** Options of `node describe`. */
export interface NodeDescribeOptions extends NodeFlags {
  readonly output: Format
}

/** Tells all about a node. Throws a `Failure` where no id is given and there is not exactly one. */
export async function nodeDescribe(
  terminal: Terminal,
  id: string | undefined,
  options: NodeDescribeOptions,
): Promise<void> {
  const client = clientFor(terminal, options)
  const wanted = id ?? theOnly((await client.listNodes()).Nodes).Info.NodeID
  const { Node: node, Certificates = [] } = await client.getNode(wanted)
  const { output } = options
  if (output === 'table') print(terminal, node, Certificates)
  else printWhole(terminal, output, node)
}

function theOnly(nodes: readonly WireNodeState[]): WireNodeState {
  const [node, another] = nodes
  if (node !== undefined && another === undefined) return node
  throw new Failure(EXIT.usage, `there are ${nodes.length} nodes, so say which`, {
    hint: 'saltcod node list shows their ids',
  })
}

function withReason(what: string, reason: string | undefined): string {
  return reason === undefined || reason === '' ? what : `${what}: ${reason}`
}

/** The node stays drained behind it: only what ran there has a deadline. */
function deadlineText(deadline: string): string {
  const [atMs, nowMs] = [Date.parse(deadline), Date.now()]
  return atMs > nowMs
    ? `${localTime(atMs)}, in ${span(atMs - nowMs)}: what still runs then is ended, and done elsewhere`
    : `${localTime(atMs)}, ${span(nowMs - atMs)} ago: what still ran then was ended, to be done elsewhere`
}

function seenText(time: string): string {
  const atMs = Date.parse(time)
  return `${localTime(atMs)}, ${span(Date.now() - atMs)} ago`
}

function recordFacts(record: WireNodeRecord): [string, string][] {
  const { Scheduling, SchedulingMessage, DrainDeadline, FirstSeen, StoreID, Rival = '' } = record
  return [
    ['Scheduling', withReason(Scheduling, SchedulingMessage)],
    ...(DrainDeadline === '' ? [] : [['Deadline', deadlineText(DrainDeadline)] satisfies [string, string]]),
    ['First seen', seenText(FirstSeen)],
    ['Store', StoreID],
    ...orphanFacts(record),
    ...(Rival === '' ? [] : [['Contested', Rival] satisfies [string, string]]),
  ]
}

/** What a requester of an earlier release does not say. */
function orphanFacts({ Orphans = { Count: 0, IDs: [] } }: WireNodeRecord): [string, string][] {
  const { Count, IDs } = Orphans
  if (Count === 0) return []
  const rest = Count > IDs.length ? ` and ${Count - IDs.length} more` : ''
  return [['Orphans', `${Count} ended executions that the requester does not know: ${IDs.join(', ')}${rest}`]]
}

/** Of the node that was asked, and that all others trust. */
function certificateFacts(certificates: readonly WireCertificate[]): [string, string][] {
  const words: Readonly<Record<string, string>> = {
    server: 'Certificate',
    authority: 'Authority',
  }
  return certificates.map(({ Certificate, Until, DaysLeft }) => {
    const left = DaysLeft < 0 ? 'has ended' : `${DaysLeft} days left`
    return [
      words[Certificate] ?? Certificate,
      `${left} (until ${localTime(Date.parse(Until))}), of the requester`,
    ]
  })
}

function print(terminal: Terminal, state: WireNodeState, certificates: readonly WireCertificate[]): void {
  const { Info, Connection, ConnectionState, Membership, Saltcod } = state
  const compute = Info.ComputeNodeInfo
  const facts: [string, string][] = [
    ['ID', Info.NodeID],
    ['Approval', withReason(Membership.toLowerCase(), Saltcod?.MembershipMessage)],
    ...(Saltcod === undefined ? [] : recordFacts(Saltcod)),
    ['Status', Saltcod?.State ?? Connection.toLowerCase()],
    ['Last seen', seenText(ConnectionState.LastHeartbeat)],
    ['Version', Info.BacalhauVersion.GitVersion || 'of an earlier release, which does not say'],
    ['Engines', (compute?.ExecutionEngines ?? []).join(', ')],
    ...Object.entries(compute?.MissingEngines ?? {}).map(([engine, reason]): [string, string] => [
      `No ${engine}`,
      reason,
    ]),
    ['Inputs', (compute?.StorageSources ?? []).join(', ')],
    ['Publishers', (compute?.Publishers ?? []).join(', ')],
    ['Running', String(compute?.RunningExecutions ?? 0)],
    ['Waiting', String(compute?.EnqueuedExecutions ?? 0)],
    ...certificateFacts(certificates),
  ]
  terminal.out(facts.map(([name, text]) => `${name.padEnd(12)}${text}\n`).join(''))
  if (compute !== undefined) {
    const row = (name: string, resources: WireResources): string[] => [
      name,
      (resources.CPU ?? 0).toFixed(2),
      bytesText(resources.Memory ?? 0),
      bytesText(resources.Disk ?? 0),
      String(resources.GPU ?? 0),
    ]
    terminal.out(`\n${paint(terminal, 'bold', 'Capacity')}\n`)
    terminal.out(
      formatTable(
        terminal,
        ['', 'CPU', 'MEMORY', 'DISK', 'GPU'],
        [
          row('all', compute.MaxCapacity),
          row('free', compute.AvailableCapacity),
          row('for one job', compute.MaxJobRequirements),
        ],
      ),
    )
  }
  terminal.out(`\n${paint(terminal, 'bold', 'Held to what a job asks for')}\n`)
  terminal.out(
    formatTable(
      terminal,
      ['ENGINE', 'CPU', 'MEMORY', 'DISK', 'GPU'],
      enforcementRows(Info.ComputeNodeInfo?.ExecutionEngines ?? [], Info.Labels),
    ),
  )
  const labels = Object.entries(Info.Labels).sort(([a], [b]) => (a < b ? -1 : 1))
  if (labels.length === 0) return
  terminal.out(`\n${paint(terminal, 'bold', 'Labels')}\n`)
  terminal.out(
    formatTable(
      terminal,
      ['LABEL', 'VALUE'],
      labels.map(([name, value]) => [name, value]),
    ),
  )
}
