import { checkText } from '../arguments/limits.ts'
import { StoreError } from '../errors.ts'
import type { KvTransaction } from '../kv/contract.ts'
import { decodeTuple, tuple } from '../kv/tuple.ts'
import type { DiskNames } from './field-names.ts'
import { orUndamaged } from './quarantine.ts'
import { RecordTable } from './record-table.ts'
import { isJson, isNumber, isText } from './row-shape.ts'
import { INDEX } from './tables.ts'

/** What came of a change that had a request id. */
interface RequestRow {
  /** The kind of change, so that an id is not taken for another one's. */
  readonly operation: string
  readonly atMs: number
  readonly result: unknown
}

/** The names of {@link RequestRow} on disk. */
export const REQUEST_NAMES: DiskNames<RequestRow> = { operation: 'op', atMs: 'at', result: 'result' }

/** The results of changes that had a request id, by that id. */
export const requestTable: RecordTable<RequestRow> = new RecordTable<RequestRow>(
  'requests',
  1,
  REQUEST_NAMES,
  { operation: isText, atMs: isNumber, result: isJson },
)

/** The index row of a request id, by the time of its change. */
export function requestIndexKey(atMs: number, requestId: string): Uint8Array {
  return tuple(INDEX.requestByTime, atMs, requestId)
}

/**
 * Returns the result of an earlier change with this id; `undefined` where there was none. Throws `TypeError`,
 * `INVALID_ARGUMENT`, `REQUEST_ID_CONFLICT`.
 */
export function findRequest(
  rows: KvTransaction,
  operation: string,
  requestId: string,
): { readonly result: unknown } | undefined {
  checkText('request id', requestId)
  const row = requestTable.get(rows, tuple(requestId))
  if (row === undefined) return undefined
  if (row.operation === operation) return { result: row.result }
  throw new StoreError(
    'REQUEST_ID_CONFLICT',
    `request id ${requestId} was used for ${row.operation}, not ${operation}`,
    {
      id: requestId,
      actual: row.operation,
      expected: operation,
      hint: 'use a fresh request id for every change',
    },
  )
}

/** Notes the result of a change. */
export function putRequest(
  rows: KvTransaction,
  operation: string,
  requestId: string,
  result: unknown,
  nowMs: number,
): void {
  requestTable.put(rows, tuple(requestId), { operation, atMs: nowMs, result: result ?? null })
  rows.put('index', requestIndexKey(nowMs, requestId), new Uint8Array(0))
}

/** Forgets request ids from before a time, at most `limit`. */
export function trimRequests(rows: KvTransaction, beforeMs: number, limit: number): number {
  const prefix = tuple(INDEX.requestByTime)
  const end = tuple(INDEX.requestByTime, Math.max(0, Math.floor(beforeMs)))
  const keys = rows.keys('index', { gte: prefix, lt: end, limit })
  for (const key of keys) {
    const requestId = orUndamaged(() => decodeTuple(key)[2])
    if (typeof requestId === 'string') rows.remove('requests', tuple(requestId))
    rows.remove('index', key)
  }
  return keys.length
}
