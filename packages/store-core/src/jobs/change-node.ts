import { isDeepStrictEqual } from 'node:util'
import {
  requireJson,
  requireList,
  requireObject,
  requireOptionalJson,
  requireText,
} from '../arguments/argument-types.ts'
import {
  checkInteger,
  checkLabels,
  checkOptionalChoice,
  checkOptionalInteger,
  checkText,
  checkTime,
  cutMessage,
  invalid,
} from '../arguments/limits.ts'
import type { ChangeNode, DeleteNode, RecordNode, SeeNodes } from '../contract/nodes.ts'
import { StoreError } from '../errors.ts'
import type { TextMap } from '../kv/json.ts'
import { checkId } from '../model/id.ts'
import { NODE_MEMBERSHIPS, NODE_SCHEDULINGS, type NodeStore } from '../model/node.ts'
import type { Mutation } from '../rows/mutation.ts'
import type { Draft } from '../rows/state-row.ts'
import {
  findNodeRow,
  type LoadedNode,
  loadNode,
  type NodeRow,
  nodeTable,
  putNode,
  removeNode,
} from './node-row.ts'

const MAX_SEEN = 1_000
const MAX_ENGINES = 64
/** Of all that a node says of itself. */
const MAX_DETAILS_BYTES = 65_536

/** Takes a node in, or notes what has changed about it. */
export function recordNode(mutation: Mutation, request: RecordNode): LoadedNode {
  checkNode(request)
  const { id, membership = 'pending' } = request
  const before = findNodeRow(mutation.rows, id)
  const { nowMs } = mutation
  const known: NodeRow = before?.row ?? {
    membership,
    scheduling: 'on',
    firstSeenAtMs: nowMs,
    lastSeenAtMs: nowMs,
    revision: 0,
  }
  const said = withSaid(known, request)
  const isSame = before !== undefined && isDeepStrictEqual(withoutProgress(known), withoutProgress(said))
  const row = { ...said, lastSeenAtMs: nowMs, revision: isSame ? known.revision : known.revision + 1 }
  const after = putNode(mutation, id, before ?? null, row, !isSame)
  return { ...after, row: nodeTable.written(mutation.rows, after.key, row) }
}

function checkNode(request: RecordNode): void {
  const { id, labels, engines, details, version, credentialHash, store, membership } = request
  checkId('node', id)
  if (labels !== undefined) checkLabels(labels)
  if (engines !== undefined) {
    requireList('engines', engines)
    if (engines.length > MAX_ENGINES)
      throw invalid(`there are ${engines.length} engines, at most ${MAX_ENGINES} are allowed`)
    for (const engine of engines) checkText('engine', engine)
  }
  requireOptionalJson('details', details)
  if (details !== undefined && JSON.stringify(details).length > MAX_DETAILS_BYTES)
    throw invalid(`what node ${id} says of itself takes more than ${MAX_DETAILS_BYTES} bytes`)
  if (version !== undefined) checkText('version', version, { mayBeEmpty: true })
  if (credentialHash != null) checkText('credentialHash', credentialHash)
  if (store != null) checkStore(store)
  checkOptionalChoice('membership', membership, ['pending', 'approved'])
}

function checkStore(store: NodeStore): void {
  requireObject('store', store)
  checkText('storeId', store.storeId)
  checkText('incarnation', store.incarnation)
  checkInteger('firstSequence', store.firstSequence, 0)
  checkInteger('sequence', store.sequence, 0)
}

function withSaid(known: NodeRow, said: RecordNode): NodeRow {
  const row: Draft<NodeRow> = { ...known }
  if (said.labels !== undefined) row.ownLabels = said.labels
  if (said.engines !== undefined) row.engines = said.engines
  if (said.details !== undefined) row.details = said.details
  if (said.version !== undefined) row.version = said.version
  if (said.credentialHash === null) delete row.credentialHash
  else if (said.credentialHash !== undefined) row.credentialHash = said.credentialHash
  if (said.store === null) delete row.store
  else if (said.store !== undefined) row.store = said.store
  return row
}

