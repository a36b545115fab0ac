import type { EvaluationTrigger } from '@saltcod/store-core'
import { isStoreError } from '@saltcod/store-core'
import type { RequesterContext } from './context.ts'

/** Has a job looked at, unless that is about to happen anyway. A job that is gone is passed over. */
export async function requestEvaluation(
  context: RequesterContext,
  jobId: string,
  trigger: EvaluationTrigger,
): Promise<void> {
  try {
    await context.store.createEvaluation({ jobId, trigger, coalesce: true })
  } catch (error) {
    if (!isStoreError(error, 'JOB_NOT_FOUND')) throw error
  }
}
