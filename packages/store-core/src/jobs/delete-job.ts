import { StoreError } from '../errors.ts'
import { decodeId, decodeTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import type { Mutation } from '../store/mutation.ts'
import { damagedRow } from '../store/quarantine.ts'
import { putReclaim } from '../store/reclaim.ts'
import { keysOf } from '../store/scan.ts'
import { INDEX } from '../store/tables.ts'
import { notTerminal } from './change-job.ts'
import { withdrawAll } from './evaluation-queue.ts'
import { evaluationsOfJob, findEvaluation } from './evaluation-row.ts'
import { executionKey, executionTable } from './execution-row.ts'
import {
  creationIndexKeys,
  hasEnded,
  type LoadedJob,
  labelIndexKeys,
  loadJob,
  loadSpec,
  nameIndexKey,
  stateIndexKeys,
  submitKeyIndexKey,
} from './job-row.ts'
import type { DeleteJob } from './job-store.ts'

/**
 * Takes an ended job out of every index and count in one small transaction, whatever it has; `reclaim` removes the rows that
 * are left. Throws `JOB_NOT_FOUND`, `JOB_NOT_TERMINAL`, `JOB_HELD`, `REVISION_CONFLICT`.
 */
export function deleteJob(mutation: Mutation, request: DeleteJob): void {
  const { jobId } = request
  const job = loadJob(mutation.rows, jobId)
  if (!hasEnded(job.row)) throw notTerminal(job)
  if (job.row.h !== undefined) {
    throw new StoreError('JOB_HELD', `job ${jobId} is held: ${job.row.h}`, {
      id: jobId,
      hint: 'release the hold first',
    })
  }
  refuseChanged(mutation, job, request)
  discountExecutions(mutation, job)
  dropEvaluations(mutation, job)
  dropJobRow(mutation, job)
  putReclaim(mutation, job.key, jobId)
}

/** Every change of a job and of its executions leaves a history entry, so the newest one tells of all of them. */
function refuseChanged(mutation: Mutation, { id, key, row }: LoadedJob, request: DeleteJob): void {
  const { expectedRevision = row.r, expectedHistorySequence } = request
  const newest =
    expectedHistorySequence === undefined
      ? undefined
      : mutation.rows.keys('history', { gte: key, lt: endOfTuple(key), reverse: true, limit: 1 })[0]
  const sequence = newest === undefined ? 0 : Number(decodeTuple(newest).at(-1))
  if (row.r === expectedRevision && sequence <= (expectedHistorySequence ?? 0)) return
  throw new StoreError('REVISION_CONFLICT', `job ${id} has changed since it was looked at`, {
    id,
    actual: row.r,
    expected: expectedRevision,
    hint: 'look at it again, then decide',
  })
}

function dropJobRow(mutation: Mutation, job: LoadedJob): void {
  const { id, key, row } = job
  const spec = loadSpec(mutation.rows, job)
  for (const indexKey of [...creationIndexKeys(key, row), ...stateIndexKeys(key, row)]) {
    mutation.removeIndex(indexKey)
  }
  for (const indexKey of labelIndexKeys(key, row, spec.l ?? {})) mutation.removeIndex(indexKey)
  mutation.removeIndex(nameIndexKey(row.ns, spec.n))
  if (row.k !== undefined) mutation.removeIndex(submitKeyIndexKey(row.ns, row.k))
  mutation.moveDeadline('job', id, row.dl, undefined)
  mutation.rows.remove('jobs', key)
  mutation.count('job', row.ns, row.s, -1, -(job.bytes + row.b))
  mutation.announce({
    kind: 'job',
    id,
    jobId: id,
    namespace: row.ns,
    operation: 'remove',
    previousState: row.s,
    state: null,
    revision: row.r,
  })
}

function discountExecutions(mutation: Mutation, job: LoadedJob): void {
  const { rows } = mutation
  for (const key of keysOf(rows, 'index', tuple(INDEX.executionByJob, job.key))) {
    const id = decodeId('e', decodeTuple(key).at(-1))
    try {
      const found = executionTable.load(rows, executionKey(id))
      if (found === undefined) continue
      const { record: row, bytes } = found
      mutation.count('execution', row.ns, row.s, -1, -bytes)
      mutation.moveDeadline('execution', id, row.dl, undefined)
    } catch (error) {
      if (damagedRow(error) === null) throw error
    }
  }
}

function dropEvaluations(mutation: Mutation, job: LoadedJob): void {
  for (const key of keysOf(mutation.rows, 'index', evaluationsOfJob(job.id))) {
    try {
      const evaluation = findEvaluation(mutation.rows, decodeId('v', decodeTuple(key).at(-1)))
      if (evaluation === undefined) continue
      const { row, bytes } = evaluation
      mutation.count('evaluation', row.ns, row.st, -1, -bytes)
    } catch (error) {
      if (damagedRow(error) === null) throw error
    }
  }
  withdrawAll(mutation, job.id)
}
