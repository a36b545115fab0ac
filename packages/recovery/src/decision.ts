import { COMPUTE_MACHINE, type ComputeExecution, type ComputeState, type JobType } from '@saltcod/store-core'
import { DEFAULT_REASONS, type RecoveryAction } from './action.ts'
import { ageRuleFits } from './age-rule.ts'
import type { RecoveryPolicy } from './policy.ts'

/** What a restart would do with one execution, and which rule says so. */
export interface RecoveryDecision {
  readonly executionId: string
  readonly jobId: string
  readonly jobType: JobType
  readonly state: ComputeState
  /** The revision that was looked at; a record that has another one by now is left alone. */
  readonly revision: number
  /** Time since the execution was created on this node. */
  readonly ageMs: number
  readonly action: RecoveryAction
  /** A short word such as `interrupted`, for people; empty where the execution has ended. */
  readonly reason: string
  /** Whether a rule by age decided, and not the table or a wish of the job. */
  readonly byAge: boolean
  /** For people: the table cell, age rule or wish of the job that decided. */
  readonly rule: string
  /**
   * The deadline that `keep` and `none` set, so that nothing waits for ever; `null` where there is one already, and
   * for all other actions.
   */
  readonly deadlineAtMs: number | null
}

/**
 * Decides about one execution. Reads nothing and changes nothing. With `outlives` its run does not end with the node,
 * so it is gone on with, unless a rule by age fails it; where it is gone all the same, the decision without that
 * counts.
 */
export function decideRecovery(
  execution: ComputeExecution,
  policy: RecoveryPolicy,
  nowMs: number,
  outlives = false,
): RecoveryDecision {
  const ageMs = Math.max(0, nowMs - execution.createdAtMs)
  const picked = pick(execution, policy, ageMs)
  const goesOn = outlives && execution.state === 'Running' && !(picked.byAge && picked.action === 'fail')
  const { action, reason, rule, byAge } = goesOn ? reattachment(execution, picked) : picked
  const waits = (action === 'keep' || action === 'none') && !COMPUTE_MACHINE.terminal.has(execution.state)
  return {
    executionId: execution.id,
    jobId: execution.job.id,
    jobType: execution.job.type,
    state: execution.state,
    revision: execution.revision,
    ageMs,
    action,
    reason,
    byAge,
    rule,
    deadlineAtMs: waits && execution.deadlineAtMs === null ? nowMs + policy.keepForMs : null,
  }
}

type Picked = Pick<RecoveryDecision, 'action' | 'reason' | 'rule' | 'byAge'>

function reattachment({ attempt }: ComputeExecution, { action, reason, rule }: Picked): Picked {
  return {
    action: 'reattach',
    reason: DEFAULT_REASONS.reattach,
    rule: `attempt ${attempt} does not end with the node; where it is gone: ${action}, ${reason} (${rule})`,
    byAge: false,
  }
}

function pick({ state, job, rerunnable }: ComputeExecution, policy: RecoveryPolicy, ageMs: number): Picked {
  if (COMPUTE_MACHINE.terminal.has(state))
    return { action: 'none', reason: '', rule: `${state} has ended`, byAge: false }
  for (const [index, rule] of policy.ageRules.entries()) {
    if (!ageRuleFits(rule, state, job.type, ageMs)) continue
    const text = `age rule ${index + 1}: ${state} and older than ${rule.olderThanMs} ms`
    return { action: rule.action, reason: rule.reason ?? 'too-old', rule: text, byAge: true }
  }
  const cell = policy.table[state][job.type]
  if (rerunnable && state === 'Running' && cell.action === 'fail') {
    return { action: 'rerun', reason: cell.reason, rule: 'the job may be run again', byAge: false }
  }
  const place = `${state}/${job.type}`
  const origin = policy.overridden.includes(place) ? 'configured' : `preset ${policy.preset}`
  return { ...cell, rule: `${origin}: ${place}`, byAge: false }
}
