import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple, idTuple } from '../kv/tuple.ts'

/** What specifications and history belong to: jobs, in an execution store executions. */
export type OwnerKind = 'job' | 'execution'

/** The record that a row belongs to. */
export interface Owner {
  readonly kind: OwnerKind
  readonly id: string
  readonly key: Uint8Array
  /** `deleted` while its rows wait to be reclaimed. */
  readonly is: 'there' | 'deleted' | 'missing'
}

/** Finds the record that a row of `specs` or `history` belongs to, which its key begins with. */
export function findOwner(snapshot: KvSnapshot, kind: OwnerKind, rowKey: Uint8Array): Owner {
  const [prefix, table] = kind === 'job' ? (['j', 'jobs'] as const) : (['e', 'executions'] as const)
  const id = decodeId(prefix, decodeTuple(rowKey)[0])
  const key = idTuple(prefix, id)
  const deleted = snapshot.get('reclaim', key) !== undefined
  const is = deleted ? 'deleted' : snapshot.get(table, key) === undefined ? 'missing' : 'there'
  return { kind, id, key, is }
}
