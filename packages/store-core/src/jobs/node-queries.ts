import { requireText } from '../arguments/argument-types.ts'
import { checkOptionalChoice, isShortText } from '../arguments/limits.ts'
import type { NodeQuery } from '../contract/nodes.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple, tuple } from '../kv/tuple.ts'
import { type KnownNode, NODE_MEMBERSHIPS } from '../model/node.ts'
import type { Listing } from '../rows/pager.ts'
import { orUndamaged } from '../rows/quarantine.ts'
import { rowsOf } from '../rows/scan.ts'
import { ambiguous } from '../rows/short-id.ts'
import { INDEX } from '../rows/tables.ts'
import { findNodeRow, loadNode, nodeTable, toNode } from './node-row.ts'

const NO_BYTES = new Uint8Array(0)

/** Returns a node; `null` where there is none. Throws `RECORD_CORRUPT`. */
export function getNode(snapshot: KvSnapshot, id: string, aheadMs: number): KnownNode | null {
  requireText('node id', id)
  const node = findNodeRow(snapshot, id)
  return node === undefined ? null : toNode(id, node.row, aheadMs)
}

/**
 * Finds a node by its id or the beginning of it; there are few, so all are looked at. Throws `NODE_NOT_FOUND`,
 * `AMBIGUOUS_ID`.
 */
export function findNode(snapshot: KvSnapshot, text: string, aheadMs: number): KnownNode {
  const whole = getNode(snapshot, text, aheadMs)
  if (whole !== null) return whole
  const matches: string[] = []
  if (text !== '' && isShortText(text)) {
    for (const { key } of rowsOf(snapshot, 'nodes', NO_BYTES)) {
      const id = orUndamaged(() => decodeId('n', decodeTuple(key)[0]))
      if (id?.startsWith(text)) matches.push(id)
    }
  }
  if (matches.length > 1) throw ambiguous('nodes', text, matches)
  const { id, row } = loadNode(snapshot, matches[0] ?? text)
  return toNode(id, row, aheadMs)
}

/** The listing of nodes that a query asks for. Throws `INVALID_ARGUMENT`. */
export function nodeListing(
  snapshot: KvSnapshot,
  { membership }: NodeQuery,
  aheadMs: number,
): Listing<KnownNode> {
  checkOptionalChoice('membership', membership, NODE_MEMBERSHIPS)
  const idOf = (key: Uint8Array): string => decodeId('n', decodeTuple(key).at(-1))
  if (membership === undefined) {
    return {
      table: 'nodes',
      prefixes: [NO_BYTES],
      query: ['nodes'],
      idOf,
      load: (key, value) => toNode(idOf(key), nodeTable.decode(key, value), aheadMs),
    }
  }
  return {
    table: 'index',
    prefixes: [tuple(INDEX.nodeByMembership, membership)],
    query: ['nodes', membership],
    idOf,
    load: (key) => {
      const node = findNodeRow(snapshot, idOf(key))
      return node === undefined ? undefined : toNode(node.id, node.row, aheadMs)
    },
  }
}
