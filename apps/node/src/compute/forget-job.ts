import type { ComputeContext } from './context.ts'
import type { Executor } from './executor.ts'

const AT_A_TIME = 100

/**
 * Ends and removes all executions of a job that its requester has removed, with their results, logs and rows. One that
 * cannot be removed is logged, and left to whoever looks for what nobody asks for (see `removeUnasked`).
 */
export async function forgetJob(
  { store, log }: Pick<ComputeContext, 'store' | 'log'>,
  executor: Pick<Executor, 'forget'>,
  jobId: string,
): Promise<void> {
  for (const failed = new Set<string>(); ; ) {
    const { items } = await store.listExecutions({ jobId, limit: AT_A_TIME + failed.size })
    const left = items.filter(({ id }) => !failed.has(id))
    if (left.length === 0) return
    for (const { id: executionId } of left) {
      try {
        await executor.forget(executionId)
      } catch (error) {
        if (failed.size > AT_A_TIME) throw error
        failed.add(executionId)
        log.error({ err: error, executionId }, 'an execution of a removed job could not be forgotten')
      }
    }
  }
}
