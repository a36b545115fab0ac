import type { Evaluation, EvaluationTrigger } from '@saltcod/store-core'
import { isStoreError } from '@saltcod/store-core'
import type { RequesterContext } from './context.ts'

/**
 * Has a job looked at, unless that is about to happen anyway. Returns what stands for that; `null` where the job is
 * gone.
 */
export async function requestEvaluation(
  context: RequesterContext,
  jobId: string,
  trigger: EvaluationTrigger,
): Promise<Evaluation | null> {
  try {
    return await context.store.createEvaluation({ jobId, trigger, coalesce: true })
  } catch (error) {
    if (!isStoreError(error, 'JOB_NOT_FOUND')) throw error
    return null
  }
}
