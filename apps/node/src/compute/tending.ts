import { pause } from '../waiting/pause.ts'
import type { ComputeContext } from './context.ts'
import { workDirOf } from './layout.ts'

const TEND_EVERY_MS = 30_000

/**
 * Has the engines whose runs outlive the node remove what is left over: what belongs to no attempt that is on record
 * as running. Failures are logged; what cannot be removed now is found again.
 */
export async function tendRuns({ settings, store, log, dataDir }: ComputeContext): Promise<void> {
  for (const { type, standing } of settings.engines.all()) {
    if (standing === undefined) continue
    try {
      const {
        removed,
        stuck = [],
        images = [],
      } = await standing.tend({
        isWanted: async ({ executionId, attempt }) => {
          const execution = await store.getExecution(executionId)
          return execution?.state === 'Running' && execution.attempt === attempt
        },
        unwanted: async ({ executionId, attempt }) => {
          const execution = await store.getExecution(executionId)
          if (execution?.attempt !== attempt) return undefined
          const workDir = workDirOf(dataDir, executionId)
          return { executionId, attempt, workDir, logBytes: settings.logBytes }
        },
      })
      if (removed.length > 0) log.info({ engine: type, removed }, 'what was left over of runs was removed')
      if (stuck.length > 0)
        log.warn({ engine: type, stuck }, 'what is left over of runs could not be removed')
      if (images.length > 0)
        log.info({ engine: type, images }, 'images were removed that no job has used of late')
    } catch (error) {
      log.warn({ err: error, engine: type }, 'what is left over of runs could not be looked for')
    }
  }
}

/** Does so now and again until the signal aborts. */
export async function keepTending(context: ComputeContext, signal: AbortSignal): Promise<void> {
  for (;;) {
    await pause(TEND_EVERY_MS, signal)
    if (signal.aborted) return
    await tendRuns(context)
  }
}
