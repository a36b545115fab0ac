import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import type { Json, TextMap } from '../kv/json.ts'
import { idTuple, tuple } from '../kv/tuple.ts'
import type { KnownNode, NodeMembership, NodeScheduling, NodeStore } from '../model/node.ts'
import type { DiskNames } from '../rows/field-names.ts'
import { type IndexRow, keyRows } from '../rows/index-row.ts'
import type { Mutation } from '../rows/mutation.ts'
import { RecordTable } from '../rows/record-table.ts'
import {
  isJson,
  isKeyText,
  isKeyTextMap,
  isListOf,
  isNumber,
  isRow,
  isText,
  optional,
  type RowShape,
} from '../rows/row-shape.ts'
import { shiftTime } from '../rows/steady-clock.ts'
import { INDEX } from '../rows/tables.ts'

/** A node as its requester keeps it. */
export interface NodeRow {
  readonly membership: NodeMembership
  readonly membershipMessage?: string
  readonly scheduling: NodeScheduling
  readonly schedulingMessage?: string
  readonly drainSteadyMs?: number
  readonly ownLabels?: TextMap
  readonly givenLabels?: TextMap
  readonly engines?: readonly string[]
  readonly details?: Json
  readonly version?: string
  readonly credentialHash?: string
  readonly store?: NodeStore
  readonly firstSeenAtMs: number
  readonly lastSeenAtMs: number
  readonly revision: number
}

/** The names of {@link NodeRow} on disk. */
export const NODE_NAMES: DiskNames<NodeRow> = {
  membership: 'ms',
  membershipMessage: 'mm',
  scheduling: 'sc',
  schedulingMessage: 'sm',
  drainSteadyMs: 'dr',
  ownLabels: 'l',
  givenLabels: 'gl',
  engines: 'e',
  details: 'd',
  version: 'v',
  credentialHash: 'ch',
  store: ['st', { storeId: 's', incarnation: 'i', firstSequence: 'first', sequence: 'n' }],
  firstSeenAtMs: 'c',
  lastSeenAtMs: 'at',
  revision: 'r',
}

const NODE_SHAPE: RowShape<NodeRow> = {
  membership: isKeyText,
  membershipMessage: optional(isText),
  scheduling: isKeyText,
  schedulingMessage: optional(isText),
  drainSteadyMs: optional(isNumber),
  ownLabels: optional(isKeyTextMap),
  givenLabels: optional(isKeyTextMap),
  engines: optional(isListOf(isText)),
  details: optional(isJson),
  version: optional(isText),
  credentialHash: optional(isText),
  store: optional(
    isRow<NodeStore>({ storeId: isText, incarnation: isText, firstSequence: isNumber, sequence: isNumber }),
  ),
  firstSeenAtMs: isNumber,
  lastSeenAtMs: isNumber,
  revision: isNumber,
}

/** The nodes, by id. */
export const nodeTable: RecordTable<NodeRow> = new RecordTable<NodeRow>('nodes', 1, NODE_NAMES, NODE_SHAPE)

/** A node as it was read, with what is needed to write it again. */
export interface LoadedNode {
  readonly id: string
  readonly key: Uint8Array
  readonly row: NodeRow
  /** Length of the stored row. */
  readonly bytes: number
}

/** The key of a node. */
export function nodeKey(id: string): Uint8Array {
  return idTuple('n', id)
}

/** Loads a node; `undefined` where there is none. */
export function findNodeRow(snapshot: KvSnapshot, id: string): LoadedNode | undefined {
  const key = nodeKey(id)
  const found = nodeTable.load(snapshot, key)
  return found && { id, key, row: found.record, bytes: found.bytes }
}

/** Loads a node. Throws `NODE_NOT_FOUND`. */
export function loadNode(snapshot: KvSnapshot, id: string): LoadedNode {
  const node = findNodeRow(snapshot, id)
  if (node !== undefined) return node
  throw new StoreError('NODE_NOT_FOUND', `node not found: ${id}`, {
    id,
    hint: 'list the nodes to see what is there',
  })
}

/** All index rows of a node. */
export function nodeIndexRows(key: Uint8Array, row: NodeRow): IndexRow[] {
  return keyRows([tuple(INDEX.nodeByMembership, row.membership, key)])
}

/** Writes a node, and moves index, counter and feed with it; `before` is `null` for a new one. */
export function putNode(
  mutation: Mutation,
  id: string,
  before: LoadedNode | null,
  row: NodeRow,
  announced = true,
): LoadedNode {
  const key = nodeKey(id)
  const bytes = nodeTable.put(mutation.rows, key, row)
  if (before?.row.membership !== row.membership) {
    if (before !== null) for (const index of nodeIndexRows(key, before.row)) mutation.removeIndex(index.key)
    for (const index of nodeIndexRows(key, row)) mutation.putIndex(index.key, index.value)
  }
  if (before !== null) mutation.count('node', '', before.row.membership, -1, -before.bytes)
  mutation.count('node', '', row.membership, 1, bytes)
  if (announced) announceNode(mutation, id, before?.row ?? null, row)
  return { id, key, row, bytes }
}

/** Removes a node with its index, counter and a tombstone in the feed. */
export function removeNode(mutation: Mutation, { id, key, row, bytes }: LoadedNode): void {
  mutation.rows.remove('nodes', key)
  for (const index of nodeIndexRows(key, row)) mutation.removeIndex(index.key)
  mutation.count('node', '', row.membership, -1, -bytes)
  announceNode(mutation, id, row, null)
}

function announceNode(mutation: Mutation, id: string, before: NodeRow | null, after: NodeRow | null): void {
  mutation.announce({
    kind: 'node',
    id,
    jobId: id,
    namespace: '',
    operation: after === null ? 'remove' : 'put',
    previousState: before?.membership ?? null,
    state: after?.membership ?? null,
    revision: (after ?? before)?.revision ?? 0,
  })
}

/** Restores a node from its row; `aheadMs` is by how much steady time is ahead. */
export function toNode(id: string, row: NodeRow, aheadMs: number): KnownNode {
  const { ownLabels = {}, givenLabels = {} } = row
  return {
    id,
    membership: row.membership,
    membershipMessage: row.membershipMessage ?? '',
    scheduling: row.scheduling,
    schedulingMessage: row.schedulingMessage ?? '',
    drainDeadlineAtMs: row.drainSteadyMs === undefined ? null : shiftTime(row.drainSteadyMs, -aheadMs),
    labels: { ...ownLabels, ...givenLabels },
    ownLabels,
    givenLabels,
    engines: row.engines ?? [],
    details: row.details ?? null,
    version: row.version ?? '',
    credentialHash: row.credentialHash ?? null,
    store: row.store ?? null,
    firstSeenAtMs: row.firstSeenAtMs,
    lastSeenAtMs: row.lastSeenAtMs,
    revision: row.revision,
  }
}
