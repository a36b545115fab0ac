import type { ComputeExecution } from '@saltcod/store-core'
import type { EngineOutcome, OutcomeReason } from './engine/engine.ts'
import { readExitRecord } from './keeper/exit-record.ts'
import { outcomeOf } from './keeper/outcome.ts'
import { bootId } from './keeper/process-table.ts'
import { isSafeName, workDirOf } from './layout.ts'

// The others say that the run was ended for the node's sake, or by whatever ended the node.
const OWN_ENDS: ReadonlySet<OutcomeReason> = new Set<OutcomeReason>(['exited', 'timeout', 'memory'])

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
  const record = readExitRecord(workDir)
  if (record?.executionId !== id || record.attempt !== attempt || !OWN_ENDS.has(record.reason))
    return undefined
  return outcomeOf(workDir, record)
}
