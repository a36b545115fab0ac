import { existsSync } from 'node:fs'
import { COMPUTE_MACHINE, type ExecutionStore, StoreError } from '@saltcod/store-core'
import type { ComputePeer, LogPart } from '../link/link.ts'
import { workDirOf } from './layout.ts'
import { followLog } from './supervisor/log-follow.ts'
import { exitFile } from './supervisor/work-files.ts'
import { WakeUp } from './wake-up.ts'

const LOOK_MS = 500

/** Serves the output of the executions in a store whose runs write below a data directory. */
export function createPeer(store: ExecutionStore, dataDir: string): ComputePeer {
  return {
    async *readLog({ executionId, follow, tail, signal }): AsyncGenerator<LogPart, void, undefined> {
      if ((await store.getExecution(executionId)) === null) {
        throw new StoreError('EXECUTION_NOT_FOUND', `this node has no execution ${executionId}`, {
          id: executionId,
          hint: 'its record may have been removed after its job ended',
        })
      }
      const workDir = workDirOf(dataDir, executionId)
      const ended = follow ? whenEnded(store, executionId, workDir, signal) : undefined
      const stop = ended === undefined ? signal : AbortSignal.any([signal, ended.signal])
      try {
        yield* followLog(workDir, { follow, tail, signal: stop })
      } finally {
        ended?.stopLooking()
      }
    },
  }
}

/** Aborts when an execution has ended without an exit record, which alone would end the following of its log. */
function whenEnded(
  store: ExecutionStore,
  executionId: string,
  workDir: string,
  signal: AbortSignal,
): { readonly signal: AbortSignal; readonly stopLooking: () => void } {
  const ended = new AbortController()
  const looking = new AbortController()
  const until = AbortSignal.any([signal, looking.signal])
  const pause = new WakeUp()
  const look = async (): Promise<void> => {
    while (!until.aborted) {
      const execution = await store.getExecution(executionId)
      const over = execution === null || COMPUTE_MACHINE.terminal.has(execution.state)
      if (over && !existsSync(exitFile(workDir))) return ended.abort()
      await pause.sleep(LOOK_MS, until)
    }
  }
  // A store that cannot be read any more has nothing to follow.
  look().catch(() => ended.abort())
  return { signal: ended.signal, stopLooking: () => looking.abort() }
}