/** That a node was seen, and how far its store has come, changes all the time and says nothing new of it. */
function withoutProgress({ lastSeenAtMs: _, store, ...row }: NodeRow): unknown {
  return { ...row, store: store && { ...store, sequence: 0 } }
}

/** Notes that nodes were heard of, which is no change of theirs. */
export function seeNodes(mutation: Mutation, { seen }: SeeNodes): void {
  requireList('seen', seen)
  if (seen.length > MAX_SEEN)
    throw invalid(`${seen.length} nodes are named, at most ${MAX_SEEN} are at a time`)
  for (const one of seen) {
    requireObject('seen node', one)
    requireText('node id', one.id)
    checkInteger('time (atMs)', one.atMs, 0)
    checkOptionalInteger('sequence', one.sequence, 0)
    const node = findNodeRow(mutation.rows, one.id)
    if (node === undefined) continue
    const { store, lastSeenAtMs } = node.row
    const row: NodeRow = {
      ...node.row,
      lastSeenAtMs: Math.max(one.atMs, lastSeenAtMs),
      ...(store === undefined
        ? {}
        : { store: { ...store, sequence: Math.max(store.sequence, one.sequence ?? 0) } }),
    }
    putNode(mutation, one.id, node, row, false)
  }
}

/** Changes what was decided of a node. */
export function changeNode(mutation: Mutation, request: ChangeNode): LoadedNode {
  const { nodeId, membership, scheduling, drainDeadlineAtMs, message = '', labels } = request
  checkOptionalChoice('membership', membership, NODE_MEMBERSHIPS)
  checkOptionalChoice('scheduling', scheduling, NODE_SCHEDULINGS)
  checkTime('drain deadline', drainDeadlineAtMs)
  const text = cutMessage(message)
  const before = loadNode(mutation.rows, nodeId)
  refuseChanged(before, request.expectedRevision)
  const row: Draft<NodeRow> = { ...before.row, revision: before.row.revision + 1 }
  if (membership !== undefined) {
    if (membership === row.membership) throw alreadyIs(nodeId, membership)
    row.membership = membership
    delete row.membershipMessage
    if (text !== '') row.membershipMessage = text
  }
  if (scheduling !== undefined) {
    row.scheduling = scheduling
    delete row.schedulingMessage
    delete row.drainSteadyMs
    if (text !== '') row.schedulingMessage = text
  }
  if (drainDeadlineAtMs != null) {
    if (row.scheduling !== 'drained')
      throw invalid(`node ${nodeId} is not drained, so it has no deadline for that`)
    row.drainSteadyMs = mutation.steady(drainDeadlineAtMs)
  } else if (drainDeadlineAtMs === null) delete row.drainSteadyMs
  if (labels !== undefined) giveLabels(row, labels)
  return putNode(mutation, nodeId, before, row)
}

function alreadyIs(nodeId: string, membership: string): StoreError {
  return new StoreError('STATE_CONFLICT', `node ${nodeId} already ${membership}`, {
    id: nodeId,
    actual: membership,
    hint: 'nothing is left to be done',
  })
}

function giveLabels(row: Draft<NodeRow>, changes: Readonly<Record<string, string | null>>): void {
  requireJson('labels', changes)
  requireObject('labels', changes)
  const given = new Map(Object.entries(row.givenLabels ?? {}))
  for (const [label, value] of Object.entries(changes)) {
    if (value === null) given.delete(label)
    else given.set(label, value)
  }
  const labels: TextMap = Object.fromEntries(given)
  checkLabels(labels)
  delete row.givenLabels
  if (given.size > 0) row.givenLabels = labels
}

/** Forgets a node. */
export function deleteNode(mutation: Mutation, { nodeId, expectedRevision }: DeleteNode): void {
  const node = loadNode(mutation.rows, nodeId)
  refuseChanged(node, expectedRevision)
  removeNode(mutation, node)
}

function refuseChanged({ id, row }: LoadedNode, expected: number | undefined): void {
  checkOptionalInteger('expected revision', expected, 0)
  if (expected === undefined || expected === row.revision) return
  throw new StoreError('REVISION_CONFLICT', `node ${id} has revision ${row.revision}, expected ${expected}`, {
    id,
    actual: row.revision,
    expected,
    hint: 'read it again and decide anew',
  })
}
