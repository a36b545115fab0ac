import { COMPUTE_STATES, type ComputeState, JOB_TYPES, type JobType } from '@saltcod/store-core'
import { LEGAL_ACTIONS, type RecoveryAction } from './action.ts'

/** Decides about executions that were created longer ago than an age, whatever the table says. */
export interface AgeRule {
  readonly states: readonly ComputeState[]
  /** Default: all. */
  readonly jobTypes?: readonly JobType[]
  /** Counted from the execution's creation on this node. */
  readonly olderThanMs: number
  readonly action: RecoveryAction
  /** Default `too-old`. */
  readonly reason?: string
}

/** Checks an age rule; `index` is its place in the list, for the message. Throws `TypeError`. */
export function checkAgeRule(rule: AgeRule, index: number): void {
  const where = `age rule ${index + 1} of the recovery policy`
  if (!Number.isSafeInteger(rule.olderThanMs) || rule.olderThanMs < 0) {
    throw new TypeError(`${where}: olderThanMs must be a whole number from 0, not ${rule.olderThanMs}`)
  }
  if (rule.states.length === 0) throw new TypeError(`${where} names no state`)
  for (const state of rule.states) {
    if (!COMPUTE_STATES.includes(state)) {
      throw new TypeError(
        `${where}: unknown state ${JSON.stringify(state)}: use ${COMPUTE_STATES.join(', ')}`,
      )
    }
    if (!LEGAL_ACTIONS[state].includes(rule.action)) {
      throw new TypeError(
        `${where} cannot ${JSON.stringify(rule.action)} ${state}: use ${LEGAL_ACTIONS[state].join(', ')}`,
      )
    }
  }
  for (const type of rule.jobTypes ?? []) {
    if (!JOB_TYPES.includes(type)) {
      throw new TypeError(`${where}: unknown job type ${JSON.stringify(type)}: use ${JOB_TYPES.join(', ')}`)
    }
  }
}

/** Tells whether an age rule speaks of an execution. */
export function ageRuleFits(rule: AgeRule, state: ComputeState, type: JobType, ageMs: number): boolean {
  return (
    rule.states.includes(state) &&
    (rule.jobTypes === undefined || rule.jobTypes.includes(type)) &&
    ageMs > rule.olderThanMs
  )
}
