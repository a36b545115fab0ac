import { isStoreGone } from '../store-gone.ts'
import type { ComputeContext } from './context.ts'

/**
 * Takes a step of the start for one execution; its failure is logged and keeps no other execution from theirs.
 * Resolves with whether it went well. Rejects where the store is gone.
 */
export async function takeStartupStep(
  { log }: ComputeContext,
  executionId: string,
  step: () => Promise<void>,
): Promise<boolean> {
  try {
    await step()
    return true
  } catch (error) {
    if (isStoreGone(error)) throw error
    log.error({ err: error, executionId }, 'an execution could not be seen to at the start')
    return false
  }
}
