import type { ComputeExecution } from '@saltcod/store-core'
import { readOwnEnd } from './keeper/exit-record.ts'
import type { EngineOutcome } from './keeper/outcome.ts'
import { outcomeOf } from './keeper/outcome.ts'
import { bootId } from './keeper/process-table.ts'
import { isSafeName, workDirOf } from './layout.ts'

/**
 * Returns how the newest attempt of an execution ended, where it came to its own end and only the commit of it
 * is missing; undefined where it was interrupted, or where the machine was restarted since, which may have
 * torn what it left.
 */
export function endedRun(dataDir: string, execution: ComputeExecution): EngineOutcome | undefined {
  const { id, state, attempt, process } = execution
  if (state !== 'Running' || process === null || process.bootId !== bootId() || !isSafeName(id))
    return undefined
  const workDir = workDirOf(dataDir, id)
  const record = readOwnEnd(workDir, { executionId: id, attempt })
  return record === undefined ? undefined : outcomeOf(workDir, record)
}
