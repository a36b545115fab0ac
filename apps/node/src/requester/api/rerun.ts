import { looseField, type WireRerunAnswer } from '@saltcod/bacalhau-records'
import { newId } from '@saltcod/store-core'
import { ApiError } from '../../wire/api-error.ts'
import type { RequesterContext } from '../context.ts'

/**
 * Runs a job again, as its newest or an older version of it was written; that is a new version. Throws where it has
 * not begun.
 */
export async function rerun(
  { store, clock }: RequesterContext,
  jobId: string,
  body: unknown,
): Promise<WireRerunAnswer> {
  const wanted = looseField((body ?? null) as never, 'JobVersion')
  const version = typeof wanted === 'number' && wanted > 0 ? wanted : undefined
  const source = await store.getJob(jobId, version)
  const newest = await store.getJob(jobId)
  if (source === null || newest === null) {
    throw new ApiError('NotFound', `job version ${version ?? 'latest'} not found for job ${jobId}`, {
      component: 'JobStore',
    })
  }
  if (newest.state === 'Pending' || newest.state === 'Queued') {
    throw new ApiError('ConflictJobState', `cannot rerun a job in state ${newest.state}`, {
      component: 'JobStore',
      hint: 'wait until it runs, or stop it first',
    })
  }
  const totalMs = (source.spec.Tasks[0]?.Timeouts.TotalTimeout ?? 0) * 1000
  const evaluationId = newId('v')
  const { job } = await store.reviseJob({
    jobId,
    priority: source.priority,
    count: source.count,
    labels: source.labels,
    spec: source.spec,
    expectedRevision: newest.revision,
    deadlineAtMs: totalMs === 0 ? null : clock() + totalMs,
    evaluation: { id: evaluationId, trigger: 'job-rerun' },
    event: { message: 'Job rerun requested', topic: 'Submission' },
  })
  return { JobID: jobId, JobVersion: job.version, EvaluationID: evaluationId, Warnings: null }
}
