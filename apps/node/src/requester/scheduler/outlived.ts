import { isLongRunning } from '@saltcod/bacalhau-records'
import type { Execution, Job } from '@saltcod/store-core'
import { EXECUTION_MACHINE, JOB_MACHINE } from '@saltcod/store-core'
import { endedMs } from './restarts.ts'
import type { RetryRules } from './view.ts'

/** So many are given up together, so that not each end costs a change more. */
const AT_A_TIME = 25

/**
 * Returns the executions of a job that should run for ever that are to be given up: those of each share beyond what is
 * kept, the oldest first. What decisions count is kept: the attempts and interruptions that a share may have.
 */
export function outlivedExecutions(
  { type, state }: Pick<Job, 'type' | 'state'>,
  executions: readonly Execution[],
  { maxInterruptions, restarts }: RetryRules,
): readonly Execution[] {
  if (!isLongRunning(type) || JOB_MACHINE.terminal.has(state)) return []
  const kept = Math.max(restarts.keep, maxInterruptions + 1, (restarts.attempts ?? 0) + 1)
  const shares = new Map<string, Execution[]>()
  for (const execution of executions) {
    if (!EXECUTION_MACHINE.terminal.has(execution.state)) continue
    const share = type === 'service' ? String(execution.partition ?? 0) : execution.nodeId
    const others = shares.get(share)
    if (others === undefined) shares.set(share, [execution])
    else others.push(execution)
  }
  return [...shares.values()]
    .filter((share) => share.length >= kept + AT_A_TIME)
    .flatMap((share) => share.toSorted(byEnd).slice(0, share.length - kept))
    .toSorted(byEnd)
}

function byEnd(a: Execution, b: Execution): number {
  return endedMs(a) - endedMs(b) || (a.id < b.id ? -1 : 1)
}
