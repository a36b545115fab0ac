import type { DeleteJob } from '../contract/jobs.ts'
import { StoreError } from '../errors.ts'
import { decodeId, decodeTuple } from '../kv/tuple.ts'
import type { Mutation } from '../rows/mutation.ts'
import { damagedRow } from '../rows/quarantine.ts'
import { putReclaim } from '../rows/reclaim.ts'
import { keysOf } from '../rows/scan.ts'
import { notTerminal } from './change-job.ts'
import { withdrawAll } from './evaluation-queue.ts'
import { evaluationsOfJob, findEvaluation } from './evaluation-row.ts'
import { type ExecutionSums, newestHistorySequence, sumExecutionsNow } from './execution-sums.ts'
import { hasEnded, jobIndexRows, type LoadedJob, loadJob, loadSpec } from './job-row.ts'

/**
 * Takes an ended job out of its indexes and, with all that belongs to it, out of every count, in one small
 * transaction; `reclaim` removes what is left: rows, indexes and deadlines of its executions, which no reader shows.
 * The sums were made before, and are made again where something changed since. Throws `JOB_NOT_FOUND`,
 * `JOB_NOT_TERMINAL`, `JOB_HELD`, `REVISION_CONFLICT`.
 */
export function deleteJob(mutation: Mutation, request: DeleteJob, sums: ExecutionSums): void {
  const { jobId } = request
  const job = loadJob(mutation.rows, jobId)
  if (!hasEnded(job.row)) throw notTerminal(job)
  if (job.row.hold !== undefined) {
    throw new StoreError('JOB_HELD', `job ${jobId} is held: ${job.row.hold}`, {
      id: jobId,
      hint: 'release the hold first',
    })
  }
  const historySequence = newestHistorySequence(mutation.rows, job.key)
  refuseChanged(job, historySequence, request)
  const current = sums.historySequence === historySequence ? sums : sumExecutionsNow(mutation.rows, job.key)
  for (const [state, { records, bytes }] of current.states) {
    mutation.count('execution', job.row.namespace, state, -records, -bytes)
  }
  dropEvaluations(mutation, job)
  dropJobRow(mutation, job)
  putReclaim(mutation, job.key, jobId)
}

/** Every change of a job and of its executions leaves a history entry, so the newest one tells of all of them. */
function refuseChanged({ id, row }: LoadedJob, historySequence: number, request: DeleteJob): void {
  const { expectedRevision = row.revision, expectedHistorySequence = historySequence } = request
  if (row.revision === expectedRevision && historySequence <= expectedHistorySequence) return
  throw new StoreError('REVISION_CONFLICT', `job ${id} has changed since it was looked at`, {
    id,
    actual: row.revision,
    expected: expectedRevision,
    hint: 'look at it again, then decide',
  })
}

function dropJobRow(mutation: Mutation, job: LoadedJob): void {
  const { id, key, row } = job
  const spec = loadSpec(mutation.rows, job)
  for (const index of jobIndexRows(job, spec)) mutation.removeIndex(index.key)
  mutation.rows.remove('jobs', key)
  mutation.count('job', row.namespace, row.state, -1, -(job.bytes + row.specBytes))
  mutation.announce({
    kind: 'job',
    id,
    jobId: id,
    namespace: row.namespace,
    operation: 'remove',
    previousState: row.state,
    state: null,
    revision: row.revision,
  })
}

function dropEvaluations(mutation: Mutation, job: LoadedJob): void {
  for (const key of keysOf(mutation.rows, 'index', evaluationsOfJob(job.id))) {
    try {
      const evaluation = findEvaluation(mutation.rows, decodeId('v', decodeTuple(key).at(-1)))
      if (evaluation === undefined) continue
      const { row, bytes } = evaluation
      mutation.count('evaluation', row.namespace, row.status, -1, -bytes)
    } catch (error) {
      if (damagedRow(error) === null) throw error
    }
  }
  withdrawAll(mutation, job.id)
}
