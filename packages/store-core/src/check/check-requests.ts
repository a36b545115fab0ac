import type { KvRow, KvSnapshot } from '../kv/contract.ts'
import { decodeTuple, tuple } from '../kv/tuple.ts'
import { requestIndexKey, requestTable } from '../rows/requests.ts'
import type { Findings } from './findings.ts'

/**
 * Checks that a request id has its row by time, without which it would never be forgotten. Throws `RECORD_CORRUPT`.
 */
export function checkRequest({ key, value }: KvRow, snapshot: KvSnapshot, findings: Findings): void {
  const { atMs } = requestTable.decode(key, value)
  const id = String(decodeTuple(key)[0])
  const indexKey = requestIndexKey(atMs, id)
  if (snapshot.get('index', indexKey) !== undefined) return
  findings.add('record-without-index', 'index', indexKey, id, `request ${id} lacks an index row`)
}

/** Checks that a row by time has its request id. */
export function checkRequestIndex(
  { key }: KvRow,
  id: string,
  snapshot: KvSnapshot,
  findings: Findings,
): void {
  if (snapshot.get('requests', tuple(id)) !== undefined) return
  findings.add(
    'index-without-record',
    'index',
    key,
    id,
    `an index row names request ${id}, which is not there`,
  )
}
