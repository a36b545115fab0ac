import { isLongRunning, type JobSpec } from '@saltcod/bacalhau-records'
import type { Execution, Job, JobType } from '@saltcod/store-core'
import { EXECUTION_MACHINE, EXECUTION_STATES } from '@saltcod/store-core'
import { wasInterrupted } from './interruption.ts'
import type { Restarts } from './restarts.ts'
import { endedMs, isDenial, isFailure, isHealthy, restartDelayMs, restartsOf } from './restarts.ts'
import type { RetryRules } from './view.ts'

/** One share of a job that wants exactly one execution: a partition, or a node of a job that runs everywhere. */
export interface Slot {
  /** `null` where the share is a node. */
  readonly partition: number | null
  /** The only node that can do it; `null` where any can. */
  readonly nodeId: string | null
  /** Oldest first. */
  readonly executions: readonly Execution[]
}

/** Where a share stands. */
export type SlotVerdict =
  | {
      readonly kind: 'live'
      readonly execution: Execution
      readonly surplus: readonly Execution[]
      /** How a share that should run for ever ended before; `null` for others, and where it is healthy. */
      readonly restarts: Restarts | null
    }
  | { readonly kind: 'done'; readonly surplus: readonly Execution[] }
  | { readonly kind: 'failed'; readonly reason: string }
  | {
      readonly kind: 'wanted'
      /** Not before this time; 0 for at once. */
      readonly notBeforeMs: number
      /** Nodes that refused it, and why. */
      readonly refusals: ReadonlyMap<string, string>
      readonly previousExecutionId: string | null
      /** The node where it failed last, which is tried again only where no other has room; `null` for none. */
      readonly avoid: string | null
      /** How a share that should run for ever ended; `null` for others. */
      readonly restarts: Restarts | null
    }

/** How often a share that runs to its end may fail by itself. */
const MAX_FAILURES = { batch: 2, ops: 1 } as const

const INTERRUPTIONS_FORGOTTEN_MS = 86_400_000

/** Tells whether an execution has not ended and is still wanted. */
export function isLive(execution: Execution): boolean {
  return !EXECUTION_MACHINE.terminal.has(execution.state) && execution.desiredState !== 'Stopped'
}

/** Judges a share of a job by its executions. */
export function judgeSlot(job: Job<JobSpec>, slot: Slot, rules: RetryRules, nowMs: number): SlotVerdict {
  const live = slot.executions.filter(isLive)
  if (!isLongRunning(job.type) && slot.executions.some((execution) => execution.state === 'Completed')) {
    return { kind: 'done', surplus: live }
  }
  const [best, ...surplus] = live.toSorted(byProgress)
  const restarts = isLongRunning(job.type) ? restartsOf(slot.executions, job, rules.restarts, nowMs) : null
  if (best !== undefined) {
    const healthy = isHealthy(best, rules.restarts.minHealthyMs, nowMs)
    return { kind: 'live', execution: best, surplus, restarts: healthy ? null : restarts }
  }
  const hopeless = slot.executions.find(
    ({ state, endReason }) => state === 'Failed' && endReason === 'unusable-input',
  )
  if (hopeless !== undefined) return { kind: 'failed', reason: hopeless.stateMessage }
  const failure = failureOf(job, slot, rules, restarts)
  if (failure !== null) return { kind: 'failed', reason: failure }
  const interruptions = slot.executions.filter((execution) => isCounted(execution, job.type, nowMs))
  if (interruptions.length > rules.maxInterruptions) {
    return { kind: 'failed', reason: `job was interrupted ${interruptions.length} times` }
  }
  const refusals = new Map<string, string>()
  for (const execution of slot.executions) {
    const { state, nodeId, stateMessage } = execution
    if (state === 'AskForBidRejected' || isDenial(execution)) refusals.set(nodeId, stateMessage)
  }
  const refusal = slot.nodeId === null ? undefined : refusals.get(slot.nodeId)
  if (refusal !== undefined) return { kind: 'failed', reason: `node refused it: ${refusal}` }
  const last = slot.executions.at(-1)
  return {
    kind: 'wanted',
    notBeforeMs: Math.max(afterInterruptions(slot, rules, job.type, nowMs), afterRestarts(restarts, rules)),
    refusals,
    previousExecutionId: last?.id ?? null,
    avoid: last?.state === 'Failed' ? last.nodeId : null,
    restarts,
  }
}

/** What should run for ever may be interrupted as often as its nodes are restarted, only not too often in a day. */
function isCounted(execution: Execution, type: JobType, nowMs: number): boolean {
  if (!wasInterrupted(execution, type)) return false
  return !isLongRunning(type) || endedMs(execution) > nowMs - INTERRUPTIONS_FORGOTTEN_MS
}

/** Returns why a share is not tried again; `null` where it is. */
function failureOf(
  { type }: Job<JobSpec>,
  slot: Slot,
  { restarts: { attempts } }: RetryRules,
  restarts: Restarts | null,
): string | null {
  const tooOften = (last: Execution | null | undefined): string =>
    `job failed because it has been retried too many times: ${last?.stateMessage || 'no reason was given'}`
  if (isLongRunning(type)) {
    const isSpent = restarts !== null && attempts !== null && restarts.lately > attempts
    return isSpent ? tooOften(restarts.last) : null
  }
  const failures = slot.executions.filter((execution) => isFailure(execution, type))
  const limit = MAX_FAILURES[type]
  if (failures.length < limit) return null
  const last = failures.at(-1)
  return limit === 1 ? last?.stateMessage || 'no reason was given' : tooOften(last)
}

function afterRestarts(restarts: Restarts | null, rules: RetryRules): number {
  if (restarts === null || restarts.endedMs === 0) return 0
  return restarts.endedMs + restartDelayMs(restarts.inARow, rules.restarts)
}

/** The execution that has come furthest, and of these the oldest. */
function byProgress(a: Execution, b: Execution): number {
  const progress = EXECUTION_STATES.indexOf(b.state) - EXECUTION_STATES.indexOf(a.state)
  return progress === 0 ? a.createdAtMs - b.createdAtMs : progress
}

/**
 * The job itself may be what kills the node, so that many interruptions in a row are answered more slowly. What ended
 * in the future was written by a clock that has been set back since; it counts, but nobody waits until then.
 */
function afterInterruptions(slot: Slot, rules: RetryRules, type: JobType, nowMs: number): number {
  let inARow = 0
  let lastMs = 0
  for (const execution of slot.executions.toReversed()) {
    if (!wasInterrupted(execution, type)) break
    const atMs = endedMs(execution)
    if (atMs <= nowMs) lastMs = Math.max(lastMs, atMs)
    inARow++
  }
  if (lastMs === 0 || inARow <= rules.immediateInterruptions) return 0
  const doublings = Math.min(inARow - rules.immediateInterruptions - 1, 30)
  const waitMs = Math.min(rules.backoffMs * 2 ** doublings, rules.maxBackoffMs)
  return lastMs + waitMs
}
