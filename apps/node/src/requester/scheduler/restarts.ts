import { isLongRunning, looseField } from '@saltcod/bacalhau-records'
import type { Execution, Job, JobType } from '@saltcod/store-core'
import { formatDuration } from '@saltcod/units'
import { wasInterrupted } from './interruption.ts'
import type { RestartRules } from './view.ts'

/** How a share of a job that should run for ever has come to its ends lately. */
export interface Restarts {
  /** How often it ended since it was healthy last, the end of that run included. */
  readonly inARow: number
  /** The newest of these ends; `null` where there is none. */
  readonly last: Execution | null
  /**
   * When the newest of them was that is not in the future, which a clock wrote that has been set back since; 0 for
   * none.
   */
  readonly endedMs: number
  /** How often it ended within the interval of the rules. */
  readonly lately: number
}

/** A job that should run for ever has failed when it ends. */
export function isFailure(execution: Execution, type: JobType): boolean {
  if (isLongRunning(type) && execution.state === 'Completed') return true
  return execution.state === 'Failed' && !wasInterrupted(execution, type) && !isDenial(execution)
}

/** No fault of the job: another node may allow what it asks for. */
export function isDenial({ state, endReason }: Execution): boolean {
  return state === 'Failed' && endReason === 'denied'
}

/** Looks at the ends of a share, its executions oldest first. What was no fault of the job counts for nothing. */
export function restartsOf(
  executions: readonly Execution[],
  { type }: Pick<Job, 'type'>,
  { minHealthyMs, intervalMs }: RestartRules,
  nowMs: number,
): Restarts {
  const ends = executions.filter((execution) => isFailure(execution, type))
  const healthy = ends.findLastIndex((execution) => ranMs(execution) >= minHealthyMs)
  // What is not there any more was counted when the next one was asked for.
  const counted = ends.reduce((most, { endsBefore }) => Math.max(most, endsBefore + 1), 0)
  const inARow =
    healthy === -1 ? Math.max(ends.length + (executions[0]?.endsBefore ?? 0), counted) : ends.length - healthy
  const lately = ends.filter((execution) => endedMs(execution) > nowMs - intervalMs).length
  const past = ends.map(endedMs).filter((atMs) => atMs <= nowMs)
  return { inARow, last: ends.at(-1) ?? null, endedMs: Math.max(0, ...past), lately }
}

/** Returns how long is waited after so many ends in a row. */
export function restartDelayMs(inARow: number, { delayMs, maxDelayMs }: RestartRules): number {
  if (inARow <= 0) return 0
  return Math.min(delayMs * 2 ** Math.min(inARow - 1, 30), maxDelayMs)
}

/** Returns when an execution ended. */
export function endedMs({ finishedAtMs, modifiedAtMs }: Execution): number {
  return finishedAtMs ?? modifiedAtMs
}

/** Tells whether an execution has run for as long as a healthy one does. */
export function isHealthy({ state, stateSinceMs }: Execution, minHealthyMs: number, nowMs: number): boolean {
  return state === 'Running' && nowMs - stateSinceMs >= minHealthyMs
}

/** How long an execution ran. Its node measured it; where nobody heard of its end, it ran while its node was there. */
function ranMs(execution: Execution): number {
  const { runOutput, endReason, createdAtMs } = execution
  const ran = looseField(runOutput, 'ranMs')
  if (typeof ran === 'number') return ran
  return endReason === 'node-lost' ? endedMs(execution) - createdAtMs : 0
}

/** Says that a share ends again and again. The same ends give the same text. */
export function restartText({ inARow, last }: Restarts, rules: RestartRules): string {
  const times = inARow === 1 ? 'it has ended' : `it has ended ${inARow} times in a row`
  const wait = formatDuration(restartDelayMs(inARow, rules))
  const why = last?.stateMessage || 'nothing was said'
  return `${times} and is started again ${wait} later, until it runs for ${formatDuration(rules.minHealthyMs)}; the last end: ${why}`
}

/** Says that every share is healthy. */
export function healthyText({ minHealthyMs }: RestartRules): string {
  return `healthy: it runs for ${formatDuration(minHealthyMs)} or longer`
}
