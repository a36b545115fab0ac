import type { EvaluationTrigger } from '@saltcod/store-core'
import { isStoreError } from '@saltcod/store-core'
import type { RequesterContext } from './context.ts'

/** Has a job looked at, unless that is about to happen anyway. Returns false where it is gone. */
export async function requestEvaluation(
  context: RequesterContext,
  jobId: string,
  trigger: EvaluationTrigger,
): Promise<boolean> {
  try {
    await context.store.createEvaluation({ jobId, trigger, coalesce: true })
    return true
  } catch (error) {
    if (!isStoreError(error, 'JOB_NOT_FOUND')) throw error
    return false
  }
}
