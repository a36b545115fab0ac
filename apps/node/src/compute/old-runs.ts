import type { ComputeContext } from './context.ts'
import { endedRun } from './ended-run.ts'
import { inProgress } from './in-progress.ts'
import { killLeftover } from './keeper/leftover.ts'
import { workDirOf } from './layout.ts'

/** What is known of the runs of an earlier process of the node. */
export interface OldRuns {
  /** Executions of which a process may still live; nothing may be done about them. */
  readonly unproven: ReadonlySet<string>
  /** Executions whose run had come to its own end. */
  readonly ended: ReadonlySet<string>
}

/** Ends what an earlier process of the node left running, before anything else is done about its executions. */
export async function proveDead({ store, dataDir, log }: ComputeContext): Promise<OldRuns> {
  const unproven = new Set<string>()
  const ended = new Set<string>()
  for await (const execution of inProgress(store)) {
    const { id, process: recorded } = execution
    if (recorded === null) continue
    try {
      // A keeper leads its own process group.
      const process = { ...recorded, pgid: recorded.pid }
      const found = await killLeftover({ process, executionId: id, workDir: workDirOf(dataDir, id) })
      if (found.keeperAlive || found.killed > 0) {
        log.warn({ executionId: id, ...found }, 'processes of an earlier run were ended')
      }
      if (endedRun(dataDir, execution) !== undefined) ended.add(id)
    } catch (error) {
      log.error(
        { err: error, executionId: id },
        'an earlier run may still be alive; its execution is left alone',
      )
      unproven.add(id)
    }
  }
  return { unproven, ended }
}
