import { existsSync } from 'node:fs'
import { COMPUTE_MACHINE, type ExecutionStore, StoreError } from '@saltcod/store-core'
import type { ComputePeer, LogPart } from '../link/link.ts'
import { followLog } from './keeper/log-follow.ts'
import { exitFile } from './keeper/work-files.ts'
import { workDirOf } from './layout.ts'
import { WakeUp } from './wake-up.ts'

const LOOK_MS = 500

/** Serves the output of the executions in a store whose runs write below a data directory. */
export function createPeer(store: ExecutionStore, dataDir: string): ComputePeer {
  return {
    async *readLog({ executionId, follow, tail, from, signal }): AsyncGenerator<LogPart, void, undefined> {
      const execution = await store.getExecution(executionId)
      if (execution === null) {
        throw new StoreError('EXECUTION_NOT_FOUND', `this node has no execution ${executionId}`, {
          id: executionId,
          hint: 'its record may have been removed after its job ended',
        })
      }
      const workDir = workDirOf(dataDir, executionId)
      const ended = follow ? whenEnded(store, executionId, workDir, signal) : undefined
      const stop = ended === undefined ? signal : AbortSignal.any([signal, ended.signal])
      try {
        const { attempt } = execution
        const options = {
          follow,
          tail: tail && (from === undefined || from.attempt === 0),
          from: from?.attempt === attempt ? from : undefined,
          signal: stop,
        }
        for await (const { offsets, ...part } of followLog(workDir, options)) {
          yield { ...part, position: { attempt, ...offsets } }
        }
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
