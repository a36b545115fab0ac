import type { KvSnapshot } from '../kv/contract.ts'
import { findOwner, type Owner, type OwnerKind } from '../rows/owner.ts'
import type { Findings } from './findings.ts'

/** Returns the record that a row belongs to; `null` where that was deleted, so that there is nothing more to check. */
export function checkOwner(
  kind: OwnerKind,
  table: 'specs' | 'history',
  rowKey: Uint8Array,
  snapshot: KvSnapshot,
  findings: Findings,
): Owner | null {
  const owner = findOwner(snapshot, kind, rowKey)
  if (owner.is === 'deleted') return null
  if (owner.is === 'missing') {
    findings.add(
      'orphan',
      table,
      rowKey,
      owner.id,
      `a row belongs to ${kind} ${owner.id}, which is not there`,
    )
  }
  return owner
}
