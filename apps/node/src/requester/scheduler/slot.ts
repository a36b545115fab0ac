import type { Execution, Job, JobType } from '@saltcod/store-core'
import { EXECUTION_MACHINE, EXECUTION_STATES } from '@saltcod/store-core'
import type { JobSpec } from '../../spec/job-spec.ts'
import { wasInterrupted } from './interruption.ts'
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
  | { readonly kind: 'live'; readonly execution: Execution; readonly surplus: readonly Execution[] }
  | { readonly kind: 'done'; readonly surplus: readonly Execution[] }
  | { readonly kind: 'failed'; readonly reason: string }
  | {
      readonly kind: 'wanted'
      /** Not before this time; 0 for at once. */
      readonly notBeforeMs: number
      /** Nodes that refused it, and why. */
      readonly refusals: ReadonlyMap<string, string>
      readonly previousExecutionId: string | null
    }

/** How often a share may fail by itself: what runs to its end gets a second chance, what runs for long gets more. */
const MAX_FAILURES = { batch: 2, ops: 1, service: 5, daemon: 5 } as const

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
  if (best !== undefined) return { kind: 'live', execution: best, surplus }

  const hopeless = slot.executions.find(
    ({ state, endReason }) => state === 'Failed' && endReason === 'unusable-input',
  )
  if (hopeless !== undefined) return { kind: 'failed', reason: hopeless.stateMessage }
  const failures = slot.executions.filter((execution) => isFailure(execution, job.type))
  const limit = MAX_FAILURES[job.type]
  if (failures.length >= limit) {
    const last = failures.at(-1)?.stateMessage || 'no reason was given'
    return {
      kind: 'failed',
      reason: limit === 1 ? last : `job failed because it has been retried too many times: ${last}`,
    }
  }
  const interruptions = slot.executions.filter((execution) => wasInterrupted(execution, job.type))
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
  return {
    kind: 'wanted',
    notBeforeMs: notBefore(slot, rules, job.type, nowMs),
    refusals,
    previousExecutionId: slot.executions.at(-1)?.id ?? null,
  }
}

/** A job that should run for ever has failed when it ends. */
function isFailure(execution: Execution, type: JobType): boolean {
  if (isLongRunning(type) && execution.state === 'Completed') return true
  return execution.state === 'Failed' && !wasInterrupted(execution, type) && !isDenial(execution)
}

/** No fault of the job: another node may allow what it asks for. */
function isDenial({ state, endReason }: Execution): boolean {
  return state === 'Failed' && endReason === 'denied'
}

function isLongRunning(type: JobType): boolean {
  return type === 'service' || type === 'daemon'
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
function notBefore(slot: Slot, rules: RetryRules, type: JobType, nowMs: number): number {
  let inARow = 0
  let lastMs = 0
  for (const execution of slot.executions.toReversed()) {
    const counts = wasInterrupted(execution, type) || (isLongRunning(type) && isFailure(execution, type))
    if (!counts) break
    const endedMs = execution.finishedAtMs ?? execution.modifiedAtMs
    if (endedMs <= nowMs) lastMs = Math.max(lastMs, endedMs)
    inARow++
  }
  if (lastMs === 0 || inARow <= rules.immediateInterruptions) return 0
  const doublings = Math.min(inARow - rules.immediateInterruptions - 1, 30)
  const waitMs = Math.min(rules.backoffMs * 2 ** doublings, rules.maxBackoffMs)
  return lastMs + waitMs
}
