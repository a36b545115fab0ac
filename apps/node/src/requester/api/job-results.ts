import { isLongRunning, type JobSpec, specConfigToWire, type WireSpecConfig } from '@saltcod/bacalhau-records'
import type { Job, JobStore } from '@saltcod/store-core'
import { ApiError } from '../../wire/api-error.ts'
import { collectItems } from '../all-items.ts'

/** What the publisher of that name records. */
const LOCAL = 'local'

/**
 * Returns where the results of a job are, one for each completed execution that published some; what lies on a node is
 * fetched from an address. Throws for jobs that never end.
 */
export async function jobResults(
  store: JobStore<JobSpec>,
  job: Job<JobSpec>,
  urlOf: (executionId: string) => string,
): Promise<WireSpecConfig[]> {
  if (isLongRunning(job.type)) {
    throw new ApiError('BadRequest', `job type ${job.type} does not support results`, {
      hint: 'only batch and ops jobs have results',
    })
  }
  const executions = await collectItems((cursor) =>
    store.listExecutions({ jobId: job.id, jobVersion: job.version, limit: 1000, cursor }),
  )
  return executions.flatMap((execution) => {
    const result = execution.state === 'Completed' ? specConfigToWire(execution.publishedResult) : null
    if (result === null) return []
    return result.Type === LOCAL
      ? { Type: 'urlDownload', Params: { ...result.Params, URL: urlOf(execution.id) } }
      : result
  })
}
