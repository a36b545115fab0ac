import { decodeId, decodeTuple, endOfTuple, idTuple, tuple } from '../kv/tuple.ts'
import type { ReclaimReport } from '../model/store-info.ts'
import { executionKey } from '../rows/execution-rows.ts'
import type { Mutation } from '../rows/mutation.ts'
import { damagedRow, orUndamaged } from '../rows/quarantine.ts'
import { type Remains, reclaimStep, removePlainRows } from '../rows/reclaim.ts'
import { INDEX } from '../rows/tables.ts'
import {
  endedKey,
  evaluationsOfJob,
  evaluationTable,
  parkedPrefix,
  sideKeys,
  waitingKey,
} from './evaluation-row.ts'
import { executionRows, executionTable } from './execution-row.ts'

/** Keys that one execution takes: its row, two index rows by creation, one by state, its deadline. */
const EXECUTION_KEYS = 5
/**
 * Keys that one evaluation takes: its row, one index row by job, one by its end or its due time, and one as a suspect
 * or by its delay.
 */
const EVALUATION_KEYS = 4

/** Removes rows of deleted jobs, at most 500 keys. */
export function reclaimJobs(mutation: Mutation): ReclaimReport {
  return reclaimStep(mutation, (job, limit) => {
    const { key, id } = job
    let left = limit
    left -= removePlainRows(mutation.rows, 'index', parkedPrefix(id), left)
    left -= removeExecutions(mutation, job, left)
    left -= removeEvaluations(mutation, job, left)
    left -= removePlainRows(mutation.rows, 'history', key, left)
    left -= removePlainRows(mutation.rows, 'specs', key, left)
    return { removed: limit - left, done: left > EXECUTION_KEYS }
  })
}

function removeExecutions(mutation: Mutation, job: Remains, limit: number): number {
  const prefix = tuple(INDEX.executionByJob, job.key)
  const most = Math.floor(limit / EXECUTION_KEYS)
  if (most < 1) return 0
  const keys = mutation.rows.keys('index', { gte: prefix, lt: endOfTuple(prefix), limit: most })
  for (const indexKey of keys) {
    const id = orUndamaged(() => decodeId('e', decodeTuple(indexKey).at(-1)))
    if (id !== undefined) removeExecution(mutation, id, job)
    mutation.removeIndex(indexKey)
  }
  return keys.length * EXECUTION_KEYS
}

function removeExecution(mutation: Mutation, id: string, job: Remains): void {
  const key = executionKey(id)
  const bytes = mutation.rows.get('executions', key)
  if (bytes === undefined) return
  mutation.rows.remove('executions', key)
  try {
    const row = executionTable.decode(key, bytes)
    for (const index of executionRows.indexRows({ id, key, row })) mutation.removeIndex(index.key)
    if (job.neverSeen) return
    mutation.announce({
      kind: 'execution',
      id,
      jobId: job.id,
      namespace: row.namespace,
      operation: 'remove',
      previousState: row.state,
      state: null,
      revision: row.revision,
    })
  } catch (error) {
    if (damagedRow(error) === null) throw error
  }
}

function removeEvaluations(mutation: Mutation, job: Remains, limit: number): number {
  const prefix = evaluationsOfJob(job.id)
  const most = Math.floor(limit / EVALUATION_KEYS)
  if (most < 1) return 0
  const keys = mutation.rows.keys('index', { gte: prefix, lt: endOfTuple(prefix), limit: most })
  for (const indexKey of keys) {
    const id = orUndamaged(() => decodeId('v', decodeTuple(indexKey).at(-1)))
    if (id !== undefined) removeEvaluation(mutation, id, job)
    mutation.removeIndex(indexKey)
  }
  return keys.length * EVALUATION_KEYS
}

function removeEvaluation(mutation: Mutation, id: string, job: Remains): void {
  const key = idTuple('v', id)
  const bytes = mutation.rows.get('evaluations', key)
  if (bytes === undefined) return
  mutation.rows.remove('evaluations', key)
  try {
    const row = evaluationTable.decode(key, bytes)
    mutation.removeIndex(row.status === 'pending' ? waitingKey(row) : endedKey({ key, row }))
    for (const index of sideKeys({ key, row })) mutation.removeIndex(index)
    if (job.neverSeen) return
    mutation.announce({
      kind: 'evaluation',
      id,
      jobId: job.id,
      namespace: row.namespace,
      operation: 'remove',
      previousState: row.status,
      state: null,
      revision: 0,
    })
  } catch (error) {
    if (damagedRow(error) === null) throw error
  }
}
