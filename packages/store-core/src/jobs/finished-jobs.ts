import { requireText } from '../arguments/argument-types.ts'
import { checkChoice } from '../arguments/limits.ts'
import type { FinishedJobQuery } from '../contract/jobs.ts'
import type { KvRow, KvSnapshot, KvStore } from '../kv/contract.ts'
import { decodeId, decodeTuple, idTuple, tuple } from '../kv/tuple.ts'
import type { FinishedJob, JobSize } from '../model/finished.ts'
import { forEachBatch } from '../rows/batches.ts'
import { executionKey } from '../rows/execution-rows.ts'
import type { Listing } from '../rows/pager.ts'
import { damagedRow, orUndamaged } from '../rows/quarantine.ts'
import { INDEX, type TableName } from '../rows/tables.ts'
import { EXECUTION_MACHINE } from '../states/execution-state.ts'
import { JOB_MACHINE } from '../states/job-state.ts'
import { evaluationsOfJob } from './evaluation-row.ts'
import { executionTable } from './execution-row.ts'
import { findJobRow, hasEnded, jobKey } from './job-row.ts'

const BATCHES = { batchRows: 500 }

/**
 * The jobs of a namespace that ended in a state, by when they ended. Throws `INVALID_ARGUMENT` for a state that is no
 * end.
 */
export function finishedJobListing(
  snapshot: KvSnapshot,
  { namespace, state }: FinishedJobQuery,
): Listing<FinishedJob> {
  requireText('namespace', namespace)
  checkChoice('end of a job', state, [...JOB_MACHINE.terminal])
  const idOf = (key: Uint8Array): string => decodeId('j', decodeTuple(key).at(-1))
  return {
    table: 'index',
    prefixes: [tuple(INDEX.jobFinished, namespace, state)],
    query: ['finished', namespace, state],
    idOf,
    load: (key) => {
      const job = findJobRow(snapshot, idOf(key))
      if (job === undefined || !hasEnded(job.row)) return undefined
      const { id, row, bytes } = job
      return {
        id,
        namespace: row.namespace,
        state: row.state,
        finishedAtMs: row.finishedAtMs ?? row.stateSinceMs,
        revision: row.revision,
        hold: row.hold ?? null,
        bytes: bytes + row.specBytes,
      }
    },
  }
}

/** Adds up all rows of a job, a batch in each snapshot; `null` where there is no such job. */
export async function measureJob(kv: KvStore, jobId: string): Promise<JobSize | null> {
  const key = jobKey(jobId)
  const job = kv.read((snapshot) => findJobRow(snapshot, jobId))
  if (job === undefined) return null
  const sum = { rows: 1, bytes: job.bytes, unfinishedExecutions: 0 }
  const add = (value: Uint8Array | undefined): void => {
    if (value === undefined) return
    sum.rows += 1
    sum.bytes += value.length
  }
  await inBatches(kv, 'specs', key, (_snapshot, rows) => {
    for (const { value } of rows) add(value)
  })
  await inBatches(kv, 'history', key, (_snapshot, rows) => {
    for (const { value } of rows) add(value)
  })
  await inBatches(kv, 'index', evaluationsOfJob(jobId), (snapshot, rows) => {
    for (const row of rows) {
      const id = orUndamaged(() => decodeId('v', decodeTuple(row.key).at(-1)))
      if (id !== undefined) add(snapshot.get('evaluations', idTuple('v', id)))
    }
  })
  await inBatches(kv, 'index', tuple(INDEX.executionByJob, key), (snapshot, rows) => {
    for (const row of rows) {
      const id = orUndamaged(() => decodeId('e', decodeTuple(row.key).at(-1)))
      if (id === undefined) continue
      const executionRowKey = executionKey(id)
      const value = snapshot.get('executions', executionRowKey)
      add(value)
      if (value !== undefined && !isOver(executionRowKey, value)) sum.unfinishedExecutions += 1
    }
  })
  return sum
}

/** A damaged execution keeps nobody from removing its job. */
function isOver(key: Uint8Array, value: Uint8Array): boolean {
  try {
    return EXECUTION_MACHINE.terminal.has(executionTable.decode(key, value).state)
  } catch (error) {
    if (damagedRow(error) === null) throw error
    return true
  }
}

/** Visits every row of a table that begins with a tuple, a batch in each snapshot. */
export async function inBatches(
  kv: KvStore,
  table: TableName,
  prefix: Uint8Array,
  visit: (snapshot: KvSnapshot, rows: readonly KvRow[]) => void,
): Promise<void> {
  await forEachBatch(kv, table, BATCHES, (rows, snapshot) => visit(snapshot, rows), prefix)
}
