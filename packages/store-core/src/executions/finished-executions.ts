import { checkChoice } from '../arguments/limits.ts'
import type { FinishedExecutionQuery } from '../contract/execution-store.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple, endOfTuple } from '../kv/tuple.ts'
import type { FinishedExecution, RecordSize } from '../model/finished.ts'
import type { Listing } from '../rows/pager.ts'
import { COMPUTE_MACHINE } from '../states/compute-state.ts'
import { computeRows } from './compute-row.ts'

/** The most history rows that are added up; what is left over is no more than an estimate's error. */
const MAX_HISTORY_ROWS = 10_000

/** The executions that ended in a state, by when they ended. Throws `INVALID_ARGUMENT` for a state that is no end. */
export function finishedExecutionListing(
  snapshot: KvSnapshot,
  { state }: FinishedExecutionQuery,
): Listing<FinishedExecution> {
  checkChoice('end of an execution', state, [...COMPUTE_MACHINE.terminal])
  const idOf = (key: Uint8Array): string => decodeId('e', decodeTuple(key).at(-1))
  return {
    table: 'index',
    prefixes: [computeRows.statePrefix(state)],
    query: ['finished', state],
    idOf,
    load: (key) => {
      const found = computeRows.find(snapshot, idOf(key))
      if (found === undefined || found.row.state !== state) return undefined
      const { id, row, bytes } = found
      return {
        id,
        jobId: row.jobId,
        namespace: row.namespace,
        state: row.state,
        finishedAtMs: row.finishedAtMs ?? row.stateSinceMs,
        revision: row.revision,
        acknowledgedRevision: row.acknowledgedRevision ?? 0,
        bytes: bytes + row.jobBytes,
      }
    },
  }
}

/** Adds up all rows of an execution; `null` where there is no such execution. */
export function measureExecution(snapshot: KvSnapshot, executionId: string): RecordSize | null {
  const found = computeRows.find(snapshot, executionId)
  if (found === undefined) return null
  const history = snapshot.range('history', {
    gte: found.key,
    lt: endOfTuple(found.key),
    limit: MAX_HISTORY_ROWS,
  })
  return {
    rows: 2 + history.length,
    bytes: history.reduce((sum, { value }) => sum + value.length, found.bytes + found.row.jobBytes),
  }
}
